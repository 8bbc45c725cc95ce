# Made by tools/make_stubs.py from the table in __init__.py.
from .network_input import (
    BoneTone as BoneTone,
    NetworkInput as NetworkInput,
    prepare_windows as prepare_windows,
)
from .padded_square import PaddedSquare as PaddedSquare
from .windows import (
    three_windows as three_windows,
    two_means as two_means,
)
