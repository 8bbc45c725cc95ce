"""A scene and how it is X-rayed."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "scene": "Body PlacedTool Scene tool_pose",
        "settings": "BeamSettings DoseSettings MarchSettings ScatterSettings SimulationSettings",
        "simulation": "simulate Simulation",
    },
)
