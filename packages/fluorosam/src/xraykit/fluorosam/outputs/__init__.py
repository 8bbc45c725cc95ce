"""Masks on disk, for people and for other programs: pictures, label files, COCO, DICOM segmentations."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "coco_annotations": "AnnotatedXray annotations_record",
        "dicom_segmentation": "save_dicom_segmentation",
        "label_files": "label_image label_table save_label_image",
        "listed_xrays": "ListedXray list_xrays",
        "mask_picture": "draw_answers xray_picture",
        "named_mask": "NamedMask",
        "segmented_files": "SegmentedXrays named_masks segment_xrays",
        "settings": "SegmentFilesSettings",
    },
)
