"""X-rays for the network: three windows on one square and the way back; prepared data sets, changed for training."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "appearance": "change_appearance change_tone",
        "equalisation": "equalise",
        "framing": "Framing draw_framing framed_maps mask_places plain_framing seen_box",
        "network_input": "BoneTone NetworkInput prepare_windows",
        "padded_square": "PaddedSquare",
        "segmentation_batches": "SegmentationBatch SegmentationBatches",
        "segmentation_preparation": "prepare_segmentations wait_for_segmentations",
        "segmentation_store": "SegmentationStore",
        "changed_image": "draw_image_framing seen_image",
        "settings": "AppearanceSettings DropoutSettings EqualisationSettings FramingSettings SegmentationChanges "
        "ToneSettings",
        "target_texts": "TargetText TargetTexts",
        "windows": "three_windows two_means",
    },
)
