"""Checkpoints published by others: xvr's two generations and DiffPose, read without running anything in them."""

from __future__ import annotations

import datetime
import pathlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from xraykit.render import FileError, InputError
from xraykit.render.files import VOLUME_SUFFIXES
from xraykit.render.weights import fill_module, read_pickle

from .frame import NetworkFrame
from .pose_network import Norm, PoseNetwork

# What xvr saves besides tensors, text and numbers: the date, and folders. Paths come back as plain text-like ones.
HARMLESS: list[Any] = [
    datetime.datetime,
    *((pathlib.PurePosixPath, f"{module}.PosixPath") for module in ("pathlib", "pathlib._local")),
    *((pathlib.PureWindowsPath, f"{module}.WindowsPath") for module in ("pathlib", "pathlib._local")),
]
NORMS: dict[object, Norm] = {
    "groupnorm": "groupnorm",
    "batchnorm": "default",
    "batchnorm2d": "default",
    None: "default",
}


def read_published(
    path: str | Path,
    *,
    frame: Literal["centred", "template"] | None = None,
    sdd: float | None = None,
    delx: float | None = None,
) -> PoseNetwork:
    """The network in a published checkpoint (.pth of xvr, .ckpt of DiffPose), with its frame spelt out.

    - xvr (`config` with volpath or inpath): everything is in the file. A missing unit factor means 1 (numbers in mm).
      It speaks the template's frame if it was trained on a folder of CTs or carries a warp, that of its CT otherwise.
      First generation: PA with the reversed x axis where the file does not say; second: AP without.
    - DiffPose: the detector is not in the file, so `sdd` and `delx` must be given; only its own se3_log_map is read,
      since other parameterisations changed meaning between its versions.

    Args:
        path: The file, as written by torch.save.
        frame: Overrides what the file suggests.
        sdd: Source to detector distance of the training detector [mm]; None is the file's.
        delx: Its pixel spacing at the network's height [mm]; None is the file's.

    Returns:
        The network in evaluation mode, weights in float32, `provenance` filled.

    Raises:
        FileError: No such file, no torch checkpoint, Python objects inside (refused, never run), settings missing or
            illegal, or weights that do not match the architecture the file names.
    """
    path = Path(path)
    checkpoint = read_pickle(path, allow=HARMLESS)
    if not isinstance(checkpoint, dict):
        raise FileError(f"{path} must hold a checkpoint dictionary, got {type(checkpoint).__name__}.")
    state = checkpoint.get("model_state_dict")
    if not isinstance(state, Mapping):
        raise FileError(
            f"{path} must be a checkpoint of xvr or DiffPose with model_state_dict, got {_keys(checkpoint)}; "
            "a checkpoint of `xraykit xvr train` is read from its folder of safetensors."
        )
    config = checkpoint.get("config")
    generation = _generation(checkpoint, config)
    settings = dict(config) if isinstance(config, Mapping) else dict(checkpoint)
    given = {"sdd": sdd, "delx": delx, "frame": frame}
    settings.update({name: value for name, value in given.items() if value is not None})
    try:
        network = PoseNetwork(
            _frame(settings, generation),
            backbone=_text(settings, "model_name", generation),
            norm=_norm(settings.get("norm_layer", "groupnorm")),
        )
    except InputError as error:
        raise FileError(f"{path} ({generation}): {error}") from error
    fill_module(network, state, source=str(path), wanted=network.described())
    network.provenance = {"source": path.name, "format": generation, **_facts(checkpoint)}
    return network.eval()


def _generation(checkpoint: Mapping[str, Any], config: object) -> str:
    if not isinstance(config, Mapping):
        return "DiffPose"
    return "xvr 1" if "itr" not in checkpoint and ("inpath" in config or "epoch" in checkpoint) else "xvr 2"


def _frame(settings: Mapping[str, Any], generation: str) -> NetworkFrame:
    first, diffpose = generation == "xvr 1", generation == "DiffPose"
    if diffpose and "frame" in settings:
        raise InputError("DiffPose has one frame, that of its CT's isocentre; leave frame out.")
    parameterization = _text(settings, "parameterization", generation)
    if diffpose and parameterization != "se3_log_map":
        raise InputError(f"DiffPose networks are read with parameterization se3_log_map, got {parameterization!r}.")
    common = {
        "sdd": _need(settings, "sdd", generation),
        "height": _need(settings, "height", generation),
        "delx": _need(settings, "delx", generation),
        "parameterization": parameterization,
        "convention": settings.get("convention") or "ZXY",
        "unit_factor": settings.get("unit_conversion_factor", 1.0),
    }
    if diffpose:
        return NetworkFrame(frame="isocentre_offset", mean=0.3080, std=0.1494, **common)
    return NetworkFrame(
        orientation=settings.get("orientation", "PA" if first else "AP"),
        reverse_x_axis=settings.get("reverse_x_axis", first),
        frame=settings.get("frame") or _trained_in(settings),
        **common,
    )


def _trained_in(settings: Mapping[str, Any]) -> Literal["centred", "template"]:
    """Poses of several CTs were put in the world of their template; finetuning with a warp keeps to it."""
    volumes = str(settings.get("volpath", settings.get("inpath", "")))
    single = volumes.lower().endswith(VOLUME_SUFFIXES)
    return "centred" if single and settings.get("warp") is None else "template"


def _need(settings: Mapping[str, Any], name: str, generation: str) -> Any:
    if settings.get(name) is not None:
        return settings[name]
    if generation == "DiffPose" and name in ("sdd", "delx"):
        raise InputError(
            f"DiffPose checkpoints do not say for which detector they were trained: give sdd= and delx= in mm (for "
            f"DeepFluoro sdd=1020 and delx=0.194 * 1436 / height), got no {name}."
        )
    raise InputError(f"its settings must state {name}, got none; give it, or find the original file.")


def _text(settings: Mapping[str, Any], name: str, generation: str) -> str:
    value = _need(settings, name, generation)
    if not isinstance(value, str) or len(value) > 100:
        raise InputError(f"its {name} must be a name, got {type(value).__name__} {str(value)[:60]}.")
    return value


def _norm(name: object) -> Norm:
    key = name.lower() if isinstance(name, str) else name
    if not isinstance(key, str | None) or key not in NORMS:
        raise InputError(f"norm_layer must be groupnorm or batchnorm, got {name!r}.")
    return NORMS[key]


def _facts(checkpoint: Mapping[str, Any]) -> dict[str, object]:
    """How far it was trained, and when."""
    facts = {name: checkpoint[name] for name in ("itr", "epoch", "model_number", "date") if name in checkpoint}
    return {name: value if isinstance(value, (int, float)) else str(value) for name, value in facts.items()}


def _keys(checkpoint: Mapping[Any, Any]) -> str:
    return "the keys " + ", ".join(sorted(map(str, checkpoint))[:8]) if checkpoint else "an empty dictionary"
