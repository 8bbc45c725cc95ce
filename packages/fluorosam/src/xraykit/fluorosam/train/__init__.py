"""Trainings: with prompts, of the text encoder on texts alone, of the image encoder on dense classes."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "confidence": "fit_calibration fit_presence fit_visible",
        "corrections": "CorrectionDraws answered_words draw_corrections made_up_corrections made_up_logits",
        "encoder_batches": "class_cover ClassBatch ClassBatches",
        "encoder_scores": "EncoderScores",
        "encoder_settings": "EncoderDataSettings EncoderLengthSettings EncoderNetworkSettings EncoderObjectiveSettings "
        "EncoderPretrainSettings",
        "encoder_task": "EncoderTask",
        "encoder_training": "pretrain",
        "error_points": "draw_boxes draw_points",
        "held_out_prompts": "HeldOutBatches held_out_answers held_out_scores",
        "presets": "PRESETS",
        "prompt_rounds": "answer_rounds draw_rounds prompt_round_loss RoundAnswer RoundDraws",
        "segmentation_task": "SegmentationTask",
        "settings": (
            "PromptRoundSettings SegmentationDataSettings SegmentationLengthSettings SegmentationNetworkSettings "
            "SegmentationObjectiveSettings SegmentationTrainSettings"
        ),
        "training_images": "load_training_images TrainingImages",
        "words_batches": "TextBatch TextBatches",
        "words_changes": "changed_text with_typo",
        "words_related": "opposite_side related_targets",
        "words_retrieval": "RetrievedTexts TextRetrieval",
        "words_settings": "TextContrastSettings TextCorpusSettings TextLengthSettings TextNetworkSettings "
        "TextPretrainSettings",
        "words_task": "WordsTask",
        "words_texts": "TextCorpus text_corpus",
        "words_training": "pretrain_text",
    },
)
