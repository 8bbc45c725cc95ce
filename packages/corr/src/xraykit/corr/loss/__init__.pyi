# Made by tools/make_stubs.py from the table in __init__.py.
from .correspondence_loss import (
    MatchLossKind as MatchLossKind,
    balancing_weight as balancing_weight,
    match_loss as match_loss,
)
