"""Features of many X-rays as a table that statistics, search and plots read."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "embed_xrays": "EmbeddedXrays embed",
        "identity": "backbone_digest",
        "network_inputs": "InputBatch input_batches",
        "settings": "BackboneRunSettings EmbedSettings XraySourceSettings",
        "table": "Embeddings read_embeddings write_embeddings",
    },
)
