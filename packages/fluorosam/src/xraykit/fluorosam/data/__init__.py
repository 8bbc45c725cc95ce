"""X-rays for the network: windows on one square and back; data sets prepared for training; other layouts."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "appearance": "change_appearance change_tone",
        "changed_image": "draw_image_framing seen_image",
        "equalisation": "equalise",
        "fluoroseg": "FluoroSegData FluoroSegSample RibNames",
        "fluoroseg_case": "FluoroSegImage",
        "fluoroseg_check": "check_fluoroseg FluoroSegCheck",
        "fluoroseg_masks": "decode_fluoroseg_mask fluoroseg_segmentation FluoroSegMask",
        "fluoroseg_writer": "FluoroSegExport write_fluoroseg",
        "framing": "Framing draw_framing framed_maps mask_places plain_framing seen_box",
        "lung_sets": "LungLayout LungSet LungXray",
        "network_input": "BoneTone NetworkInput prepare_windows",
        "padded_square": "PaddedSquare",
        "rib_geometry": "check_rib_names likely_rib_names RibCheck",
        "segmentation_batches": "SegmentationBatch SegmentationBatches",
        "segmentation_preparation": "prepare_segmentations wait_for_segmentations",
        "segmentation_store": "SegmentationStore",
        "settings": "AppearanceSettings DropoutSettings EqualisationSettings FramingSettings SegmentationChanges "
        "ToneSettings",
        "target_texts": "TargetText TargetTexts",
        "windows": "three_windows two_means",
    },
)
