"""X-ray backbones learned without labels, and three probes that tell what they know.

The names of a first page; each folder (`xraykit.dax.network`, `.data`, ...) exports the rest of its own. All load on
first use, so that `import xraykit.dax` stays free of torch.
"""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "data.preprocessing": "preprocess",
        "data.settings": "MultiCropSettings PreprocessSettings",
        "data.xrays": "find_xrays XrayFrame",
        "embedding.embed_xrays": "embed",
        "embedding.settings": "EmbedSettings",
        "embedding.table": "read_embeddings",
        "network.backbone": "Backbone new_backbone",
        "network.backbone_config": "BackboneConfig",
        "network.backbone_weights": "load_backbone save_backbone",
        "network.features": "Features",
        "pictures.look_at_xrays": "look",
        "pictures.settings": "LookSettings",
        "predictor": "XrayEmbedder",
        "pretraining": "pretrain",
        "probes.run_metal": "probe_metal",
        "probes.run_region": "probe_regions",
        "probes.run_screws": "probe_screws",
        "probes.settings": "MetalProbeSettings RegionProbeSettings ScrewProbeSettings",
        "train.settings": "PretrainSettings",
    },
)
