"""Text towers of open_clip's models: from a file, a folder, or a model and a tag that open_clip downloads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xraykit.render import FileError, InputError
from xraykit.render.extras import require
from xraykit.render.storage import read_json_object
from xraykit.render.weights import fill_module, read_pickle

from .config import TextConfig
from .text_encoder import vocabulary_size
from .text_tower import TextTower

_TEXT = re.compile(
    r"token_embedding\.weight|positional_embedding|text_projection|ln_final\.(weight|bias)|logit_scale"
    r"|transformer\.resblocks\.\d+\..+"
)
_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


def open_clip_tower(source: str | Path, *, quick_gelu: bool | None = None) -> TextTower:
    """The text tower of a CLIP, frozen, in evaluation mode on the CPU; its other half is left out.

    Args:
        source: A file (.safetensors, .pt, .bin), a folder with open_clip_config.json and weights, or
            "MODEL/TAG" such as "ViT-B-32-quickgelu/openai", which open_clip downloads if it is not in its cache.
        quick_gelu: The activation, which no file of weights tells; None takes it from the folder's config or the tag,
            and is yes for a file.

    Raises:
        FileError: Nothing there, Python objects inside (refused, never run), or no text tower on CLIP's vocabulary.
        InputError: open_clip knows no such model and tag.
    """
    path, told = _found(source)
    state = _text_state(_tensors(path), str(path))
    quick = told if quick_gelu is None else quick_gelu
    try:
        context, width = state["positional_embedding"].shape
        words, features = state["token_embedding.weight"].shape[0], state["text_projection"].shape[1]
        numbers = {name.split(".")[2] for name in state if name.startswith("transformer.")}
    except (KeyError, IndexError, ValueError) as error:
        raise FileError(f"{path} must hold the text tower of a CLIP, got nothing that fits {error}.") from error
    if words != vocabulary_size():
        raise FileError(f"{path} must have CLIP's vocabulary of {vocabulary_size()} tokens, got {words}.")
    activation = "quick_gelu" if quick else "gelu"
    config = TextConfig(width, len(numbers), max(width // 64, 1), features, context=context, activation=activation)
    with torch.random.fork_rng(devices=[]):
        tower = TextTower(config)
    state.setdefault("logit_scale", tower.logit_scale.detach())
    return fill_module(tower, state, source=str(path), wanted="the text tower of a CLIP").eval()


def _found(source: str | Path) -> tuple[Path, bool]:
    """The file, and whether its activation is the quick one."""
    path = Path(source)
    if path.is_dir():
        file = next((path / name for name in _FILES if (path / name).is_file()), None)
        if file is None:
            raise FileError(f"{path} must hold {' or '.join(_FILES)}, got neither.")
        content = read_json_object(path / "open_clip_config.json")
        model = content.get("model_cfg", content)
        return file, isinstance(model, Mapping) and model.get("quick_gelu") is True
    if path.is_file():
        return path, True
    return _downloaded(str(source))


def _downloaded(source: str) -> tuple[Path, bool]:
    from open_clip.pretrained import download_pretrained, get_pretrained_cfg

    model, _, tag = source.partition("/")
    settings: dict[str, Any] = get_pretrained_cfg(model, tag) if tag else {}
    if not settings:
        raise InputError(
            "a text tower must be a file, a folder, or a model and tag of open_clip such as "
            f"ViT-B-32-quickgelu/openai, got {source[:200]!r}."
        )
    try:
        return Path(download_pretrained(settings)), settings.get("quick_gelu") is True
    except (OSError, RuntimeError, ValueError) as error:
        cause = " ".join(str(error).split())[:200]
        raise FileError(f"{source} must be in open_clip's cache or to be had, got neither ({cause}).") from error


def _tensors(path: Path) -> Mapping[str, object]:
    if path.suffix != ".safetensors":
        content = read_pickle(path)
        inner = content.get("state_dict", content) if isinstance(content, Mapping) else {}
        return inner if isinstance(inner, Mapping) else {}
    safetensors = require("safetensors", extra="weights", distribution="xraykit-render")
    try:
        with safetensors.safe_open(path, framework="pt", device="cpu") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (safetensors.SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise FileError(f"{path} must be a whole safetensors file, got a damaged one ({error}).") from error


def _text_state(state: Mapping[str, object], source: str) -> dict[str, Tensor]:
    """What belongs to the text, by CLIP's names; open_clip's newer models have `text.` before them."""
    found: dict[str, Tensor] = {}
    for name, value in state.items():
        own = re.sub(r"^(module\.)?(text\.)?", "", str(name))
        if isinstance(value, Tensor) and _TEXT.fullmatch(own):
            found[own] = value
    if not found:
        raise FileError(f"{source} must hold the text tower of a CLIP, got none of its tensors.")
    return found
