# Made by tools/make_stubs.py from the table in __init__.py.
from .confidence import (
    fit_calibration as fit_calibration,
    fit_presence as fit_presence,
    fit_visible as fit_visible,
)
from .corrections import (
    CorrectionDraws as CorrectionDraws,
    answered_words as answered_words,
    draw_corrections as draw_corrections,
    made_up_corrections as made_up_corrections,
    made_up_logits as made_up_logits,
)
from .encoder_batches import (
    ClassBatch as ClassBatch,
    ClassBatches as ClassBatches,
    class_cover as class_cover,
)
from .encoder_scores import EncoderScores as EncoderScores
from .encoder_settings import (
    EncoderDataSettings as EncoderDataSettings,
    EncoderLengthSettings as EncoderLengthSettings,
    EncoderNetworkSettings as EncoderNetworkSettings,
    EncoderObjectiveSettings as EncoderObjectiveSettings,
    EncoderPretrainSettings as EncoderPretrainSettings,
)
from .encoder_task import EncoderTask as EncoderTask
from .encoder_training import pretrain as pretrain
from .error_points import (
    draw_boxes as draw_boxes,
    draw_points as draw_points,
)
from .held_out_prompts import (
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
from .words_batches import (
    TextBatch as TextBatch,
    TextBatches as TextBatches,
)
from .words_changes import (
    changed_text as changed_text,
    with_typo as with_typo,
)
from .words_related import (
    opposite_side as opposite_side,
    related_targets as related_targets,
)
from .words_retrieval import (
    RetrievedTexts as RetrievedTexts,
    TextRetrieval as TextRetrieval,
)
from .words_settings import (
    TextContrastSettings as TextContrastSettings,
    TextCorpusSettings as TextCorpusSettings,
    TextLengthSettings as TextLengthSettings,
    TextNetworkSettings as TextNetworkSettings,
    TextPretrainSettings as TextPretrainSettings,
)
from .words_task import WordsTask as WordsTask
from .words_texts import (
    TextCorpus as TextCorpus,
    text_corpus as text_corpus,
)
from .words_training import pretrain_text as pretrain_text
