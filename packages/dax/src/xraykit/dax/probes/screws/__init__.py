"""The screw probe: how well a backbone's frozen maps show where the heads and tips of screws are."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "data": "KeypointImage by_patient read_coco_keypoints screws_of_sample",
        "detector": "ScrewDetector",
        "oks": "KeypointScores ScrewDetections average_precision keypoint_similarity",
        "settings": "DetectionLossSettings DetectorSettings DetectorTrainingSettings ScrewSettings",
        "training": "detect train_detector",
        "truth": "ScrewTruth",
    },
)
