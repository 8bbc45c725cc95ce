"""Where things are: the detector's plane, and what geometry every function asks of its arguments."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "camera": "Camera",
        "carm": "carm_angles carm_parameters carm_pose CarmAngles View VIEWS",
        "frames": "affine_from_itk affine_to_itk box_corners swap_ras_lps_points swap_ras_lps_pose"
        " swap_ras_lps_transform voxel_to_world world_to_voxel",
        "intrinsics": "camera_from_intrinsic crop_camera homography intrinsic_matrix resample rescale_camera"
        " resize_camera",
        "plausible_camera": "camera_doubts",
        "projection": "back_project pixel_centers pixel_rays project Projection",
        "rigid": "check_pose compose geodesic_distance rigid_inverse rigid_matrix se3_exp se3_log transform_points",
        "rotations": "nearest_rotation PARAMETERIZATIONS parameters_from rotation_about rotation_angle rotation_from",
        "arrays": "tensor_of",
        "torch_modes": "differentiating full_precision",
    },
)
