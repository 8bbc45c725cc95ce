"""Our own weights: one safetensors file that carries its config, from a folder, a file or a hub id."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError, OutputError
from xraykit.render.storage import write_atomically

from .frame import NetworkFrame
from .pose_network import PoseNetwork, fill_weights
from .published import read_published

WEIGHTS, CONFIG = "model.safetensors", "config.json"
KIND, FORMAT = "xraykit-xvr pose network", 1
_HUB = re.compile(
    r"(?P<repo>[\w-][\w.-]*/[\w-][\w.-]*)(?P<file>/[\w][\w./-]*\.(safetensors|pth|pt|ckpt))?(@(?P<revision>[\w./-]+))?"
)


def save_network(network: PoseNetwork, folder: str | Path, *, training: Mapping[str, object] | None = None) -> Path:
    """Write model.safetensors and config.json to `folder` (made if need be).

    The config (frame, architecture, versions, training) travels inside the safetensors file, which is written whole
    or not at all, so that weights and frame cannot come apart; config.json is the same text for people and hubs.

    Args:
        network: On any device.
        folder: Where to; the two files in it are replaced.
        training: How it was trained, anything that JSON holds; None is the network's provenance.

    Returns:
        The path of the weights.

    Raises:
        OutputError: The folder cannot be made or written. InputError: `training` is no JSON.
    """
    from safetensors.torch import save

    config = {
        "kind": KIND,
        "format": FORMAT,
        "versions": {name: _version(name) for name in ("xraykit-xvr", "xraykit-render", "torch", "timm")},
        **network.architecture,
        "frame": asdict(network.frame),
        "training": dict(network.provenance if training is None else training),
    }
    try:
        text = json.dumps(config, indent=2, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"training must hold what JSON can ({error}); give numbers and text.") from error
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} must be a folder that can be made, got {error.strerror or error}.") from error
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    content = save(state, metadata={"format": "pt", "xraykit": text})
    path = write_atomically(folder / WEIGHTS, lambda file: file.write(content))
    write_atomically(folder / CONFIG, lambda file: file.write(f"{text}\n".encode()))
    return path


def load_network(source: str | Path, **published: Any) -> PoseNetwork:
    """A pose network, in evaluation mode on the CPU.

    Args:
        source: A folder of `save_network`, its .safetensors file, a published .pth or .ckpt file, or on the hub
            `org/name[/file][@revision]` (without a file, model.safetensors).
        published: `frame`, `sdd`, `delx` for a published file, see `read_published`.

    Raises:
        FileError: Nothing there, not readable, or weights that do not fit; each says which.
        InputError: Options for published files with one of our own.
    """
    path = _local(source)
    if path.is_dir():
        path = path / WEIGHTS
        if not path.is_file():
            raise FileError(f"{path.parent} must hold {WEIGHTS}, got no such file; name a published checkpoint itself.")
    if path.suffix != ".safetensors":
        return read_published(path, **published)
    if published:
        raise InputError(f"{path} states its own frame; leave {', '.join(sorted(published))} out.")
    return _read(path)


def _read(path: Path) -> PoseNetwork:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        raise FileError(f"{path} must be a whole safetensors file, got a damaged one ({error}).") from error
    config = _config(path, metadata.get("xraykit", ""))
    try:
        network = PoseNetwork(NetworkFrame(**config["frame"]), backbone=config["backbone"], norm=config["norm"])
        network.provenance = dict(config["training"])
    except (KeyError, TypeError, InputError) as error:
        raise FileError(
            f"{path} must carry a complete config, got one that is not ({error}); save it again."
        ) from error
    return fill_weights(network, state, source=str(path)).eval()


def _config(path: Path, text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except ValueError:
        config = None
    if not isinstance(config, dict) or config.get("kind") != KIND:
        raise FileError(f"{path} must hold a pose network written by `xraykit xvr train`, got other weights.")
    if config.get("format") != FORMAT:
        raise FileError(f"{path} must have format {FORMAT}, got {config.get('format')!r}; update xraykit-xvr.")
    return config


def _local(source: str | Path) -> Path:
    """The file or folder itself, or a copy from the hub."""
    path = Path(source)
    if path.exists():
        return path
    match = _HUB.fullmatch(source) if isinstance(source, str) else None
    if match is None or (match["file"] is None and path.suffix in (".safetensors", ".pth", ".pt", ".ckpt")):
        raise FileError(
            f"a pose network must be a folder, a .safetensors, .pth or .ckpt file, or a hub id org/name, got {source}; "
            "nothing is there."
        )
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, HFValidationError

    name = (match["file"] or f"/{WEIGHTS}")[1:]
    try:
        return Path(hf_hub_download(match["repo"], name, revision=match["revision"]))
    except (OSError, EntryNotFoundError, HFValidationError) as error:
        cause = " ".join(str(error).split())[:200]
        raise FileError(
            f"neither a local file {source} nor {name} in the hub repository {match['repo']} could be had ({cause}); "
            "check the name and the connection."
        ) from error


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
