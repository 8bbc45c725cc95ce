# Made by tools/make_stubs.py from the table in __init__.py.
from .catalogue import STANDARD_VIEWS as STANDARD_VIEWS
from .definition import StandardView as StandardView
from .planning import (
    ViewPlan as ViewPlan,
    applicable_views as applicable_views,
    standard_view as standard_view,
    view_obstacles as view_obstacles,
)
from .pose_ranges import (
    POSE_RANGES as POSE_RANGES,
    PoseRange as PoseRange,
    sample_pose as sample_pose,
)
from .random_directions import (
    orbit_view as orbit_view,
    random_view as random_view,
)
