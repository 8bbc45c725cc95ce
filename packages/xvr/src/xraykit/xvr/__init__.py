"""From an X-ray to the C-arm's pose relative to the CT, with a network trained for this patient in minutes.

The names of a first page; each folder (`xraykit.xvr.start`, `.evaluate`, ...) exports the rest of its own. All load on
first use, so that `import xraykit.xvr` stays free of torch.
"""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "bone_registration": "register_bones",
        "evaluate.datasets.opening": "open_dataset",
        "evaluate.metrics": "pose_errors PoseErrors true_tre",
        "evaluate.run": "run_study",
        "evaluate.study": "RegistrationStudy",
        "file_registration": "register_files",
        "implants.answers": "ImplantRegistration",
        "implants.implant": "Implant",
        "implants.registration": "register_implants",
        "implants.settings": "ImplantSettings",
        "mesh_registration": "register_mesh_files",
        "network.frame": "NetworkFrame",
        "network.pose_network": "PoseNetwork",
        "network.predict": "predict_poses",
        "network.weights": "load_network save_network",
        "procedure": "register_xrays XrayRegistration",
        "procedure_settings": "MeshSettings OutputSettings ProcedureSettings RegisterSettings StructureSettings",
        "refine.climb_settings": "RegistrationSettings",
        "refine.registration": "Registration",
        "refine.structure": "NamedStructures Structure structure_of",
        "registering": "register",
        "result.folder": "save_result",
        "result.reading": "read_result",
        "result.record": "ResultRecord",
        "start.coarse_search": "starts_from_search",
        "start.dicom_tags": "starts_from_dicom",
        "start.fixed": "starts_from_angles starts_from_views",
        "start.landmarks": "starts_from_landmarks",
        "template.alignment": "align_to_template",
        "template.settings": "AlignmentSettings",
        "tracking.following": "CineFrame track",
        "tracking.result": "Track",
        "train.entry": "train_network",
        "train.settings": "TrainSettings",
        "trust.judge_registration": "judge",
        "trust.judgement": "TrustJudgement",
        "xray.settings": "XraySettings",
        "xray.shot": "Shot",
        "xray.xray_input": "read_shot",
    },
)
