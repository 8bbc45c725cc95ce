"""Differentiable X-ray rendering and simulation from CT.

Public names load on first use, so that `import xraykit.render` (and with it `xraykit --help`) stays free of torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .attenuation import Attenuation as Attenuation
    from .attenuation import DiffDRRDensity as DiffDRRDensity
    from .attenuation import MRPassthrough as MRPassthrough
    from .backends import explain_backend as explain_backend
    from .camera import Camera as Camera
    from .carm import VIEWS as VIEWS
    from .carm import CarmAngles as CarmAngles
    from .carm import View as View
    from .carm import carm_angles as carm_angles
    from .carm import carm_parameters as carm_parameters
    from .carm import carm_pose as carm_pose
    from .converters.deepdrr import DeepDRRView as DeepDRRView
    from .converters.deepdrr import from_deepdrr as from_deepdrr
    from .converters.deepdrr import to_deepdrr as to_deepdrr
    from .converters.deepfluoro import DeepFluoroView as DeepFluoroView
    from .converters.deepfluoro import from_deepfluoro as from_deepfluoro
    from .converters.deepfluoro import to_deepfluoro as to_deepfluoro
    from .converters.dicom import from_dicom_tags as from_dicom_tags
    from .converters.dicom import to_dicom_tags as to_dicom_tags
    from .converters.diffdrr import DiffDRRView as DiffDRRView
    from .converters.diffdrr import diffdrr_extrinsic as diffdrr_extrinsic
    from .converters.diffdrr import diffdrr_parameters as diffdrr_parameters
    from .converters.diffdrr import from_diffdrr as from_diffdrr
    from .converters.diffdrr import to_diffdrr as to_diffdrr
    from .converters.itk import read_itk_transform as read_itk_transform
    from .converters.itk import write_itk_transform as write_itk_transform
    from .converters.nanodrr import NanoDRRView as NanoDRRView
    from .converters.nanodrr import from_nanodrr as from_nanodrr
    from .converters.nanodrr import to_nanodrr as to_nanodrr
    from .converters.pinhole import PeerView as PeerView
    from .converters.projection_matrix import from_projection_matrix as from_projection_matrix
    from .converters.projection_matrix import to_projection_matrix as to_projection_matrix
    from .converters.rtk import RTKProjection as RTKProjection
    from .converters.rtk import from_rtk as from_rtk
    from .converters.rtk import to_rtk as to_rtk
    from .displacement import displaced as displaced
    from .displacement import volume_field as volume_field
    from .errors import BackendUnavailableError as BackendUnavailableError
    from .errors import FileError as FileError
    from .errors import GeometryError as GeometryError
    from .errors import InputError as InputError
    from .errors import OutputError as OutputError
    from .errors import XraykitError as XraykitError
    from .files.coco import coco_record as coco_record
    from .files.coco import write_coco as write_coco
    from .files.describe_radiograph import describe_radiograph as describe_radiograph
    from .files.describe_volume import describe_volume as describe_volume
    from .files.dicom_seg import write_dicom_seg as write_dicom_seg
    from .files.meshes import read_mesh as read_mesh
    from .files.pose_json import read_pose as read_pose
    from .files.pose_json import write_pose as write_pose
    from .files.radiographs import read_radiograph as read_radiograph
    from .files.save_image import check_writable as check_writable
    from .files.save_image import save_image as save_image
    from .files.save_simulation import save_simulation as save_simulation
    from .files.scene_yaml import read_scene as read_scene
    from .files.scene_yaml import write_scene as write_scene
    from .files.write_volume import write_volume as write_volume
    from .frames import affine_from_itk as affine_from_itk
    from .frames import affine_to_itk as affine_to_itk
    from .frames import box_corners as box_corners
    from .frames import swap_ras_lps_points as swap_ras_lps_points
    from .frames import swap_ras_lps_pose as swap_ras_lps_pose
    from .frames import swap_ras_lps_transform as swap_ras_lps_transform
    from .frames import voxel_to_world as voxel_to_world
    from .frames import world_to_voxel as world_to_voxel
    from .instruments import INSTRUMENTS as INSTRUMENTS
    from .instruments import instrument as instrument
    from .intrinsics import camera_from_intrinsic as camera_from_intrinsic
    from .intrinsics import crop_camera as crop_camera
    from .intrinsics import homography as homography
    from .intrinsics import intrinsic_matrix as intrinsic_matrix
    from .intrinsics import resample as resample
    from .intrinsics import rescale_camera as rescale_camera
    from .intrinsics import resize_camera as resize_camera
    from .label_names import find_labels as find_labels
    from .label_names import label_table as label_table
    from .landmarks import Landmarks as Landmarks
    from .landmarks import label_centroids as label_centroids
    from .landmarks import project_landmarks as project_landmarks
    from .masks import MaskSet as MaskSet
    from .masks import path_lengths as path_lengths
    from .masks import scene_masks as scene_masks
    from .materials import MATERIALS as MATERIALS
    from .materials import Material as Material
    from .materials import find_material as find_material
    from .mesh import Mesh as Mesh
    from .mesh_checks import self_intersections as self_intersections
    from .mesh_thickness import thickness as thickness
    from .phantom import Box as Box
    from .phantom import Cylinder as Cylinder
    from .phantom import Ellipsoid as Ellipsoid
    from .phantom import line_integrals as line_integrals
    from .phantom import voxelise as voxelise
    from .physics.area_density import MaterialVolume as MaterialVolume
    from .physics.area_density import area_densities as area_densities
    from .physics.beam import CircularShutter as CircularShutter
    from .physics.beam import PolygonalShutter as PolygonalShutter
    from .physics.beam import RectangularShutter as RectangularShutter
    from .physics.beam import heel_effect as heel_effect
    from .physics.beam import illumination as illumination
    from .physics.beam import shutter_mask as shutter_mask
    from .physics.detector import Detector as Detector
    from .physics.detector import blur_image as blur_image
    from .physics.detector import detected_quanta as detected_quanta
    from .physics.noise import add_quantum_noise as add_quantum_noise
    from .physics.noise import add_readout_noise as add_readout_noise
    from .physics.noise import quanta_behind as quanta_behind
    from .physics.scatter import ScatterKernel as ScatterKernel
    from .physics.scatter import estimate_scatter as estimate_scatter
    from .physics.spectrum import MonochromaticSpectrum as MonochromaticSpectrum
    from .physics.spectrum import Spectrum as Spectrum
    from .physics.spectrum import half_value_layer as half_value_layer
    from .physics.spectrum import mean_energy as mean_energy
    from .physics.spectrum import photons_per_pixel as photons_per_pixel
    from .physics.tissue import TissueLaw as TissueLaw
    from .physics.transmission import transmission as transmission
    from .pictures import montage as montage
    from .pictures import overlay as overlay
    from .pictures import save_png as save_png
    from .pictures import to_grey as to_grey
    from .plot import explain_geometry as explain_geometry
    from .plot import plot_xray as plot_xray
    from .projection import Projection as Projection
    from .projection import back_project as back_project
    from .projection import pixel_centers as pixel_centers
    from .projection import pixel_rays as pixel_rays
    from .projection import project as project
    from .radiograph import Origin as Origin
    from .radiograph import Radiograph as Radiograph
    from .rendering import label_bits as label_bits
    from .rendering import label_masks as label_masks
    from .rendering import render as render
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
    from .scene import Body as Body
    from .scene import PlacedTool as PlacedTool
    from .scene import Scene as Scene
    from .scene import tool_pose as tool_pose
    from .simulation import Simulation as Simulation
    from .simulation import simulate as simulate
    from .simulation_settings import BeamSettings as BeamSettings
    from .simulation_settings import DoseSettings as DoseSettings
    from .simulation_settings import MarchSettings as MarchSettings
    from .simulation_settings import ScatterSettings as ScatterSettings
    from .simulation_settings import SimulationSettings as SimulationSettings
    from .tool_library import ToolLibrary as ToolLibrary
    from .tool_library import read_tool_library as read_tool_library
    from .torso_volume import torso as torso
    from .view.server import start_viewer as start_viewer
    from .view.state import ViewerState as ViewerState
    from .volume import Volume as Volume

_HOME = {
    "Attenuation": "attenuation",
    "BackendUnavailableError": "errors",
    "BeamSettings": "simulation_settings",
    "Body": "scene",
    "Box": "phantom",
    "Camera": "camera",
    "CarmAngles": "carm",
    "CircularShutter": "physics.beam",
    "Cylinder": "phantom",
    "DeepDRRView": "converters.deepdrr",
    "DeepFluoroView": "converters.deepfluoro",
    "Detector": "physics.detector",
    "DiffDRRDensity": "attenuation",
    "DiffDRRView": "converters.diffdrr",
    "DoseSettings": "simulation_settings",
    "Ellipsoid": "phantom",
    "FileError": "errors",
    "GeometryError": "errors",
    "INSTRUMENTS": "instruments",
    "InputError": "errors",
    "Landmarks": "landmarks",
    "MATERIALS": "materials",
    "MRPassthrough": "attenuation",
    "MarchSettings": "simulation_settings",
    "MaskSet": "masks",
    "Material": "materials",
    "MaterialVolume": "physics.area_density",
    "Mesh": "mesh",
    "MonochromaticSpectrum": "physics.spectrum",
    "NanoDRRView": "converters.nanodrr",
    "Origin": "radiograph",
    "OutputError": "errors",
    "PARAMETERIZATIONS": "rotations",
    "PeerView": "converters.pinhole",
    "PlacedTool": "scene",
    "PolygonalShutter": "physics.beam",
    "Projection": "projection",
    "RTKProjection": "converters.rtk",
    "Radiograph": "radiograph",
    "RectangularShutter": "physics.beam",
    "ScatterKernel": "physics.scatter",
    "ScatterSettings": "simulation_settings",
    "Scene": "scene",
    "Simulation": "simulation",
    "SimulationSettings": "simulation_settings",
    "Spectrum": "physics.spectrum",
    "TissueLaw": "physics.tissue",
    "ToolLibrary": "tool_library",
    "VIEWS": "carm",
    "View": "carm",
    "ViewerState": "view.state",
    "Volume": "volume",
    "XraykitError": "errors",
    "add_quantum_noise": "physics.noise",
    "add_readout_noise": "physics.noise",
    "affine_from_itk": "frames",
    "affine_to_itk": "frames",
    "area_densities": "physics.area_density",
    "back_project": "projection",
    "blur_image": "physics.detector",
    "box_corners": "frames",
    "camera_from_intrinsic": "intrinsics",
    "carm_angles": "carm",
    "carm_parameters": "carm",
    "carm_pose": "carm",
    "check_pose": "rigid",
    "check_writable": "files.save_image",
    "coco_record": "files.coco",
    "compose": "rigid",
    "crop_camera": "intrinsics",
    "describe_radiograph": "files.describe_radiograph",
    "describe_volume": "files.describe_volume",
    "detected_quanta": "physics.detector",
    "diffdrr_extrinsic": "converters.diffdrr",
    "diffdrr_parameters": "converters.diffdrr",
    "displaced": "displacement",
    "estimate_scatter": "physics.scatter",
    "explain_backend": "backends",
    "explain_geometry": "plot",
    "find_labels": "label_names",
    "find_material": "materials",
    "from_deepdrr": "converters.deepdrr",
    "from_deepfluoro": "converters.deepfluoro",
    "from_dicom_tags": "converters.dicom",
    "from_diffdrr": "converters.diffdrr",
    "from_nanodrr": "converters.nanodrr",
    "from_projection_matrix": "converters.projection_matrix",
    "from_rtk": "converters.rtk",
    "geodesic_distance": "rigid",
    "half_value_layer": "physics.spectrum",
    "heel_effect": "physics.beam",
    "homography": "intrinsics",
    "illumination": "physics.beam",
    "instrument": "instruments",
    "intrinsic_matrix": "intrinsics",
    "label_bits": "rendering",
    "label_centroids": "landmarks",
    "label_masks": "rendering",
    "label_table": "label_names",
    "line_integrals": "phantom",
    "mean_energy": "physics.spectrum",
    "montage": "pictures",
    "overlay": "pictures",
    "parameters_from": "rotations",
    "path_lengths": "masks",
    "photons_per_pixel": "physics.spectrum",
    "pixel_centers": "projection",
    "pixel_rays": "projection",
    "plot_xray": "plot",
    "project": "projection",
    "project_landmarks": "landmarks",
    "quanta_behind": "physics.noise",
    "read_itk_transform": "converters.itk",
    "read_mesh": "files.meshes",
    "read_pose": "files.pose_json",
    "read_radiograph": "files.radiographs",
    "read_scene": "files.scene_yaml",
    "read_tool_library": "tool_library",
    "render": "rendering",
    "resample": "intrinsics",
    "rescale_camera": "intrinsics",
    "resize_camera": "intrinsics",
    "rigid_inverse": "rigid",
    "rigid_matrix": "rigid",
    "rotation_about": "rotations",
    "rotation_angle": "rotations",
    "rotation_from": "rotations",
    "save_image": "files.save_image",
    "save_png": "pictures",
    "save_simulation": "files.save_simulation",
    "scene_masks": "masks",
    "se3_exp": "rigid",
    "se3_log": "rigid",
    "self_intersections": "mesh_checks",
    "shutter_mask": "physics.beam",
    "simulate": "simulation",
    "start_viewer": "view.server",
    "swap_ras_lps_points": "frames",
    "swap_ras_lps_pose": "frames",
    "swap_ras_lps_transform": "frames",
    "thickness": "mesh_thickness",
    "to_deepdrr": "converters.deepdrr",
    "to_deepfluoro": "converters.deepfluoro",
    "to_dicom_tags": "converters.dicom",
    "to_diffdrr": "converters.diffdrr",
    "to_grey": "pictures",
    "to_nanodrr": "converters.nanodrr",
    "to_projection_matrix": "converters.projection_matrix",
    "to_rtk": "converters.rtk",
    "tool_pose": "scene",
    "torso": "torso_volume",
    "transform_points": "rigid",
    "transmission": "physics.transmission",
    "volume_field": "displacement",
    "voxel_to_world": "frames",
    "voxelise": "phantom",
    "world_to_voxel": "frames",
    "write_coco": "files.coco",
    "write_dicom_seg": "files.dicom_seg",
    "write_itk_transform": "converters.itk",
    "write_pose": "files.pose_json",
    "write_scene": "files.scene_yaml",
    "write_volume": "files.write_volume",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
