# Made by tools/make_stubs.py from the table in __init__.py.
from .capture_range import (
    CaptureCurve as CaptureCurve,
    capture_curve as capture_curve,
)
from .datasets.common import (
    EvaluationSubject as EvaluationSubject,
    XrayWithTruth as XrayWithTruth,
)
from .datasets.opening import open_dataset as open_dataset
from .evaluation import evaluate_registrations as evaluate_registrations
from .metrics import (
    PoseErrors as PoseErrors,
    dgeo as dgeo,
    mpe as mpe,
    mrpe as mrpe,
    mtre_c2w as mtre_c2w,
    pose_errors as pose_errors,
    success_rate as success_rate,
    true_tre as true_tre,
)
from .pose_rows import PoseRow as PoseRow
from .report import (
    PoseReport as PoseReport,
    make_pose_report as make_pose_report,
    write_pose_report as write_pose_report,
)
from .rows import (
    ErrorRow as ErrorRow,
    score_poses as score_poses,
)
from .run import (
    collect_results as collect_results,
    registrar as registrar,
    run_study as run_study,
)
from .settings import (
    EvaluateSettings as EvaluateSettings,
    TruthSettings as TruthSettings,
)
from .simulated import (
    SimulatedDataset as SimulatedDataset,
    SimulatedViews as SimulatedViews,
)
from .study import RegistrationStudy as RegistrationStudy
