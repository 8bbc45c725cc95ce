"""Radiographic views: standard ones as data, resolved on any labelled volume; random ones; published pose ranges."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "catalogue": "STANDARD_VIEWS",
        "definition": "StandardView",
        "planning": "applicable_views standard_view view_obstacles ViewPlan",
        "pose_ranges": "POSE_RANGES PoseRange sample_pose",
        "random_directions": "orbit_view random_view",
    },
)
