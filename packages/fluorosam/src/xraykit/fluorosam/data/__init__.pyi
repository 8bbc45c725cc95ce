# Made by tools/make_stubs.py from the table in __init__.py.
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
from .windows import (
    three_windows as three_windows,
    two_means as two_means,
)
