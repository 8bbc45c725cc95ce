"""Names in checkpoints of DINO and DAX: student or teacher, wrappers before the name, backbone and head."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from xraykit.render import FileError, InputError
from xraykit.render.weights import rename_keys

CheckpointPart = Literal["teacher", "student"]
_HEAD = re.compile(
    r"mlp(\.\d+)?\.(weight|bias|running_mean|running_var|num_batches_tracked)"
    r"|last_layer\.(weight|weight_g|weight_v|parametrizations\.weight\.original[01])"
)
_CLASSIFIER = re.compile(r"(head|fc|classifier)\.(weight|bias)")
_RENAMED = {
    "last_layer.weight_g": "last_layer.parametrizations.weight.original0",
    "last_layer.weight_v": "last_layer.parametrizations.weight.original1",
}


@dataclass(frozen=True)
class CheckpointKeys:
    """A checkpoint's tensors, sorted.

    Args:
        backbone: By the names of the bare network.
        head: Of the projection head, under torch's present names of weight normalisation; empty without one.
        dino: Whether the file has the layout of a DINO training, student and teacher.
    """

    backbone: Mapping[str, Any]
    head: Mapping[str, Any]
    dino: bool


def sort_keys(checkpoint: object, part: CheckpointPart, *, source: str) -> CheckpointKeys:
    """Every key of one part of a checkpoint, in its place.

    Layouts: {"student", "teacher", ...} with names `[module.]backbone.*` and `[module.]head.*`; or a state dict of a
    bare network, by itself or under "state_dict" or "model", whose classifier is left out.

    Raises:
        FileError: Another layout, or names that are neither the backbone's nor its head's (listed).
        InputError: Another part.
    """
    if part not in ("teacher", "student"):
        raise InputError(f"part must be 'teacher' or 'student', got {part!r}.")
    state, dino = _part(checkpoint, part, source)
    if any(name.startswith("module.") for name in state):
        state = rename_keys(state, {"module.": ""}, source=source)
    if not any(name.startswith("backbone.") for name in state):
        return CheckpointKeys({name: v for name, v in state.items() if not _CLASSIFIER.fullmatch(name)}, {}, dino)
    backbone = {name[9:]: value for name, value in state.items() if name.startswith("backbone.")}
    head = {name[5:]: value for name, value in state.items() if name.startswith("head.")}
    known = len(backbone) + len(head)
    strange = [name for name in head if not _HEAD.fullmatch(name)]
    if strange or known != len(state):
        others = [name for name in state if not name.startswith(("backbone.", "head."))] + [
            f"head.{n}" for n in strange
        ]
        raise FileError(
            f"{source} must hold a backbone and a DINO head, got {len(others)} other names ({', '.join(others[:20])}); "
            "it is another model."
        )
    return CheckpointKeys(backbone, {_RENAMED.get(name, name): value for name, value in head.items()}, dino)


def _part(checkpoint: object, part: CheckpointPart, source: str) -> tuple[dict[str, Any], bool]:
    """The state dict itself, and whether it lay in a checkpoint of a DINO training."""
    if isinstance(checkpoint, Mapping):
        inner = next((checkpoint[key] for key in (part, "state_dict", "model") if _is_state(checkpoint.get(key))), None)
        if inner is not None:
            return dict(inner), part in checkpoint
        if _is_state(checkpoint):
            return dict(checkpoint), False
    found = (
        ", ".join(sorted(map(str, checkpoint))[:8]) if isinstance(checkpoint, Mapping) else type(checkpoint).__name__
    )
    raise FileError(f"{source} must be a checkpoint with {part!r} or a state dict of tensors, got {found[:200]!r}.")


def _is_state(value: object) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in value.items())
