"""Our own weights: model.safetensors, which carries its config, and config.json, the same for people and hubs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import FileError, InputError
from ..extras import require
from ..storage.atomic_write import write_atomically
from ..storage.json_object import whole_number
from ..storage.output_folder import make_folder
from ..storage.versions import installed_version
from .hub import WEIGHTS
from .source import find_weights

CONFIG = "config.json"
_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class WeightsKind:
    """What weights are, stated once by the package that writes and reads them.

    Args:
        name: Such as "pose network"; weights of another name are refused.
        package: The distribution that writes them; its version is stored.
        format: Version of the meaning of the config, from 1.
        libraries: Distributions that the module is made with; their versions are stored.
    """

    name: str
    package: str
    format: int = 1
    libraries: tuple[str, ...] = ("xraykit-render", "torch")


@dataclass(frozen=True)
class SavedWeights:
    """Weights with what they are.

    Args:
        state: Tensors by name, as stored, on the CPU.
        config: What builds the module that they belong to.
        trained_on: What they learned from, and how well they did.
        version: Of the package that wrote them.
        libraries: Versions of the distributions that the module was made with.
    """

    state: Mapping[str, Tensor]
    config: Mapping[str, Any]
    trained_on: Mapping[str, Any]
    version: str
    libraries: Mapping[str, str]


def save_weights(
    folder: str | Path,
    state: Mapping[str, Tensor],
    kind: WeightsKind,
    *,
    config: Mapping[str, Any],
    trained_on: Mapping[str, Any] = _NOTHING,
    half: bool = False,
) -> Path:
    """Write model.safetensors and config.json to `folder` (made if need be).

    The config travels inside the safetensors file, which is written whole or not at all, so that weights and config
    cannot come apart; config.json is the same text.

    Args:
        folder: Where to; the two files in it are replaced.
        state: Tensors by name, such as `module.state_dict()`, on any device. Tensors that share memory are stored
            each.
        kind: What they are; `load_weights` asks for it.
        config: What builds the module, anything that JSON holds.
        trained_on: What they learned from, anything that JSON holds.
        half: Store floating-point tensors as float16: half the size, three significant digits.

    Returns:
        The path of the weights.

    Raises:
        OutputError: The folder cannot be made or written.
        InputError: A config that is no JSON, a state that holds something other than tensors, or numbers too large
            for float16.
        BackendUnavailableError: safetensors is not installed.
    """
    save = require("safetensors.torch", extra="weights").save
    content = {
        "kind": kind.name,
        "format": kind.format,
        "config": dict(config),
        "trained_on": dict(trained_on),
        "package": kind.package,
        "version": installed_version(kind.package),
        "libraries": {name: installed_version(name) for name in kind.libraries},
    }
    try:
        text = json.dumps(content, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"config and what the weights were trained on must hold what JSON can ({error}); give numbers and text."
        ) from error
    tensors = _stored(state, half)
    folder = make_folder(folder)
    data = save(tensors, metadata={"format": "pt", "xraykit": text})
    path = write_atomically(folder / WEIGHTS, lambda file: file.write(data))
    write_atomically(folder / CONFIG, lambda file: file.write(f"{text}\n".encode()))
    return path


def load_weights(source: str | Path, kind: WeightsKind, *, sha256: str | None = None) -> SavedWeights:
    """Read what `save_weights` wrote; nothing in the file is run.

    Args:
        source: A folder, a .safetensors file or a hub id, see `find_weights`.
        kind: What the weights must be, in the format that the caller understands.
        sha256: What the file's SHA-256 must be; None is not checked.

    Raises:
        FileError: Nothing there, a damaged file, other weights, another format, or another SHA-256.
        BackendUnavailableError: safetensors is not installed.
    """
    path = find_weights(source, what=f"a {kind.name}", sha256=sha256)
    safetensors = require("safetensors", extra="weights")
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (safetensors.SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise FileError(f"{path} must be a whole safetensors file, got a damaged one ({error}).") from error
    content = _content(metadata.get("xraykit", ""))
    if content.get("kind") != kind.name:
        raise FileError(f"{path} must hold a {kind.name} written by {kind.package}, got other weights.")
    if content.get("format") != kind.format:
        raise FileError(
            f"{path} must have format {kind.format}, got {str(content.get('format'))[:40]}; update {kind.package}."
        )
    expected = {"config": dict, "trained_on": dict, "version": str, "libraries": dict}
    wrong = [name for name, type_ in expected.items() if not isinstance(content.get(name), type_)]
    if wrong:
        raise FileError(f"{path} must carry a complete config, got one without {', '.join(wrong)}; save it again.")
    return SavedWeights(state, **{name: content[name] for name in expected})


def _stored(state: Mapping[str, Tensor], half: bool) -> dict[str, Tensor]:
    """The tensors as they go to disk: on the CPU, contiguous, each with memory of its own."""
    tensors: dict[str, Tensor] = {}
    seen: set[int] = set()
    largest = torch.finfo(torch.float16).max
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise InputError(f"a state must hold tensors by name, got {type(value).__name__} as {name}.")
        tensor = value.detach().cpu().contiguous()
        if half and tensor.is_floating_point():
            if bool((tensor[torch.isfinite(tensor)].abs() > largest).any()):
                raise InputError(f"float16 holds numbers up to {largest:g}, got larger ones in {name}; use half=False.")
            tensor = tensor.to(torch.float16)
        place = tensor.untyped_storage().data_ptr()
        tensors[name] = tensor.clone() if place in seen else tensor
        seen.add(place)
    return tensors


def _content(text: str) -> dict[str, Any]:
    """The config as a dictionary, an empty one where the text is none."""
    try:
        content = json.loads(text, parse_int=whole_number, parse_constant=_refused)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _refused(name: str) -> float:
    raise ValueError(f"{name} is no number")
