"""Weights of networks: written with their config, found in a folder, a file or on a hub, read without running anything.

Needs the extra `weights`.
"""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "fill": "fill_module rename_keys",
        "folder": "load_weights save_weights SavedWeights WeightsKind",
        "hub": "HubFile",
        "pickled": "read_pickle",
        "source": "find_weights",
    },
)
