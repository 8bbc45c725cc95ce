# Made by tools/make_stubs.py from the table in __init__.py.
from .comparison import (
    BackboneDifference as BackboneDifference,
    ScoredBackbone as ScoredBackbone,
    ScoredCases as ScoredCases,
    differences as differences,
    scored as scored,
)
from .feature_making import make_features as make_features
from .feature_store import (
    FeatureStore as FeatureStore,
    StoredMap as StoredMap,
    feature_digest as feature_digest,
    open_features as open_features,
)
from .folds import (
    check_folds as check_folds,
    grouped_folds as grouped_folds,
)
from .job_images import (
    ProbeTruth as ProbeTruth,
    images_of_job as images_of_job,
)
from .probe_set import (
    ProbeImage as ProbeImage,
    ProbeSet as ProbeSet,
)
from .report import (
    ProbeReport as ProbeReport,
    write_probe_report as write_probe_report,
)
from .run_metal import probe_metal as probe_metal
from .run_region import probe_regions as probe_regions
from .run_screws import probe_screws as probe_screws
from .settings import (
    MetalProbeSettings as MetalProbeSettings,
    ProbeInputs as ProbeInputs,
    RegionProbeSettings as RegionProbeSettings,
    ScrewProbeSettings as ScrewProbeSettings,
)
from .table_images import images_of_table as images_of_table
