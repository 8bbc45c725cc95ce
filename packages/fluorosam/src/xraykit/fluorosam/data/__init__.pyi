# Made by tools/make_stubs.py from the table in __init__.py.
from .appearance import (
    change_appearance as change_appearance,
    change_tone as change_tone,
)
from .changed_image import (
    draw_image_framing as draw_image_framing,
    seen_image as seen_image,
)
from .equalisation import equalise as equalise
from .framing import (
    Framing as Framing,
    draw_framing as draw_framing,
    framed_maps as framed_maps,
    mask_places as mask_places,
    plain_framing as plain_framing,
    seen_box as seen_box,
)
from .network_input import (
    BoneTone as BoneTone,
    NetworkInput as NetworkInput,
    prepare_windows as prepare_windows,
)
from .padded_square import PaddedSquare as PaddedSquare
from .segmentation_batches import (
    SegmentationBatch as SegmentationBatch,
    SegmentationBatches as SegmentationBatches,
)
from .segmentation_preparation import (
    prepare_segmentations as prepare_segmentations,
    wait_for_segmentations as wait_for_segmentations,
)
from .segmentation_store import SegmentationStore as SegmentationStore
from .settings import (
    AppearanceSettings as AppearanceSettings,
    DropoutSettings as DropoutSettings,
    EqualisationSettings as EqualisationSettings,
    FramingSettings as FramingSettings,
    SegmentationChanges as SegmentationChanges,
    ToneSettings as ToneSettings,
)
from .target_texts import (
    TargetText as TargetText,
    TargetTexts as TargetTexts,
)
from .windows import (
    three_windows as three_windows,
    two_means as two_means,
)
