# Made by tools/make_stubs.py from the table in __init__.py.
from .fill import (
    fill_module as fill_module,
    rename_keys as rename_keys,
)
from .folder import (
    SavedWeights as SavedWeights,
    WeightsKind as WeightsKind,
    load_weights as load_weights,
    save_weights as save_weights,
)
from .hub import HubFile as HubFile
from .pickled import read_pickle as read_pickle
from .source import find_weights as find_weights
