# Made by tools/make_stubs.py from the table in __init__.py.
from .data.preprocessing import preprocess as preprocess
from .data.settings import (
    MultiCropSettings as MultiCropSettings,
    PreprocessSettings as PreprocessSettings,
)
from .data.xrays import (
    XrayFrame as XrayFrame,
    find_xrays as find_xrays,
)
from .embedding.embed_xrays import embed as embed
from .embedding.settings import EmbedSettings as EmbedSettings
from .embedding.table import read_embeddings as read_embeddings
from .network.backbone import (
    Backbone as Backbone,
    new_backbone as new_backbone,
)
from .network.backbone_config import BackboneConfig as BackboneConfig
from .network.backbone_weights import (
    load_backbone as load_backbone,
    save_backbone as save_backbone,
)
from .network.features import Features as Features
from .pictures.look_at_xrays import look as look
from .pictures.settings import LookSettings as LookSettings
from .predictor import XrayEmbedder as XrayEmbedder
from .pretraining import pretrain as pretrain
from .probes.run_metal import probe_metal as probe_metal
from .probes.run_region import probe_regions as probe_regions
from .probes.run_screws import probe_screws as probe_screws
from .probes.settings import (
    MetalProbeSettings as MetalProbeSettings,
    RegionProbeSettings as RegionProbeSettings,
    ScrewProbeSettings as ScrewProbeSettings,
)
from .train.settings import PretrainSettings as PretrainSettings
