"""Trainings: of the text encoder on texts alone, and of the image encoder on dense masks; settings and tasks."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "encoder_batches": "class_cover ClassBatch ClassBatches",
        "encoder_scores": "ClassScores",
        "encoder_settings": "EncoderDataSettings EncoderLengthSettings EncoderNetworkSettings EncoderObjectiveSettings "
        "EncoderPretrainSettings",
        "encoder_split": "patient_split",
        "encoder_task": "EncoderTask",
        "encoder_training": "pretrain",
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
