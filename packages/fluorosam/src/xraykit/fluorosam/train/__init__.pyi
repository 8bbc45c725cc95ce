# Made by tools/make_stubs.py from the table in __init__.py.
from .confidence import (
    Calibration as Calibration,
    fit_calibration as fit_calibration,
    fit_visible as fit_visible,
)
from .error_points import (
    draw_boxes as draw_boxes,
    draw_points as draw_points,
)
from .held_out_scores import (
    HeldOutBatches as HeldOutBatches,
    held_out_answers as held_out_answers,
    held_out_scores as held_out_scores,
)
from .presets import PRESETS as PRESETS
from .prompt_rounds import (
    RoundAnswer as RoundAnswer,
    RoundDraws as RoundDraws,
    answer_rounds as answer_rounds,
    draw_rounds as draw_rounds,
    prompt_round_loss as prompt_round_loss,
)
from .segmentation_task import SegmentationTask as SegmentationTask
from .settings import (
    PromptRoundSettings as PromptRoundSettings,
    SegmentationDataSettings as SegmentationDataSettings,
    SegmentationLengthSettings as SegmentationLengthSettings,
    SegmentationNetworkSettings as SegmentationNetworkSettings,
    SegmentationObjectiveSettings as SegmentationObjectiveSettings,
    SegmentationTrainSettings as SegmentationTrainSettings,
)
from .training_images import (
    TrainingImages as TrainingImages,
    load_training_images as load_training_images,
)
