"""Differentiable X-ray rendering and simulation from CT.

Public names load on first use, so that `import xraykit.render` (and with it `xraykit --help`) stays free of torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .attenuation import Attenuation as Attenuation
    from .camera import Camera as Camera
    from .carm import VIEWS as VIEWS
    from .carm import CarmAngles as CarmAngles
    from .carm import View as View
    from .carm import carm_angles as carm_angles
    from .carm import carm_parameters as carm_parameters
    from .carm import carm_pose as carm_pose
    from .errors import BackendUnavailableError as BackendUnavailableError
    from .errors import FileError as FileError
    from .errors import GeometryError as GeometryError
    from .errors import InputError as InputError
    from .errors import OutputError as OutputError
    from .errors import XraykitError as XraykitError
    from .files.describe_radiograph import describe_radiograph as describe_radiograph
    from .files.radiographs import read_radiograph as read_radiograph
    from .files.save_image import check_writable as check_writable
    from .files.save_image import save_image as save_image
    from .intrinsics import camera_from_intrinsic as camera_from_intrinsic
    from .intrinsics import crop_camera as crop_camera
    from .intrinsics import homography as homography
    from .intrinsics import intrinsic_matrix as intrinsic_matrix
    from .intrinsics import resample as resample
    from .intrinsics import rescale_camera as rescale_camera
    from .intrinsics import resize_camera as resize_camera
    from .projection import Projection as Projection
    from .projection import back_project as back_project
    from .projection import pixel_centers as pixel_centers
    from .projection import pixel_rays as pixel_rays
    from .projection import project as project
    from .radiograph import Origin as Origin
    from .radiograph import Radiograph as Radiograph
    from .rigid import check_pose as check_pose
    from .rigid import compose as compose
    from .rigid import geodesic_distance as geodesic_distance
    from .rigid import rigid_inverse as rigid_inverse
    from .rigid import rigid_matrix as rigid_matrix
    from .rigid import se3_exp as se3_exp
    from .rigid import se3_log as se3_log
    from .rigid import transform_points as transform_points
    from .rotations import PARAMETERIZATIONS as PARAMETERIZATIONS
    from .rotations import parameters_from as parameters_from
    from .rotations import rotation_about as rotation_about
    from .rotations import rotation_angle as rotation_angle
    from .rotations import rotation_from as rotation_from
    from .volume import Volume as Volume

_HOME = {
    "Attenuation": "attenuation",
    "BackendUnavailableError": "errors",
    "Camera": "camera",
    "CarmAngles": "carm",
    "FileError": "errors",
    "GeometryError": "errors",
    "InputError": "errors",
    "Origin": "radiograph",
    "OutputError": "errors",
    "PARAMETERIZATIONS": "rotations",
    "Projection": "projection",
    "Radiograph": "radiograph",
    "VIEWS": "carm",
    "View": "carm",
    "Volume": "volume",
    "XraykitError": "errors",
    "back_project": "projection",
    "camera_from_intrinsic": "intrinsics",
    "carm_angles": "carm",
    "carm_parameters": "carm",
    "carm_pose": "carm",
    "check_pose": "rigid",
    "check_writable": "files.save_image",
    "compose": "rigid",
    "crop_camera": "intrinsics",
    "describe_radiograph": "files.describe_radiograph",
    "geodesic_distance": "rigid",
    "homography": "intrinsics",
    "intrinsic_matrix": "intrinsics",
    "parameters_from": "rotations",
    "pixel_centers": "projection",
    "pixel_rays": "projection",
    "project": "projection",
    "read_radiograph": "files.radiographs",
    "resample": "intrinsics",
    "rescale_camera": "intrinsics",
    "resize_camera": "intrinsics",
    "rigid_inverse": "rigid",
    "rigid_matrix": "rigid",
    "rotation_about": "rotations",
    "rotation_angle": "rotations",
    "rotation_from": "rotations",
    "save_image": "files.save_image",
    "se3_exp": "rigid",
    "se3_log": "rigid",
    "transform_points": "rigid",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
