"""What of a network goes into a digest that tells it from any other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from hashlib import _Hash


def add_state(total: _Hash, module: nn.Module) -> None:
    """Feed a hash with names, types, shapes and bits of everything in a module's state, in the order of names."""
    for name, value in sorted(module.state_dict().items()):
        total.update(f"\n{name} {value.dtype} {tuple(value.shape)} ".encode())
        total.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
