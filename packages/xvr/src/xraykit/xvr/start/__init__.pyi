# Made by tools/make_stubs.py from the table in __init__.py.
from .candidates import (
    distinct_starts as distinct_starts,
    joined_starts as joined_starts,
    spread_to_views as spread_to_views,
)
from .coarse_search import (
    SearchSettings as SearchSettings,
    starts_from_search as starts_from_search,
)
from .dicom_tags import starts_from_dicom as starts_from_dicom
from .earlier_result import starts_from_result as starts_from_result
from .fixed import (
    starts_from_angles as starts_from_angles,
    starts_from_pose_files as starts_from_pose_files,
    starts_from_views as starts_from_views,
)
from .given import GivenStarts as GivenStarts
from .landmarks import (
    LandmarkPose as LandmarkPose,
    joint_landmark_pose as joint_landmark_pose,
    joint_starts_from_landmarks as joint_starts_from_landmarks,
    landmark_pose as landmark_pose,
    starts_from_landmarks as starts_from_landmarks,
)
from .settings import (
    LandmarkStart as LandmarkStart,
    NetworkStart as NetworkStart,
    SearchStart as SearchStart,
    StartSettings as StartSettings,
    StatedStart as StatedStart,
)
from .slicer_markups import (
    read_image_points as read_image_points,
    read_world_points as read_world_points,
)
from .spread import spread_starts as spread_starts
from .start_errors import (
    StartErrors as StartErrors,
    displaced_pose as displaced_pose,
)
