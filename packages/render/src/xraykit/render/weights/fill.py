"""A module's weights from a state dict that must fit name by name and shape by shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..errors import FileError

LISTED = 20
Filled = TypeVar("Filled", bound=nn.Module)


def fill_module(module: Filled, state: Mapping[str, object], *, source: str, wanted: str) -> Filled:
    """The module itself with its weights set from `state`; it is unchanged where that fails.

    Args:
        module: Changed in place; float16 tensors become what its own are.
        state: Tensors by name.
        source: Where they come from, for messages.
        wanted: What they must be, for messages: "the weights of a resnet18".

    Raises:
        FileError: Names missing or left over (listed), shapes that differ, entries that are no tensors, NaN or
            infinity.
    """
    own = module.state_dict()
    missing, unexpected = sorted(own.keys() - state.keys()), sorted(map(str, state.keys() - own.keys()))
    if missing or unexpected:
        raise FileError(
            f"{source} must hold exactly {wanted}, got {_listed(missing)} missing and {_listed(unexpected)} "
            "unexpected; it belongs to another architecture or is incomplete."
        )
    tensors: dict[str, Tensor] = {}
    for name, value in state.items():
        if not isinstance(value, Tensor) or value.shape != own[name].shape:
            came = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise FileError(
                f"{source} must hold {wanted}: {name} of shape {tuple(own[name].shape)}, got {came}; it belongs to "
                "another architecture or parameterisation."
            )
        if not bool(torch.isfinite(value).all()):
            raise FileError(f"{source} must hold finite weights, got NaN or infinity in {name}; the training failed.")
        tensors[name] = value
    module.load_state_dict(tensors)
    return module


def rename_keys(
    state: Mapping[str, object], prefixes: Mapping[str, str | None], *, source: str = "the state"
) -> dict[str, object]:
    """A foreign state dict under our names.

    Args:
        state: Tensors by their foreign names.
        prefixes: Our prefix by the foreign one; None leaves what begins with it out. The longest that fits counts; a
            name that none fits stays. A whole name is a prefix too.
        source: Where they come from, for messages.

    Returns:
        The same tensors, in the same order.

    Raises:
        FileError: Two names became the same, or a prefix fits no name.

    Example:
        `rename_keys(state, {"module.backbone.": "", "module.head.": None})`
    """
    renamed: dict[str, object] = {}
    used: set[str] = set()
    for name, value in state.items():
        prefix = max((p for p in prefixes if name.startswith(p)), key=len, default=None)
        ours: str | None = name
        if prefix is not None:
            used.add(prefix)
            ours = None if prefixes[prefix] is None else f"{prefixes[prefix]}{name[len(prefix) :]}"
        if ours is None:
            continue
        if ours in renamed:
            raise FileError(f"{source} must have one tensor for each of our names, got two for {ours}.")
        renamed[ours] = value
    if unused := sorted(prefixes.keys() - used):
        raise FileError(
            f"{source} must have names that begin with {_listed(unused)}, got none; it is another checkpoint."
        )
    return renamed


def _listed(names: list[str]) -> str:
    if not names:
        return "nothing"
    return ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
