"""Say or click what to find in an X-ray.

The names of a first page; each folder (`xraykit.fluorosam.network`, `.data`) exports the rest of its own. All load on
first use, so that `import xraykit.fluorosam` stays free of torch.
"""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "network.config": "FluoroSamConfig",
        "network.network": "SegmentationNetwork new_network",
        "network.network_weights": "load_network save_network",
        "network.prompts": "PromptBatch",
        "network.published": "read_published",
        "predictor.fluoro_sam": "FluoroSam",
        "predictor.prompt": "Prompt",
        "predictor.segmentation": "Segmentation",
    },
)
