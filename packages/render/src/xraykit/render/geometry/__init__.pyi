# Made by tools/make_stubs.py from the table in __init__.py.
from .arrays import tensor_of as tensor_of
from .camera import Camera as Camera
from .carm import (
    CarmAngles as CarmAngles,
    VIEWS as VIEWS,
    View as View,
    carm_angles as carm_angles,
    carm_parameters as carm_parameters,
    carm_pose as carm_pose,
)
from .frames import (
    affine_from_itk as affine_from_itk,
    affine_to_itk as affine_to_itk,
    box_corners as box_corners,
    swap_ras_lps_points as swap_ras_lps_points,
    swap_ras_lps_pose as swap_ras_lps_pose,
    swap_ras_lps_transform as swap_ras_lps_transform,
    voxel_to_world as voxel_to_world,
    world_to_voxel as world_to_voxel,
)
from .intrinsics import (
    camera_from_intrinsic as camera_from_intrinsic,
    crop_camera as crop_camera,
    homography as homography,
    intrinsic_matrix as intrinsic_matrix,
    resample as resample,
    rescale_camera as rescale_camera,
    resize_camera as resize_camera,
)
from .plausible_camera import camera_doubts as camera_doubts
from .projection import (
    Projection as Projection,
    back_project as back_project,
    pixel_centers as pixel_centers,
    pixel_rays as pixel_rays,
    project as project,
)
from .rigid import (
    check_pose as check_pose,
    compose as compose,
    geodesic_distance as geodesic_distance,
    rigid_inverse as rigid_inverse,
    rigid_matrix as rigid_matrix,
    se3_exp as se3_exp,
    se3_log as se3_log,
    transform_points as transform_points,
)
from .rotations import (
    PARAMETERIZATIONS as PARAMETERIZATIONS,
    nearest_rotation as nearest_rotation,
    parameters_from as parameters_from,
    rotation_about as rotation_about,
    rotation_angle as rotation_angle,
    rotation_from as rotation_from,
)
from .torch_modes import (
    differentiating as differentiating,
    full_precision as full_precision,
)
