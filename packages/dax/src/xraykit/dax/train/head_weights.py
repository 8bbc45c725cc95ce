"""Projection heads on disk, so that a pre-training can go on from its weights with the head that it had."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from xraykit.render import FileError
from xraykit.render.weights import WeightsKind, fill_module, load_weights, save_weights

from ..network.backbone_weights import PUBLISHED
from ..network.dino_head import DinoHead
from ..network.published import read_published_head
from .settings import HeadSettings

DINO_HEAD = WeightsKind("dino head", "xraykit-dax")


def new_head(dimension: int, settings: HeadSettings) -> DinoHead:
    """A head for features of this many numbers."""
    return DinoHead(
        dimension,
        settings.outputs,
        hidden=settings.hidden,
        bottleneck=settings.bottleneck,
        layers=settings.layers,
        batch_norm=settings.batch_norm,
        norm_last_layer=settings.norm_last_layer,
    )


def save_head(head: DinoHead, folder: str | Path, settings: HeadSettings) -> Path:
    """Write the head beside the backbone, see `save_weights`."""
    return save_weights(folder, head.state_dict(), DINO_HEAD, config=asdict(settings))


def load_head(folder: str | Path, dimension: int, settings: HeadSettings) -> DinoHead:
    """The head that was saved there.

    Raises:
        FileError: Not readable, or a head of another form than the settings ask for; the message says how to begin
            with a new one.
    """
    head = new_head(dimension, settings)
    saved = load_weights(folder, DINO_HEAD)
    try:
        return fill_module(head, saved.state, source=str(folder), wanted="the head of these settings")
    except FileError as error:
        raise FileError(
            f"{error} Give the settings of its training (--config), or remove the folder to begin with a new head."
        ) from error


def starting_head(start: str | None, dimension: int, settings: HeadSettings) -> DinoHead:
    """The head that lies beside weights to go on from, or in a published checkpoint; else a new one.

    Raises:
        FileError: as `load_head`, or a published head of another form.
    """
    if start is None:
        return new_head(dimension, settings)
    if (Path(start) / "head").is_dir():
        return load_head(Path(start) / "head", dimension, settings)
    path = PUBLISHED[start].download() if start in PUBLISHED else Path(start)
    if path.suffix == ".safetensors" or not path.is_file():
        return new_head(dimension, settings)
    state = read_published_head(path)
    return fill_module(new_head(dimension, settings), state, source=str(path), wanted="the head of these settings")
