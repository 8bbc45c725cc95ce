"""Networks that see an X-ray: built by name, of any input size, one call for vectors, maps and attention."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "backbone": "Backbone new_backbone",
        "backbone_config": "BackboneConfig",
        "backbone_weights": "load_backbone save_backbone PUBLISHED",
        "build": "Architecture ARCHITECTURES",
        "dino_head": "DinoHead",
        "features": "FeatureMap Features",
        "position": "resize_positions",
        "published": "fill_backbone read_published read_published_head",
    },
)
