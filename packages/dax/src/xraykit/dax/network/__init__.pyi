# Made by tools/make_stubs.py from the table in __init__.py.
from .backbone import (
    Backbone as Backbone,
    new_backbone as new_backbone,
)
from .backbone_config import BackboneConfig as BackboneConfig
from .backbone_weights import (
    PUBLISHED as PUBLISHED,
    load_backbone as load_backbone,
    save_backbone as save_backbone,
)
from .build import (
    ARCHITECTURES as ARCHITECTURES,
    Architecture as Architecture,
)
from .dino_head import DinoHead as DinoHead
from .features import (
    FeatureMap as FeatureMap,
    Features as Features,
)
from .position import resize_positions as resize_positions
from .published import (
    fill_backbone as fill_backbone,
    read_published as read_published,
    read_published_head as read_published_head,
)
