# Made by tools/make_stubs.py from the table in __init__.py.
from .camera import Camera as Camera
from .carm import (
    VIEWS as VIEWS,
)
from .carm import (
    CarmAngles as CarmAngles,
)
from .carm import (
    View as View,
)
from .carm import (
    carm_angles as carm_angles,
)
from .carm import (
    carm_parameters as carm_parameters,
)
from .carm import (
    carm_pose as carm_pose,
)
from .frames import (
    affine_from_itk as affine_from_itk,
)
from .frames import (
    affine_to_itk as affine_to_itk,
)
from .frames import (
    box_corners as box_corners,
)
from .frames import (
    swap_ras_lps_points as swap_ras_lps_points,
)
from .frames import (
    swap_ras_lps_pose as swap_ras_lps_pose,
)
from .frames import (
    swap_ras_lps_transform as swap_ras_lps_transform,
)
from .frames import (
    voxel_to_world as voxel_to_world,
)
from .frames import (
    world_to_voxel as world_to_voxel,
)
from .intrinsics import (
    camera_from_intrinsic as camera_from_intrinsic,
)
from .intrinsics import (
    crop_camera as crop_camera,
)
from .intrinsics import (
    homography as homography,
)
from .intrinsics import (
    intrinsic_matrix as intrinsic_matrix,
)
from .intrinsics import (
    resample as resample,
)
from .intrinsics import (
    rescale_camera as rescale_camera,
)
from .intrinsics import (
    resize_camera as resize_camera,
)
from .projection import (
    Projection as Projection,
)
from .projection import (
    back_project as back_project,
)
from .projection import (
    pixel_centers as pixel_centers,
)
from .projection import (
    pixel_rays as pixel_rays,
)
from .projection import (
    project as project,
)
from .rigid import (
    check_pose as check_pose,
)
from .rigid import (
    compose as compose,
)
from .rigid import (
    geodesic_distance as geodesic_distance,
)
from .rigid import (
    rigid_inverse as rigid_inverse,
)
from .rigid import (
    rigid_matrix as rigid_matrix,
)
from .rigid import (
    se3_exp as se3_exp,
)
from .rigid import (
    se3_log as se3_log,
)
from .rigid import (
    transform_points as transform_points,
)
from .rotations import (
    PARAMETERIZATIONS as PARAMETERIZATIONS,
)
from .rotations import (
    parameters_from as parameters_from,
)
from .rotations import (
    rotation_about as rotation_about,
)
from .rotations import (
    rotation_angle as rotation_angle,
)
from .rotations import (
    rotation_from as rotation_from,
)
