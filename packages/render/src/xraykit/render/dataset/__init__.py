"""Data sets of X-rays as tar shards: made by a job, the same bytes on one type of CPU, and read as a stream."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "check": "check_dataset DatasetCheck",
        "format.run_lengths": "decode_run_lengths encode_run_lengths",
        "format.tissue_grid": "TissueGrid",
        "make.job": "DatasetSummary make_dataset",
        "plan.config": "CTPatients DatasetConfig ImageSettings PatientSources PhysicsSettings ProceduralPatients"
        " ToolSettings ViewSettings",
        "plan.config_file": "read_dataset_config",
        "read.dataset": "XrayDataset",
        "read.loader": "XrayLoader",
        "read.order": "ReadingOrder",
        "read.xray_sample": "XraySample",
        "report.report": "dataset_report DatasetReport",
    },
)
