# Made by tools/make_stubs.py from the table in __init__.py.
from .scene import (
    Body as Body,
)
from .scene import (
    PlacedTool as PlacedTool,
)
from .scene import (
    Scene as Scene,
)
from .scene import (
    tool_pose as tool_pose,
)
from .settings import (
    BeamSettings as BeamSettings,
)
from .settings import (
    DoseSettings as DoseSettings,
)
from .settings import (
    MarchSettings as MarchSettings,
)
from .settings import (
    ScatterSettings as ScatterSettings,
)
from .settings import (
    SimulationSettings as SimulationSettings,
)
from .simulation import (
    Simulation as Simulation,
)
from .simulation import (
    simulate as simulate,
)
