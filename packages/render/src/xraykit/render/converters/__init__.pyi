# Made by tools/make_stubs.py from the table in __init__.py.
from .deepdrr import (
    DeepDRRView as DeepDRRView,
)
from .deepdrr import (
    from_deepdrr as from_deepdrr,
)
from .deepdrr import (
    to_deepdrr as to_deepdrr,
)
from .deepfluoro import (
    DeepFluoroView as DeepFluoroView,
)
from .deepfluoro import (
    from_deepfluoro as from_deepfluoro,
)
from .deepfluoro import (
    to_deepfluoro as to_deepfluoro,
)
from .dicom import (
    from_dicom_tags as from_dicom_tags,
)
from .dicom import (
    to_dicom_tags as to_dicom_tags,
)
from .diffdrr import (
    DiffDRRView as DiffDRRView,
)
from .diffdrr import (
    diffdrr_extrinsic as diffdrr_extrinsic,
)
from .diffdrr import (
    diffdrr_parameters as diffdrr_parameters,
)
from .diffdrr import (
    from_diffdrr as from_diffdrr,
)
from .diffdrr import (
    to_diffdrr as to_diffdrr,
)
from .itk import (
    read_itk_transform as read_itk_transform,
)
from .itk import (
    write_itk_transform as write_itk_transform,
)
from .nanodrr import (
    NanoDRRView as NanoDRRView,
)
from .nanodrr import (
    from_nanodrr as from_nanodrr,
)
from .nanodrr import (
    to_nanodrr as to_nanodrr,
)
from .pinhole import PeerView as PeerView
from .projection_matrix import (
    from_projection_matrix as from_projection_matrix,
)
from .projection_matrix import (
    to_projection_matrix as to_projection_matrix,
)
from .rtk import (
    RTKProjection as RTKProjection,
)
from .rtk import (
    from_rtk as from_rtk,
)
from .rtk import (
    to_rtk as to_rtk,
)
