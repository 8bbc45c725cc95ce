# Made by tools/make_stubs.py from the table in __init__.py.
from .collapse import (
    CollapseWatch as CollapseWatch,
    collapse_kind as collapse_kind,
)
from .dino_task import DinoTask as DinoTask
from .neighbours import (
    neighbour_accuracy as neighbour_accuracy,
    neighbour_votes as neighbour_votes,
)
from .presets import PRESETS as PRESETS
from .settings import (
    HeadSettings as HeadSettings,
    ObjectiveSettings as ObjectiveSettings,
    OptimizerSettings as OptimizerSettings,
    PretrainSettings as PretrainSettings,
    PretrainedNetworkSettings as PretrainedNetworkSettings,
    PretrainingDataSettings as PretrainingDataSettings,
    PretrainingLengthSettings as PretrainingLengthSettings,
)
