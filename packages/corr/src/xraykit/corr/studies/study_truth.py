"""The true correspondence of the views of studies, in one file beside their manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import FileError, InputError
from xraykit.render.storage import open_npz, write_atomically

from .manifest import listed
from .study import LabelledStudy

TRUTH = "correspondences.npz"


def write_truth(folder: Path, matrices: Mapping[str, NDArray[np.uint8]]) -> Path:
    """Write the packed matrices (P, L, L) of studies by name, pairs of views in the order of `combinations`."""
    return write_atomically(folder / TRUTH, lambda file: np.savez_compressed(file, **matrices))  # type: ignore[arg-type]


def read_truth(path: Path, studies: Sequence[LabelledStudy], *, views: int, grid: int) -> Tensor:
    """The true correspondence of the first views of studies, (N, P, L, L) uint8 in 255ths; 0 for absent views.

    Args:
        path: The file.
        studies: Whose.
        views: Most views of a study that count.
        grid: Patches a side that are needed.

    Raises:
        FileError: No such file, or a damaged one.
        InputError: A study is not in it, or another grid.
    """
    pairs, patches = list(combinations(range(views), 2)), grid * grid
    found = torch.zeros(len(studies), len(pairs), patches, patches, dtype=torch.uint8)
    with open_npz(path, what="the correspondences beside a manifest", remedy="make the studies again") as file:
        missing = [study.name for study in studies if study.name not in file]
        if missing:
            raise InputError(f"{path} must hold every study, got none of {listed(missing)}; make the studies again.")
        for number, study in enumerate(studies):
            stored = file[study.name]
            all_pairs = list(combinations(range(len(study.images)), 2))
            if stored.dtype != np.uint8 or stored.ndim != 3 or len(stored) != len(all_pairs):
                raise FileError(f"{path} must hold (P, L, L) bytes for {study.name}, got {stored.shape}.")
            if stored.shape[1:] != (patches, patches):
                own = round(stored.shape[-1] ** 0.5)
                raise InputError(
                    f"the true correspondence must have the network's grid of {grid} patches, {path} has {own}; "
                    f"make the studies again with --grid {grid}."
                )
            for place, pair in enumerate(pairs):
                if pair in all_pairs:
                    found[number, place] = torch.from_numpy(stored[all_pairs.index(pair)])
    return found
