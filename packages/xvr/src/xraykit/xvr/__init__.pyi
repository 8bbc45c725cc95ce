# Made by tools/make_stubs.py from the table in __init__.py.
from .evaluate.capture_range import (
    CaptureCurve as CaptureCurve,
    capture_curve as capture_curve,
)
from .evaluate.datasets.common import (
    Subject as Subject,
    XrayWithTruth as XrayWithTruth,
)
from .evaluate.datasets.opening import open_dataset as open_dataset
from .evaluate.metrics import (
    PoseErrors as PoseErrors,
    dgeo as dgeo,
    mpe as mpe,
    mrpe as mrpe,
    mtre_c2w as mtre_c2w,
    pose_errors as pose_errors,
    success_rate as success_rate,
    true_tre as true_tre,
)
from .evaluate.pose_rows import PoseRow as PoseRow
from .evaluate.report import (
    PoseReport as PoseReport,
    make_pose_report as make_pose_report,
    write_pose_report as write_pose_report,
)
from .evaluate.rows import (
    ErrorRow as ErrorRow,
    score_poses as score_poses,
)
from .evaluate.run import (
    collect_results as collect_results,
    registrar as registrar,
    run_study as run_study,
)
from .evaluate.simulated import (
    SimulatedDataset as SimulatedDataset,
    SimulatedViews as SimulatedViews,
)
from .evaluate.study import RegistrationStudy as RegistrationStudy
from .file_registration import register_files as register_files
from .network.canonical import (
    canonical_camera as canonical_camera,
    canonical_image as canonical_image,
)
from .network.frame import NetworkFrame as NetworkFrame
from .network.pose_network import PoseNetwork as PoseNetwork
from .network.predict import (
    antipode as antipode,
    predict_poses as predict_poses,
)
from .network.preprocess import network_input as network_input
from .network.published import read_published as read_published
from .network.weights import (
    load_network as load_network,
    save_network as save_network,
)
from .procedure import (
    XrayRegistration as XrayRegistration,
    register_xrays as register_xrays,
)
from .procedure_settings import (
    OutputSettings as OutputSettings,
    ProcedureSettings as ProcedureSettings,
    RegisterSettings as RegisterSettings,
    StructureSettings as StructureSettings,
)
from .refine.registration import (
    RefinedCandidate as RefinedCandidate,
    RefinementStep as RefinementStep,
    Registration as Registration,
    RegistrationSettings as RegistrationSettings,
    register as register,
)
from .refine.settings import RefinementSettings as RefinementSettings
from .refine.similarity import (
    gradient_ncc as gradient_ncc,
    mncc as mncc,
    ncc as ncc,
    patch_ncc as patch_ncc,
)
from .refine.structure import (
    Structure as Structure,
    structure_of as structure_of,
)
from .result.animation import (
    convergence_frames as convergence_frames,
    write_animation as write_animation,
)
from .result.folder import save_result as save_result
from .result.pictures import (
    registration_pictures as registration_pictures,
    write_pictures as write_pictures,
)
from .result.reading import read_result as read_result
from .result.record import (
    ResultRecord as ResultRecord,
    record_result as record_result,
    write_result as write_result,
)
from .result.transforms import (
    ct_motion as ct_motion,
    write_transforms as write_transforms,
)
from .start.candidates import (
    distinct_starts as distinct_starts,
    joined_starts as joined_starts,
    spread_to_views as spread_to_views,
)
from .start.coarse_search import (
    SearchSettings as SearchSettings,
    starts_from_search as starts_from_search,
)
from .start.dicom_tags import starts_from_dicom as starts_from_dicom
from .start.earlier_result import starts_from_result as starts_from_result
from .start.fixed import (
    starts_from_angles as starts_from_angles,
    starts_from_pose_files as starts_from_pose_files,
    starts_from_views as starts_from_views,
)
from .start.landmarks import (
    LandmarkPose as LandmarkPose,
    landmark_pose as landmark_pose,
    starts_from_landmarks as starts_from_landmarks,
)
from .start.settings import (
    LandmarkStart as LandmarkStart,
    NetworkStart as NetworkStart,
    SearchStart as SearchStart,
    StartSettings as StartSettings,
    StatedStart as StatedStart,
)
from .start.slicer_markups import (
    read_image_points as read_image_points,
    read_world_points as read_world_points,
)
from .start.start_errors import (
    StartErrors as StartErrors,
    displaced_pose as displaced_pose,
)
from .template.alignment import (
    Alignment as Alignment,
    align_to_template as align_to_template,
)
from .template.check_picture import alignment_picture as alignment_picture
from .template.settings import AlignmentSettings as AlignmentSettings
from .template.warp import (
    read_warp as read_warp,
    rigid_part as rigid_part,
    write_warp as write_warp,
)
from .train.entry import train_network as train_network
from .train.settings import (
    PoseLengthSettings as PoseLengthSettings,
    PoseLossSettings as PoseLossSettings,
    PoseNetworkSettings as PoseNetworkSettings,
    TrainSettings as TrainSettings,
    TrainingDataSettings as TrainingDataSettings,
    TrainingImageSettings as TrainingImageSettings,
    TrainingPoseSettings as TrainingPoseSettings,
)
from .trust.calibration import SuccessModel as SuccessModel
from .trust.judgement import TrustJudgement as TrustJudgement
from .trust.judging import judge as judge
from .xray.names import xray_names as xray_names
from .xray.settings import (
    XrayDetails as XrayDetails,
    XraySettings as XraySettings,
)
from .xray.shot import Shot as Shot
from .xray.xray_input import read_shot as read_shot
