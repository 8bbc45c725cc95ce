"""Bodies followed through the frames of a cine run: poses over time, their motion to each other, plots and a video."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "file_tracking": "track_files TrackResult",
        "following": "CineFrame track",
        "groups": "BodyGroup GroupFit ImplantGroup StructureGroup",
        "knee": "BoneAxes joint_coordinates JointCoordinates KneeAxes",
        "journal": "read_track",
        "prediction": "predicted",
        "relative": "read_knee relative_motions RelativeMotion",
        "result": "Track TrackedFrame",
        "screw": "finite_screw FiniteScrew",
        "settings": "CineSettings TrackingSettings TrackOutputSettings TrackSettings",
        "smoothing": "smoothed_poses",
        "tables": "write_motion write_poses",
        "video": "write_video",
    },
)
