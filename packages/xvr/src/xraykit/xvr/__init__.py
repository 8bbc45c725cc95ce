"""From an X-ray to the C-arm's pose relative to the CT, with a network trained for this patient in minutes.

Public names load on first use, so that `import xraykit.xvr` stays free of torch.
"""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "refine.structure": "Anatomy structure_of",
        "evaluate.capture_range": "CaptureCurve capture_curve",
        "evaluate.datasets.common": "Subject XrayWithTruth",
        "evaluate.datasets.opening": "open_dataset",
        "evaluate.metrics": "PoseErrors dgeo mpe mrpe mtre_c2w pose_errors success_rate true_tre",
        "evaluate.pose_rows": "PoseRow",
        "evaluate.report": "make_pose_report PoseReport write_pose_report",
        "evaluate.rows": "ErrorRow score_poses",
        "evaluate.run": "collect_results registrar run_study Study",
        "evaluate.simulated": "SimulatedDataset SimulatedViews",
        "network.canonical": "canonical_camera canonical_image",
        "network.frame": "NetworkFrame",
        "network.pose_network": "PoseNetwork",
        "network.predict": "antipode predict_poses",
        "network.preprocess": "network_input",
        "network.published": "read_published",
        "network.weights": "load_network save_network",
        "refine.registration": "Candidate Registration RegistrationSettings Step register",
        "result.animation": "convergence_frames write_animation",
        "result.folder": "save_result",
        "result.pictures": "registration_pictures write_pictures",
        "result.reading": "read_result",
        "result.record": "ResultRecord record_result write_result",
        "result.transforms": "ct_motion write_transforms",
        "xray.shot": "Shot",
        "refine.similarity": "gradient_ncc mncc ncc patch_ncc",
        "start.candidates": "distinct_starts joined_starts spread_to_views",
        "start.coarse_search": "SearchSettings starts_from_search",
        "start.dicom_tags": "starts_from_dicom",
        "start.earlier_result": "starts_from_result",
        "start.fixed": "starts_from_angles starts_from_pose_files starts_from_views",
        "start.landmarks": "landmark_pose LandmarkPose starts_from_landmarks",
        "start.slicer_markups": "read_image_points read_world_points",
        "start.start_errors": "StartErrors displaced_pose",
        "template.alignment": "align_to_template Alignment",
        "template.check_picture": "alignment_picture",
        "template.settings": "AlignmentSettings",
        "template.warp": "read_warp rigid_part write_warp",
        "train.entry": "train_network",
        "train.settings": "PoseLengthSettings PoseLossSettings PoseNetworkSettings TrainingDataSettings"
        " TrainingImageSettings TrainingPoseSettings TrainSettings",
        "trust.calibration": "SuccessModel",
        "trust.judgement": "Trust",
        "trust.judging": "judge",
        "xray.xray_input": "read_shot XraySettings",
    },
)
