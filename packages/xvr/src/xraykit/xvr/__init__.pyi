"""The public names for type checkers; `__init__.py` loads them lazily at run time."""

from .anatomy import Anatomy as Anatomy
from .anatomy import structure_of as structure_of
from .evaluate.metrics import PoseErrors as PoseErrors
from .evaluate.metrics import dgeo as dgeo
from .evaluate.metrics import mpe as mpe
from .evaluate.metrics import mrpe as mrpe
from .evaluate.metrics import mtre_c2w as mtre_c2w
from .evaluate.metrics import pose_errors as pose_errors
from .evaluate.metrics import success_rate as success_rate
from .evaluate.metrics import true_tre as true_tre
from .network.canonical import canonical_camera as canonical_camera
from .network.canonical import canonical_image as canonical_image
from .network.frame import NetworkFrame as NetworkFrame
from .network.pose_network import PoseNetwork as PoseNetwork
from .network.predict import antipode as antipode
from .network.predict import predict_poses as predict_poses
from .network.preprocess import network_input as network_input
from .network.published import read_published as read_published
from .network.weights import load_network as load_network
from .network.weights import save_network as save_network
from .registration import Candidate as Candidate
from .registration import Registration as Registration
from .registration import RegistrationSettings as RegistrationSettings
from .registration import Step as Step
from .registration import register as register
from .shot import Shot as Shot
from .similarity import gradient_ncc as gradient_ncc
from .similarity import mncc as mncc
from .similarity import ncc as ncc
from .similarity import patch_ncc as patch_ncc
from .start_errors import StartErrors as StartErrors
from .start_errors import displaced_pose as displaced_pose
from .template.alignment import Alignment as Alignment
from .template.alignment import align_to_template as align_to_template
from .template.check_picture import alignment_picture as alignment_picture
from .template.settings import AlignmentSettings as AlignmentSettings
from .template.warp import read_warp as read_warp
from .template.warp import rigid_part as rigid_part
from .template.warp import write_warp as write_warp

__all__: list[str]
