# Made by tools/make_stubs.py from the table in __init__.py.
from .network.config import FluoroSamConfig as FluoroSamConfig
from .network.network import (
    SegmentationNetwork as SegmentationNetwork,
    new_network as new_network,
)
from .network.network_weights import (
    load_network as load_network,
    save_network as save_network,
)
from .network.prompts import PromptBatch as PromptBatch
from .network.published import read_published as read_published
from .predictor.fluoro_sam import FluoroSam as FluoroSam
from .predictor.prompt import Prompt as Prompt
from .predictor.segmentation import Segmentation as Segmentation
