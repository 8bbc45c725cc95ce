"""What one backbone sees in one set of images, computed once and kept as memory-mapped arrays."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from xraykit.render import FileError
from xraykit.render.storage import read_json_object, read_npy

from ..network.state_digest import add_state
from .probe_set import ProbeSet

FORMAT, RECORD = 1, "store.json"  # a new number where the arrays would come out otherwise
LARGEST = 1 << 28  # bytes of the record


class StoredMap(NamedTuple):
    """Feature maps of one layer: its name, its stride [px], and the values (N, C, h, w) float16 on disk."""

    name: str
    stride: int
    values: NDArray[np.float16]


def read_maps(maps: Sequence[NDArray[Any] | Tensor], places: NDArray[np.intp]) -> list[Tensor]:
    """The maps of some images, (B, C, h, w) float32, in the order of the places; of arrays on disk no more is read."""
    return [
        one[torch.from_numpy(places)].float()
        if isinstance(one, Tensor)
        else torch.from_numpy(np.asarray(one[places], dtype=np.float32))
        for one in maps
    ]


@dataclass(frozen=True, eq=False)
class FeatureStore:
    """Features of N images by one backbone, with the truth of each; arrays stay on disk until they are read.

    Args:
        folder: Where they lie.
        digest: Of weights, preprocessing, inputs and format.
        names: Of the images.
        patients: Of the images.
        labels: Classes, "" where there is none.
        pooled: One vector an image, (N, D) float32.
        maps: Shallow to deep; empty if they were not asked for.
        images: The network's inputs for pictures, (N, S, S) uint8: 0 is their darkest, 255 their brightest value.
        masks: (N, S, S) bool, or None where an image has none.
        keypoints: (M, K, 3) float64 of each image: u, v [px] and 1 where visible, else 0; None where an image has none.
        left_out: (name, sentence) of each image that could not be read, and is not among the N.
    """

    folder: Path
    digest: str
    names: tuple[str, ...]
    patients: tuple[str, ...]
    labels: tuple[str, ...]
    pooled: NDArray[np.float32]
    maps: tuple[StoredMap, ...]
    images: NDArray[np.uint8]
    masks: NDArray[np.bool_] | None
    keypoints: tuple[NDArray[np.float64], ...] | None
    left_out: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.names)


def feature_digest(backbone: nn.Module, images: ProbeSet) -> str:
    """64 hexadecimal digits for names, types, shapes and bits of all weights, the config, the inputs and the format."""
    total = hashlib.sha256(f"{FORMAT} {images.identity} {getattr(backbone, 'config', None)!r}".encode())
    add_state(total, backbone)
    return total.hexdigest()


def open_features(folder: str | Path) -> FeatureStore:
    """The features in a folder.

    Raises:
        FileError: No features there, of another format, or damaged.
    """
    folder = Path(folder)
    record = read_json_object(folder / RECORD, what="the record of stored features", most_bytes=LARGEST)
    try:
        if record["format"] != FORMAT:
            raise FileError(f"{folder} must hold features of format {FORMAT}, got {record['format']}; remove it.")
        names, strides = tuple(record["names"]), record["maps"]
        left_out = tuple((str(name), str(why)) for name, why in record.get("left_out", ()))
        arrays = {
            name: _array(folder / f"{name}.npy", len(names) + len(left_out))[: len(names)]
            for name in ("pooled", "images", *(["masks"] if record["masks"] else []), *(f"map_{m}" for m in strides))
        }
        return FeatureStore(
            folder,
            str(record["digest"]),
            names,
            tuple(record["patients"]),
            tuple(record["labels"]),
            arrays["pooled"],
            tuple(StoredMap(name, int(stride), arrays[f"map_{name}"]) for name, stride in strides.items()),
            arrays["images"],
            arrays.get("masks"),
            _points(record["keypoints"]),
            left_out,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(
            f"{folder} must hold features as they were written, got damage ({error}); remove it."
        ) from error


def record_text(content: dict[str, Any]) -> bytes:
    """The record as it lies in the folder."""
    return (json.dumps({"format": FORMAT, **content}, indent=1) + "\n").encode()


def _array(path: Path, count: int) -> NDArray[Any]:
    array = read_npy(path, what="an array of features", remedy=f"remove {path.parent}", is_mapped=True)
    if array.shape[:1] != (count,):
        raise ValueError(f"{path.name} is of shape {array.shape}, not of {count} images")
    return array


def _points(entry: list[Any] | None) -> tuple[NDArray[np.float64], ...] | None:
    if entry is None:
        return None
    return tuple(np.array(shape[1], dtype=np.float64).reshape(shape[0]) for shape in entry)
