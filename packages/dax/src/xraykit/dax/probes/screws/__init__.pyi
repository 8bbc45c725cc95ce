# Made by tools/make_stubs.py from the table in __init__.py.
from .data import (
    KeypointImage as KeypointImage,
    by_patient as by_patient,
    read_coco_keypoints as read_coco_keypoints,
    screws_of_sample as screws_of_sample,
)
from .detector import ScrewDetector as ScrewDetector
from .oks import (
    KeypointScores as KeypointScores,
    ScrewDetections as ScrewDetections,
    average_precision as average_precision,
    keypoint_similarity as keypoint_similarity,
)
from .settings import (
    DetectionLossSettings as DetectionLossSettings,
    DetectorSettings as DetectorSettings,
    DetectorTrainingSettings as DetectorTrainingSettings,
    ScrewSettings as ScrewSettings,
)
from .training import (
    detect as detect,
    train_detector as train_detector,
)
from .truth import ScrewTruth as ScrewTruth
