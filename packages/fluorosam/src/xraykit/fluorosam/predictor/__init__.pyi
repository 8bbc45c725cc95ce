# Made by tools/make_stubs.py from the table in __init__.py.
from .calibrated_confidence import (
    ConfidenceMap as ConfidenceMap,
    confidence_map as confidence_map,
)
from .embedding_cache import EmbeddingCache as EmbeddingCache
from .fluoro_sam import (
    EmbeddedXray as EmbeddedXray,
    FluoroSam as FluoroSam,
)
from .prompt import Prompt as Prompt
from .segmentation import Segmentation as Segmentation
from .settings import (
    UsedNetworkSettings as UsedNetworkSettings,
    XrayFileSettings as XrayFileSettings,
)
from .xray_input import (
    OpenedXray as OpenedXray,
    XraySource as XraySource,
    open_xray as open_xray,
)
