# Made by tools/make_stubs.py from the table in __init__.py.
from .check import (
    DatasetCheck as DatasetCheck,
    check_dataset as check_dataset,
)
from .format.run_lengths import (
    decode_run_lengths as decode_run_lengths,
    encode_run_lengths as encode_run_lengths,
)
from .format.tissue_grid import TissueGrid as TissueGrid
from .make.job import (
    DatasetSummary as DatasetSummary,
    make_dataset as make_dataset,
)
from .plan.config import (
    CTPatients as CTPatients,
    DatasetConfig as DatasetConfig,
    ImageSettings as ImageSettings,
    PatientSources as PatientSources,
    PhysicsSettings as PhysicsSettings,
    ProceduralPatients as ProceduralPatients,
    ToolSettings as ToolSettings,
    ViewSettings as ViewSettings,
)
from .plan.config_file import read_dataset_config as read_dataset_config
from .read.dataset import XrayDataset as XrayDataset
from .read.loader import XrayLoader as XrayLoader
from .read.order import ReadingOrder as ReadingOrder
from .read.xray_sample import XraySample as XraySample
from .report.report import (
    DatasetReport as DatasetReport,
    dataset_report as dataset_report,
)
