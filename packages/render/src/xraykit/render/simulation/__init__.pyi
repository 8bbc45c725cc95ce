# Made by tools/make_stubs.py from the table in __init__.py.
from .scene import (
    Body as Body,
    PlacedTool as PlacedTool,
    Scene as Scene,
    tool_pose as tool_pose,
)
from .settings import (
    BeamSettings as BeamSettings,
    DoseSettings as DoseSettings,
    MarchSettings as MarchSettings,
    ScatterSettings as ScatterSettings,
    SimulationSettings as SimulationSettings,
)
from .simulation import (
    Simulation as Simulation,
    simulate as simulate,
)
