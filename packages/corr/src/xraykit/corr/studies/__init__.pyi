# Made by tools/make_stubs.py from the table in __init__.py.
from .decoys import draw_decoy as draw_decoy
from .fracatlas import fracatlas_studies as fracatlas_studies
from .fracture_studies import (
    FractureStudies as FractureStudies,
    make_fracture_studies as make_fracture_studies,
)
from .grazpedwri import grazpedwri_studies as grazpedwri_studies
from .leak_report import (
    fracture_report as fracture_report,
    write_fracture_report as write_fracture_report,
)
from .leaks import (
    LeakCheck as LeakCheck,
    StudyFacts as StudyFacts,
    leak_checks as leak_checks,
)
from .manifest import (
    MOST_LISTED as MOST_LISTED,
    check_studies as check_studies,
    check_trainable as check_trainable,
    read_studies as read_studies,
    write_studies as write_studies,
)
from .mura import (
    MURA_REGIONS as MURA_REGIONS,
    mura_studies as mura_studies,
)
from .settings import (
    FractureStudySettings as FractureStudySettings,
    StudyChangeSettings as StudyChangeSettings,
)
from .split_patients import carve_patients as carve_patients
from .study import (
    LabelledStudy as LabelledStudy,
    StudyImage as StudyImage,
)
from .study_batches import (
    StudyBatch as StudyBatch,
    StudyBatches as StudyBatches,
)
from .study_changes import (
    StudyChange as StudyChange,
    change_study as change_study,
    draw_study_change as draw_study_change,
)
from .study_store import (
    StudyStore as StudyStore,
    prepare_studies as prepare_studies,
)
from .study_truth import (
    TRUTH as TRUTH,
    read_truth as read_truth,
    write_truth as write_truth,
)
from .twins import (
    TwinDifference as TwinDifference,
    twin_check as twin_check,
)
