"""Geometry of other systems, to and from (Camera, pose): one module per system, see docs/converters.md."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "deepdrr": "DeepDRRView from_deepdrr to_deepdrr",
        "deepfluoro": "DeepFluoroView from_deepfluoro to_deepfluoro",
        "dicom": "from_dicom_tags to_dicom_tags",
        "diffdrr": "diffdrr_extrinsic diffdrr_parameters DiffDRRView from_diffdrr to_diffdrr",
        "itk": "read_itk_transform write_itk_transform",
        "nanodrr": "from_nanodrr NanoDRRView to_nanodrr",
        "pinhole": "PeerView",
        "projection_matrix": "from_projection_matrix to_projection_matrix",
        "rtk": "from_rtk RTKProjection to_rtk",
    },
)
