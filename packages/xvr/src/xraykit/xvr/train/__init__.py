"""Training of pose networks: for one patient, for many, and from many to one."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "entry": "train_network",
        "settings": "PoseLengthSettings PoseLossSettings PoseNetworkSettings TrainingDataSettings"
        " TrainingDetectorSettings TrainingImageSettings TrainingPoseSettings TrainSettings",
    },
)
