# Made by tools/make_stubs.py from the table in __init__.py.
from .astra import (
    from_astra as from_astra,
    to_astra as to_astra,
)
from .corners import (
    SourceAndCorners as SourceAndCorners,
    from_source_and_corners as from_source_and_corners,
    to_source_and_corners as to_source_and_corners,
)
from .deepdrr import (
    DeepDRRView as DeepDRRView,
    from_deepdrr as from_deepdrr,
    to_deepdrr as to_deepdrr,
)
from .deepfluoro import (
    DeepFluoroView as DeepFluoroView,
    from_deepfluoro as from_deepfluoro,
    to_deepfluoro as to_deepfluoro,
)
from .dicom import (
    from_dicom_tags as from_dicom_tags,
    to_dicom_tags as to_dicom_tags,
)
from .diffdrr import (
    DiffDRRView as DiffDRRView,
    diffdrr_extrinsic as diffdrr_extrinsic,
    diffdrr_parameters as diffdrr_parameters,
    from_diffdrr as from_diffdrr,
    to_diffdrr as to_diffdrr,
)
from .itk import (
    read_itk_transform as read_itk_transform,
    write_itk_transform as write_itk_transform,
)
from .jointtrack import (
    read_jointtrack as read_jointtrack,
    write_jointtrack as write_jointtrack,
)
from .krt import (
    KRT as KRT,
    from_krt as from_krt,
    to_krt as to_krt,
)
from .mayacam import (
    read_mayacam as read_mayacam,
    write_mayacam as write_mayacam,
)
from .nanodrr import (
    NanoDRRView as NanoDRRView,
    from_nanodrr as from_nanodrr,
    to_nanodrr as to_nanodrr,
)
from .pinhole import PeerView as PeerView
from .projection_matrix import (
    from_projection_matrix as from_projection_matrix,
    to_projection_matrix as to_projection_matrix,
)
from .rtk import (
    RTKProjection as RTKProjection,
    from_rtk as from_rtk,
    to_rtk as to_rtk,
)
from .rtk_xml import (
    read_rtk as read_rtk,
    write_rtk as write_rtk,
)
from .tigre import (
    TIGREView as TIGREView,
    from_tigre as from_tigre,
    to_tigre as to_tigre,
)
