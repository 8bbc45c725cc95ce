"""Differentiable X-ray rendering and simulation from CT.

Public names load on first use, so that `import xraykit.render` (and with it `xraykit --help`) stays free of torch.
Type checkers read the same list in `__init__.pyi`; tests/repo/test_public_names.py compares the two.
"""

from importlib import import_module

_PUBLIC = {
    "attenuation": "Attenuation DiffDRRDensity MRPassthrough",
    "backends": "explain_backend",
    "camera": "Camera",
    "carm": "carm_angles carm_parameters carm_pose CarmAngles View VIEWS",
    "converters.deepdrr": "DeepDRRView from_deepdrr to_deepdrr",
    "converters.deepfluoro": "DeepFluoroView from_deepfluoro to_deepfluoro",
    "converters.dicom": "from_dicom_tags to_dicom_tags",
    "converters.diffdrr": "diffdrr_extrinsic diffdrr_parameters DiffDRRView from_diffdrr to_diffdrr",
    "converters.itk": "read_itk_transform write_itk_transform",
    "converters.nanodrr": "from_nanodrr NanoDRRView to_nanodrr",
    "converters.pinhole": "PeerView",
    "converters.projection_matrix": "from_projection_matrix to_projection_matrix",
    "converters.rtk": "from_rtk RTKProjection to_rtk",
    "dataset.check": "check_dataset DatasetCheck",
    "dataset.config": "CTPatients DatasetConfig PhysicsSettings ProceduralPatients ToolSettings ViewSettings",
    "dataset.config_file": "read_dataset_config",
    "dataset.job": "DatasetSummary make_dataset",
    "dataset.reader": "XrayDataset",
    "dataset.reader_loader": "XrayLoader",
    "dataset.reader_order": "ReadingOrder",
    "dataset.report": "dataset_report DatasetReport",
    "dataset.samples": "XraySample",
    "displacement": "displaced volume_field",
    "errors": "BackendUnavailableError FileError GeometryError InputError OutputError XraykitError",
    "files.atomic_write": "check_result_folder write_atomically",
    "files.coco": "coco_record write_coco",
    "files.describe_radiograph": "describe_radiograph",
    "files.describe_volume": "describe_volume",
    "files.dicom_seg": "write_dicom_seg",
    "files.meshes": "read_mesh",
    "files.pose_json": "read_pose write_pose",
    "files.radiographs": "read_radiograph",
    "files.save_image": "check_writable save_image",
    "files.save_simulation": "save_simulation",
    "files.scene_yaml": "read_scene write_scene",
    "files.write_volume": "write_volume",
    "frames": "affine_from_itk affine_to_itk box_corners swap_ras_lps_points swap_ras_lps_pose"
    " swap_ras_lps_transform voxel_to_world world_to_voxel",
    "instruments": "instrument INSTRUMENTS",
    "intrinsics": "camera_from_intrinsic crop_camera homography intrinsic_matrix resample rescale_camera resize_camera",
    "label_names": "find_labels label_table",
    "landmarks": "label_centroids Landmarks project_landmarks",
    "masks": "MaskSet path_lengths scene_masks",
    "materials": "find_material Material MATERIALS",
    "mesh": "Mesh",
    "mesh_checks": "self_intersections",
    "mesh_thickness": "thickness",
    "patient.findings": "FindingSettings",
    "patient.generate": "generate_patient Patient PatientSettings",
    "patient.regions": "REGIONS",
    "phantom": "Box Cylinder Ellipsoid line_integrals voxelise",
    "physics.area_density": "area_densities MaterialVolume",
    "physics.beam": "CircularShutter heel_effect illumination PolygonalShutter RectangularShutter shutter_mask",
    "physics.detector": "blur_image detected_quanta Detector",
    "physics.noise": "add_quantum_noise add_readout_noise quanta_behind",
    "physics.scatter": "estimate_scatter ScatterKernel",
    "physics.spectrum": "half_value_layer mean_energy MonochromaticSpectrum photons_per_pixel Spectrum",
    "physics.tissue": "TissueLaw",
    "physics.transmission": "transmission",
    "pictures": "montage overlay save_png to_grey",
    "plot": "explain_geometry plot_xray",
    "pose_jacobian": "ImageJacobian render_jacobian",
    "projection": "back_project pixel_centers pixel_rays project Projection",
    "radiograph": "Origin Radiograph",
    "rendering": "label_bits label_masks render",
    "rigid": "check_pose compose geodesic_distance rigid_inverse rigid_matrix se3_exp se3_log transform_points",
    "rotations": "PARAMETERIZATIONS parameters_from rotation_about rotation_angle rotation_from",
    "scene": "Body PlacedTool Scene tool_pose",
    "simulation": "simulate Simulation",
    "simulation_settings": "BeamSettings DoseSettings MarchSettings ScatterSettings SimulationSettings",
    "tool_library": "read_tool_library ToolLibrary",
    "torso_volume": "torso",
    "view.server": "start_viewer",
    "view.state": "ViewerState",
    "views.catalogue": "STANDARD_VIEWS",
    "views.definition": "StandardView",
    "views.planning": "applicable_views standard_view view_obstacles ViewPlan",
    "views.pose_ranges": "POSE_RANGES PoseRange sample_pose",
    "views.random_directions": "random_view",
    "volume": "Volume",
}  # module: its public names
_HOME = {name: module for module, names in _PUBLIC.items() for name in names.split()}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
