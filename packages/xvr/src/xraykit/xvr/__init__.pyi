# Made by tools/make_stubs.py from the table in __init__.py.
from .bone_registration import register_bones as register_bones
from .evaluate.datasets.opening import open_dataset as open_dataset
from .evaluate.metrics import (
    PoseErrors as PoseErrors,
    pose_errors as pose_errors,
    true_tre as true_tre,
)
from .evaluate.run import run_study as run_study
from .evaluate.study import RegistrationStudy as RegistrationStudy
from .file_registration import register_files as register_files
from .implants.answers import ImplantRegistration as ImplantRegistration
from .implants.implant import Implant as Implant
from .implants.registration import register_implants as register_implants
from .implants.settings import ImplantSettings as ImplantSettings
from .mesh_registration import register_mesh_files as register_mesh_files
from .network.frame import NetworkFrame as NetworkFrame
from .network.pose_network import PoseNetwork as PoseNetwork
from .network.predict import predict_poses as predict_poses
from .network.weights import (
    load_network as load_network,
    save_network as save_network,
)
from .procedure import (
    XrayRegistration as XrayRegistration,
    register_xrays as register_xrays,
)
from .procedure_settings import (
    MeshSettings as MeshSettings,
    OutputSettings as OutputSettings,
    ProcedureSettings as ProcedureSettings,
    RegisterSettings as RegisterSettings,
    StructureSettings as StructureSettings,
)
from .refine.climb_settings import RegistrationSettings as RegistrationSettings
from .refine.registration import Registration as Registration
from .refine.structure import (
    NamedStructures as NamedStructures,
    Structure as Structure,
    structure_of as structure_of,
)
from .registering import register as register
from .result.folder import save_result as save_result
from .result.reading import read_result as read_result
from .result.record import ResultRecord as ResultRecord
from .start.coarse_search import starts_from_search as starts_from_search
from .start.dicom_tags import starts_from_dicom as starts_from_dicom
from .start.fixed import (
    starts_from_angles as starts_from_angles,
    starts_from_views as starts_from_views,
)
from .start.landmarks import starts_from_landmarks as starts_from_landmarks
from .template.alignment import align_to_template as align_to_template
from .template.settings import AlignmentSettings as AlignmentSettings
from .tracking.following import (
    CineFrame as CineFrame,
    track as track,
)
from .tracking.result import Track as Track
from .train.entry import train_network as train_network
from .train.settings import TrainSettings as TrainSettings
from .trust.judge_registration import judge as judge
from .trust.judgement import TrustJudgement as TrustJudgement
from .xray.settings import XraySettings as XraySettings
from .xray.shot import Shot as Shot
from .xray.xray_input import read_shot as read_shot
