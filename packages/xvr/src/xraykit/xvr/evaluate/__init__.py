"""How well registrations succeed: errors, success rates, capture ranges, rankings, and the published data sets."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "capture_range": "capture_curve CaptureCurve",
        "datasets.common": "EvaluationSubject XrayWithTruth",
        "datasets.opening": "open_dataset",
        "evaluation": "evaluate_registrations",
        "metrics": "dgeo mpe mrpe mtre_c2w pose_errors PoseErrors success_rate true_tre",
        "pose_rows": "PoseRow",
        "report": "make_pose_report PoseReport write_pose_report",
        "rows": "ErrorRow score_poses",
        "run": "collect_results registrar run_study",
        "settings": "EvaluateSettings TruthSettings",
        "simulated": "SimulatedDataset SimulatedViews",
        "study": "RegistrationStudy",
    },
)
