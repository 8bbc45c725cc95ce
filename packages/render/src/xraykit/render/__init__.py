"""Differentiable X-ray rendering and simulation from CT.

The names of a first page; each folder (`xraykit.render.geometry`, `.physics`, ...) exports the rest of its own. All
load on first use, so that `import xraykit.render` (and with it `xraykit --help`) stays free of torch.
"""

from . import pickling as _pickling  # noqa: F401  a rule of copyreg, before any value is made
from .lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "dataset.make.job": "make_dataset",
        "dataset.plan.config_file": "read_dataset_config",
        "dataset.read.dataset": "XrayDataset",
        "dataset.read.loader": "XrayLoader",
        "errors": "BackendUnavailableError FileError GeometryError InputError OutputError XraykitError",
        "files.meshes": "read_mesh",
        "files.pose_json": "read_pose write_pose",
        "files.write": "write_volume",
        "geometry.camera": "Camera",
        "geometry.carm": "carm_pose",
        "meshes.instruments": "instrument",
        "meshes.mesh": "Mesh",
        "patient.generate": "generate_patient Patient PatientSettings",
        "patient.standard_torso": "torso",
        "physics.spectrum": "Spectrum",
        "pictures.plot": "plot_xray",
        "radiographs.radiograph": "Radiograph",
        "radiographs.read": "read_radiograph",
        "radiographs.save": "save_image",
        "rendering.backends": "explain_backend",
        "rendering.jacobian": "render_jacobian",
        "rendering.rendering": "label_masks render",
        "scenes.save": "save_simulation",
        "scenes.scene_yaml": "read_scene",
        "simulation.scene": "PlacedTool Scene",
        "simulation.settings": "SimulationSettings",
        "simulation.simulation": "simulate Simulation",
        "views.planning": "applicable_views standard_view",
        "views.random_directions": "random_view",
        "volumes.landmarks": "Landmarks project_landmarks",
        "volumes.volume": "Volume",
    },
)
