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
from .fluoroseg import (
    FluoroSegData as FluoroSegData,
    FluoroSegSample as FluoroSegSample,
    RibNames as RibNames,
)
from .fluoroseg_case import FluoroSegImage as FluoroSegImage
from .fluoroseg_check import (
    FluoroSegCheck as FluoroSegCheck,
    check_fluoroseg as check_fluoroseg,
)
from .fluoroseg_masks import (
    FluoroSegMask as FluoroSegMask,
    decode_fluoroseg_mask as decode_fluoroseg_mask,
    fluoroseg_segmentation as fluoroseg_segmentation,
)
from .fluoroseg_writer import (
    FluoroSegExport as FluoroSegExport,
    write_fluoroseg as write_fluoroseg,
)
from .framing import (
    Framing as Framing,
    draw_framing as draw_framing,
    framed_maps as framed_maps,
    mask_places as mask_places,
    plain_framing as plain_framing,
    seen_box as seen_box,
)
from .lung_sets import (
    LungLayout as LungLayout,
    LungSet as LungSet,
    LungXray as LungXray,
)
from .network_input import (
    BoneTone as BoneTone,
    NetworkInput as NetworkInput,
    prepare_windows as prepare_windows,
)
from .padded_square import PaddedSquare as PaddedSquare
from .rib_geometry import (
    RibCheck as RibCheck,
    check_rib_names as check_rib_names,
    likely_rib_names as likely_rib_names,
)
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
