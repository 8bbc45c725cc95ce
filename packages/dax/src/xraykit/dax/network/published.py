"""Checkpoints of DAX and DINO and plain state dicts, read without running anything in them, every key counted."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from xraykit.render import FileError
from xraykit.render.weights import fill_module, read_pickle

from ..data.settings import PreprocessSettings
from .backbone import Backbone
from .backbone_config import BackboneConfig
from .build import build_network
from .checkpoint_keys import CheckpointKeys, CheckpointPart, sort_keys
from .one_channel import absorb_standardization, first_convolutions, set_channels
from .recognise import recognise

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LOWPASS = 20 / 0.305  # sigma of DAX's subtracted low-pass: 20 mm at 0.305 mm per pixel


class _Unread:
    """Stands for numpy's numbers in the optimiser's state, which nothing here needs: it keeps nothing."""

    def __init__(self, *values: object) -> None:
        del values

    def __setstate__(self, state: object) -> None:
        del state


# What a training saves besides tensors, text and numbers: its arguments, and learning rates as numpy's numbers.
HARMLESS: list[Any] = [
    argparse.Namespace,
    *((_Unread, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    (_Unread, "numpy.dtype"),
]


def read_published(
    path: str | Path,
    *,
    part: CheckpointPart = "teacher",
    architecture: str | None = None,
    channels: int = 1,
    preprocess: PreprocessSettings | None = None,
    imagenet: bool = False,
) -> Backbone:
    """The backbone in a published checkpoint, in evaluation mode on the CPU.

    Files of DAX and DINO trainings (student, teacher) and state dicts of bare networks, DINO's or timm's. Both parts
    of the weights are checked name by name and shape by shape; a projection head or classifier is left out.

    Args:
        path: The file, as written by torch.save.
        part: Which network of a training; the teacher is the better one.
        architecture: A name that `new_backbone` takes; None is told from the shapes.
        channels: Of the backbone returned; three-channel weights are summed for one, see `convert_channels`.
        preprocess: What its input must be; None is what the file says of its training (version, mean and std,
            low-pass), or else the default.
        imagenet: Trained on photographs standardised with ImageNet's mean and deviation, which are folded in.

    Raises:
        FileError: No such file, no torch checkpoint, Python objects inside (refused, never run), names that are
            unknown or missing, or shapes of no known architecture.
        InputError: An option outside its range.

    Source: the layout of DAX (Scheuplein et al., MICCAI 2025) and DINO (Caron et al., ICCV 2021).
    """
    path = Path(path)
    checkpoint = read_pickle(path, allow=HARMLESS)
    keys = sort_keys(checkpoint, part, source=str(path))
    args = _arguments(checkpoint)
    backbone = fill_backbone(
        keys.backbone,
        source=str(path),
        architecture=architecture,
        preprocess=preprocess or _preprocess(args, str(path)),
        position_resize="published" if keys.dino else "size",
        colour=(IMAGENET_MEAN, IMAGENET_STD) if imagenet else None,
    ).with_channels(channels)
    backbone.trained_on = {"source": path.name, "part": part, **_facts(checkpoint, args)} if keys.dino else {
        "source": path.name}  # fmt: skip
    return backbone


def read_published_head(path: str | Path, *, part: CheckpointPart = "teacher") -> Mapping[str, Tensor]:
    """The projection head in a published checkpoint, for training on from it: tensors by DinoHead's names.

    Names of torch's older weight normalisation (`weight_g`, `weight_v`) become the present ones.

    Raises:
        FileError: see `read_published`, or no head in the file.
        InputError: Another part.
    """
    keys: CheckpointKeys = sort_keys(read_pickle(path, allow=HARMLESS), part, source=str(path))
    if not keys.head:
        raise FileError(f"{path} must hold a DINO head beside the backbone, got none; take a training's checkpoint.")
    return keys.head


def fill_backbone(
    state: Mapping[str, object],
    *,
    source: str,
    architecture: str | None = None,
    preprocess: PreprocessSettings | None = None,
    position_resize: Any = "size",
    colour: tuple[tuple[float, ...], tuple[float, ...]] | None = None,
) -> Backbone:
    """A backbone from the state of a bare network, in evaluation mode, with the channels that the state has.

    Args:
        state: Tensors by the published names.
        source: Where they come from, for messages.
        architecture: None is told from the shapes.
        preprocess: What its input must be; `size` becomes the network's where None.
        position_resize: see `BackboneConfig`.
        colour: Mean and deviation per channel of the input that it was trained on, folded into the weights.

    Raises:
        FileError: Names or shapes that do not fit.
    """
    name, channels, size = architecture, 3, preprocess.size if preprocess else 224
    if name is None:
        name, channels, size = recognise(state, source=source)
    preprocess = preprocess or PreprocessSettings(size=size)
    network = build_network(BackboneConfig(name, 3, size))
    for each in first_convolutions(network):
        channels = getattr(state.get(f"{each}.weight"), "shape", (0, 3))[1]
    if channels not in (1, 3):
        raise FileError(f"{source} must hold weights for images of 1 or 3 channels, got {channels}.")
    set_channels(network, channels)
    fill_module(network, state, source=source, wanted=f"the weights of {name}")
    if colour is not None:
        set_channels(network, 3)
        mean, std = absorb_standardization(network, *colour)
        set_channels(network, channels)
        preprocess = replace(preprocess, mean=mean, std=std)
    return Backbone(BackboneConfig(name, channels, size, position_resize, preprocess), network).eval()


def _arguments(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    args = checkpoint.get("args")
    return vars(args) if isinstance(args, argparse.Namespace) else {}


def _preprocess(args: Mapping[str, Any], source: str) -> PreprocessSettings | None:
    """What the training's arguments say of its input."""
    if "augmentation" not in args:
        return None
    mean, std = args.get("data_mean"), args.get("data_std")
    both = mean is not None and std is not None  # DAX standardises only then
    try:
        return PreprocessSettings(
            version="B" if args["augmentation"] == "v2" else "A",
            lowpass=LOWPASS if args.get("subtract_lowpass") is True else 0.0,
            mean=float(mean) if both else None,  # type: ignore[arg-type]
            std=float(std) if both else None,  # type: ignore[arg-type]
        )
    except (TypeError, ValueError) as error:
        raise FileError(
            f"{source} must state a mean and a std that are numbers, got {str(mean)[:40]} and {str(std)[:40]}."
        ) from error


def _facts(checkpoint: Mapping[str, Any], args: Mapping[str, Any]) -> dict[str, object]:
    """How it was trained, as far as JSON holds it."""
    names = ("arch", "epochs", "augmentation", "batch_size_per_gpu", "optimizer", "lr", "out_dim")
    facts = {name: args[name] for name in names if isinstance(args.get(name), int | float | str)}
    epoch = checkpoint.get("epoch")
    return {**facts, "epoch": epoch} if isinstance(epoch, int) else facts
