# Made by tools/make_stubs.py from the table in __init__.py.
from .crop_batches import (
    CropBatch as CropBatch,
    CropBatches as CropBatches,
)
from .draw import (
    MultiCropDraws as MultiCropDraws,
    ViewDraws as ViewDraws,
    draw_crops as draw_crops,
)
from .frame_images import (
    FrameBatch as FrameBatch,
    frames_to_images as frames_to_images,
    pad_frames as pad_frames,
)
from .frame_job import prepare_frames as prepare_frames
from .frame_pool import (
    DamagedXray as DamagedXray,
    map_frames as map_frames,
)
from .frames import (
    FrameStore as FrameStore,
    PreparedFrame as PreparedFrame,
)
from .multi_crop import (
    crop_images as crop_images,
    multi_crops as multi_crops,
)
from .preprocessing import (
    preprocess as preprocess,
    preprocess_linear as preprocess_linear,
    standardise as standardise,
)
from .settings import (
    AugmentationName as AugmentationName,
    FieldUse as FieldUse,
    MultiCropSettings as MultiCropSettings,
    PreprocessSettings as PreprocessSettings,
    SquareFit as SquareFit,
)
from .square import (
    SquareMap as SquareMap,
    square_map as square_map,
    to_square as to_square,
)
from .square_input import network_square as network_square
from .views import (
    VIEW_TABLE as VIEW_TABLE,
    ViewKind as ViewKind,
)
from .xray_frame import XrayFrame as XrayFrame
from .xrays import (
    FrameChoice as FrameChoice,
    XrayCollection as XrayCollection,
    find_xrays as find_xrays,
)
