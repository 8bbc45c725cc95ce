"""Training: settings, the regime of a step, the task, and scores on held-out patients."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "confidence": "Calibration fit_calibration fit_visible",
        "error_points": "draw_boxes draw_points",
        "held_out_scores": "HeldOutBatches held_out_answers held_out_scores",
        "presets": "PRESETS",
        "prompt_rounds": "answer_rounds draw_rounds prompt_round_loss RoundAnswer RoundDraws",
        "segmentation_task": "SegmentationTask",
        "settings": (
            "PromptRoundSettings SegmentationDataSettings SegmentationLengthSettings SegmentationNetworkSettings "
            "SegmentationObjectiveSettings SegmentationTrainSettings"
        ),
        "training_images": "load_training_images TrainingImages",
    },
)
