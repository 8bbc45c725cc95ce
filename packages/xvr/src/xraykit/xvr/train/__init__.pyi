# Made by tools/make_stubs.py from the table in __init__.py.
from .entry import train_network as train_network
from .settings import (
    PoseLengthSettings as PoseLengthSettings,
    PoseLossSettings as PoseLossSettings,
    PoseNetworkSettings as PoseNetworkSettings,
    TrainSettings as TrainSettings,
    TrainingDataSettings as TrainingDataSettings,
    TrainingDetectorSettings as TrainingDetectorSettings,
    TrainingImageSettings as TrainingImageSettings,
    TrainingPoseSettings as TrainingPoseSettings,
)
