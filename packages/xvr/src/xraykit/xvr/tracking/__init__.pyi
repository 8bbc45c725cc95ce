# Made by tools/make_stubs.py from the table in __init__.py.
from .file_tracking import (
    TrackResult as TrackResult,
    track_files as track_files,
)
from .following import (
    CineFrame as CineFrame,
    track as track,
)
from .groups import (
    BodyGroup as BodyGroup,
    GroupFit as GroupFit,
    ImplantGroup as ImplantGroup,
    StructureGroup as StructureGroup,
)
from .journal import read_track as read_track
from .knee import (
    BoneAxes as BoneAxes,
    JointCoordinates as JointCoordinates,
    KneeAxes as KneeAxes,
    joint_coordinates as joint_coordinates,
)
from .prediction import predicted as predicted
from .relative import (
    RelativeMotion as RelativeMotion,
    read_knee as read_knee,
    relative_motions as relative_motions,
)
from .result import (
    Track as Track,
    TrackedFrame as TrackedFrame,
)
from .screw import (
    FiniteScrew as FiniteScrew,
    finite_screw as finite_screw,
)
from .settings import (
    CineSettings as CineSettings,
    TrackOutputSettings as TrackOutputSettings,
    TrackSettings as TrackSettings,
    TrackingSettings as TrackingSettings,
)
from .smoothing import smoothed_poses as smoothed_poses
from .tables import (
    write_motion as write_motion,
    write_poses as write_poses,
)
from .video import write_video as write_video
