"""Where a registration begins: candidate poses (S, V, 4, 4) from tags, angles, results, landmarks or a search."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "candidates": "distinct_starts joined_starts spread_to_views",
        "coarse_search": "SearchSettings starts_from_search",
        "dicom_tags": "starts_from_dicom",
        "earlier_result": "starts_from_result",
        "fixed": "starts_from_angles starts_from_pose_files starts_from_views",
        "given": "GivenStarts",
        "landmarks": "joint_landmark_pose joint_starts_from_landmarks landmark_pose LandmarkPose starts_from_landmarks",
        "settings": "LandmarkStart NetworkStart SearchStart StartSettings StatedStart",
        "slicer_markups": "read_image_points read_world_points",
        "spread": "spread_starts",
        "start_errors": "displaced_pose StartErrors",
    },
)
