"""Geometry of other systems, to and from (Camera, pose): one module per system, see docs/converters.md."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "astra": "from_astra to_astra",
        "corners": "from_source_and_corners SourceAndCorners to_source_and_corners",
        "deepdrr": "DeepDRRView from_deepdrr to_deepdrr",
        "deepfluoro": "DeepFluoroView from_deepfluoro to_deepfluoro",
        "dicom": "from_dicom_tags to_dicom_tags",
        "diffdrr": "diffdrr_extrinsic diffdrr_parameters DiffDRRView from_diffdrr to_diffdrr",
        "itk": "read_itk_transform write_itk_transform",
        "jointtrack": "read_jointtrack write_jointtrack",
        "krt": "from_krt KRT to_krt",
        "mayacam": "read_mayacam write_mayacam",
        "nanodrr": "from_nanodrr NanoDRRView to_nanodrr",
        "pinhole": "PeerView",
        "projection_matrix": "from_projection_matrix to_projection_matrix",
        "rtk": "from_rtk RTKProjection to_rtk",
        "rtk_xml": "read_rtk write_rtk",
        "tigre": "from_tigre TIGREView to_tigre",
    },
)
