# Made by tools/make_stubs.py from the table in __init__.py.
from .coco_annotations import (
    AnnotatedXray as AnnotatedXray,
    annotations_record as annotations_record,
)
from .dicom_segmentation import save_dicom_segmentation as save_dicom_segmentation
from .label_files import (
    label_image as label_image,
    label_table as label_table,
    save_label_image as save_label_image,
)
from .listed_xrays import (
    ListedXray as ListedXray,
    list_xrays as list_xrays,
)
from .mask_picture import (
    draw_answers as draw_answers,
    xray_picture as xray_picture,
)
from .named_mask import NamedMask as NamedMask
from .segmented_files import (
    SegmentedXrays as SegmentedXrays,
    named_masks as named_masks,
    segment_xrays as segment_xrays,
)
from .settings import SegmentFilesSettings as SegmentFilesSettings
