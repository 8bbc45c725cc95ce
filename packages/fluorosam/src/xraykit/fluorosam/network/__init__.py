"""The network: an image once, then words, points, boxes and masks in any number; and its weights on disk."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "class_head": "ClassHead",
        "config": "FluoroSamConfig InputConfig NAMED QuantiserConfig TextConfig TrunkConfig",
        "convert": "ConvertedWeights convert_published",
        "detail_map": "DetailMap",
        "drawn_prompts": "draw_prompts",
        "image_cells": "cell_pixels draw_cells",
        "image_encoder": "ImageEncoder",
        "mask_decoder": "MaskDecoder MaskLogits",
        "network": "SegmentationNetwork detailed_network new_network presence_network",
        "network_weights": "load_network save_network",
        "presence_head": "PresenceHead",
        "open_clip_text": "open_clip_tower",
        "prompt_encoder": "PromptEncoder PromptTokens",
        "prompts": "ABSENT NEGATIVE PADDING POSITIVE PromptBatch mask_prompts",
        "published": "published_state read_published",
        "quantiser": "Quantised Quantiser",
        "resizing": "resized_network",
        "settings": "ConvertWeightsSettings",
        "text_encoder": "TextEncoder tokenise",
        "text_tower": "TextTower",
        "trunk_start": "fill_encoder fill_text fill_trunk",
    },
)
