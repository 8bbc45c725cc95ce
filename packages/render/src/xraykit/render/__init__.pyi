# Made by tools/make_stubs.py from the table in __init__.py.
from .dataset.make.job import make_dataset as make_dataset
from .dataset.plan.config_file import read_dataset_config as read_dataset_config
from .dataset.read.dataset import XrayDataset as XrayDataset
from .dataset.read.loader import XrayLoader as XrayLoader
from .errors import (
    BackendUnavailableError as BackendUnavailableError,
    FileError as FileError,
    GeometryError as GeometryError,
    InputError as InputError,
    OutputError as OutputError,
    XraykitError as XraykitError,
)
from .files.meshes import read_mesh as read_mesh
from .files.pose_json import (
    read_pose as read_pose,
    write_pose as write_pose,
)
from .files.write import write_volume as write_volume
from .geometry.camera import Camera as Camera
from .geometry.carm import carm_pose as carm_pose
from .meshes.instruments import instrument as instrument
from .meshes.mesh import Mesh as Mesh
from .patient.generate import (
    Patient as Patient,
    PatientSettings as PatientSettings,
    generate_patient as generate_patient,
)
from .patient.standard_torso import torso as torso
from .physics.spectrum import Spectrum as Spectrum
from .pictures.plot import plot_xray as plot_xray
from .radiographs.radiograph import Radiograph as Radiograph
from .radiographs.read import read_radiograph as read_radiograph
from .radiographs.save import save_image as save_image
from .rendering.backends import explain_backend as explain_backend
from .rendering.jacobian import render_jacobian as render_jacobian
from .rendering.rendering import (
    label_masks as label_masks,
    render as render,
)
from .scenes.save import save_simulation as save_simulation
from .scenes.scene_yaml import read_scene as read_scene
from .simulation.scene import (
    PlacedTool as PlacedTool,
    Scene as Scene,
)
from .simulation.settings import SimulationSettings as SimulationSettings
from .simulation.simulation import (
    Simulation as Simulation,
    simulate as simulate,
)
from .views.planning import (
    applicable_views as applicable_views,
    standard_view as standard_view,
)
from .views.random_directions import random_view as random_view
from .volumes.landmarks import (
    Landmarks as Landmarks,
    project_landmarks as project_landmarks,
)
from .volumes.volume import Volume as Volume
