"""X-rays in, masks out: any X-ray once, then words, points, boxes and masks in any number."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "calibrated_confidence": "ConfidenceMap confidence_map",
        "embedding_cache": "EmbeddingCache",
        "fluoro_sam": "EmbeddedXray FluoroSam",
        "prompt": "Prompt",
        "segmentation": "Segmentation",
        "settings": "UsedNetworkSettings XrayFileSettings",
        "xray_input": "OpenedXray XraySource open_xray",
    },
)
