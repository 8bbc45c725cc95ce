# Made by tools/make_stubs.py from the table in __init__.py.
from .class_head import ClassHead as ClassHead
from .config import (
    FluoroSamConfig as FluoroSamConfig,
    InputConfig as InputConfig,
    NAMED as NAMED,
    QuantiserConfig as QuantiserConfig,
    TextConfig as TextConfig,
    TrunkConfig as TrunkConfig,
)
from .convert import (
    ConvertedWeights as ConvertedWeights,
    convert_published as convert_published,
)
from .detail_map import DetailMap as DetailMap
from .drawn_prompts import draw_prompts as draw_prompts
from .image_cells import (
    cell_pixels as cell_pixels,
    draw_cells as draw_cells,
)
from .image_encoder import ImageEncoder as ImageEncoder
from .mask_decoder import (
    MaskDecoder as MaskDecoder,
    MaskLogits as MaskLogits,
)
from .network import (
    SegmentationNetwork as SegmentationNetwork,
    detailed_network as detailed_network,
    new_network as new_network,
    presence_network as presence_network,
)
from .network_weights import (
    load_network as load_network,
    save_network as save_network,
)
from .open_clip_text import open_clip_tower as open_clip_tower
from .presence_head import PresenceHead as PresenceHead
from .prompt_encoder import (
    PromptEncoder as PromptEncoder,
    PromptTokens as PromptTokens,
)
from .prompts import (
    ABSENT as ABSENT,
    NEGATIVE as NEGATIVE,
    PADDING as PADDING,
    POSITIVE as POSITIVE,
    PromptBatch as PromptBatch,
    mask_prompts as mask_prompts,
)
from .published import (
    published_state as published_state,
    read_published as read_published,
)
from .quantiser import (
    Quantised as Quantised,
    Quantiser as Quantiser,
)
from .resizing import resized_network as resized_network
from .settings import ConvertWeightsSettings as ConvertWeightsSettings
from .text_encoder import (
    TextEncoder as TextEncoder,
    tokenise as tokenise,
)
from .text_tower import TextTower as TextTower
from .trunk_start import (
    fill_encoder as fill_encoder,
    fill_text as fill_text,
    fill_trunk as fill_trunk,
)
