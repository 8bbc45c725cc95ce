"""Networks that see an X-ray and say where it was taken from: their frames, weights, input and output."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "canonical": "canonical_camera canonical_image",
        "frame": "NetworkFrame",
        "pose_network": "PoseNetwork",
        "predict": "antipode predict_poses",
        "preprocess": "network_input",
        "published": "read_published",
        "weights": "load_network save_network",
    },
)
