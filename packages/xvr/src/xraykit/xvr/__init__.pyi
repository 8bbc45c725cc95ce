"""The public names for type checkers; `__init__.py` loads them lazily at run time."""

from .evaluate.metrics import PoseErrors as PoseErrors
from .evaluate.metrics import dgeo as dgeo
from .evaluate.metrics import mpe as mpe
from .evaluate.metrics import mrpe as mrpe
from .evaluate.metrics import mtre_c2w as mtre_c2w
from .evaluate.metrics import pose_errors as pose_errors
from .evaluate.metrics import success_rate as success_rate
from .evaluate.metrics import true_tre as true_tre
from .start_errors import StartErrors as StartErrors
from .start_errors import displaced_pose as displaced_pose

__all__: list[str]
