"""The job that prepares views for pairs: whole or not at all, and not twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import FileError, InputError
from xraykit.render.dataset import ReadingOrder, TissueGrid, XrayDataset, XraySample
from xraykit.render.storage import atomic_folder
from xraykit.render.training import wait_for_first

from ..ground_truth.projection import change_projection, image_projection
from .pair_store import FILES, FORMAT, GEOMETRY, IMAGES, INDEX, TISSUE, PairStore, class_bits, line_codes
from .settings import XrayField

NEAREST = 50.0  # least distance from the source to tissue [mm]; nearer cells would shadow the whole image
MANIFEST = "manifest.json"  # of a data set job


def prepare_pairs(
    sources: Sequence[str | Path],
    folder: str | Path,
    *,
    size: int,
    field: XrayField = "whole",
    report: Callable[[int, int], None] | None = None,
) -> PairStore:
    """Every view of data set jobs reduced and stored with its projection, and every patient's cells of tissue.

    Intensities are averaged down until the longest side has at most `size` pixels (about 1.3 times the network's, so
    that zooming in keeps its detail), padded to a square in the middle, and kept as 16-bit codes of their logarithm. A
    store of the same data and options is used as it is; an interrupted job leaves the folder as it was. Views whose
    source is less than 50 mm from tissue, or that show none, are left out, and so are shards that are damaged.

    Args:
        sources: Folders of data sets made with `image.tissue`.
        folder: For the store; made if need be, other files in it stay.
        size: Most pixels of a side; no more than the largest images have.
        field: "exposed" blanks what the collimator covers.
        report: Called with (views done, views in all).

    Raises:
        InputError: size below 8, no source, one twice, or no view is left.
        FileError: A source is no finished data set, has no shard that is whole, or was made without tissue.
        OutputError: The folder cannot be written, or the disk is full.
    """
    digest, folder = _digest(_opened(sources, size), size, field), Path(folder)
    done = _existing(folder, digest)
    if done is not None:
        return done
    datasets = _opened(sources, size, on_damage="skip")
    left_out = [(f"{name}/{shard}", why) for name, data in datasets.items() for shard, why in data.damaged]
    total, number = sum(len(data) for data in datasets.values()), 0
    with atomic_folder(folder, owned=FILES) as staging, _StoreWriter(staging, _edge(datasets, size), field) as writer:
        for name, data in datasets.items():
            for sample in data:
                writer.add(name, sample)
                number += 1
                if report is not None:
                    report(number, total)
        writer.finish(digest, left_out)
    return PairStore(folder)


def wait_for_pairs(
    sources: Sequence[str | Path],
    folder: str | Path,
    *,
    size: int,
    field: XrayField = "whole",
    seconds: float = 24 * 3600.0,
) -> PairStore:
    """The store that another process prepares from the same data and options, once it is whole.

    Raises:
        OutputError: It is not there in time.
    """
    digest, place = _digest(_opened(sources, size), size, field), Path(folder)
    return wait_for_first(lambda: _existing(place, digest), place, seconds=seconds)


class _StoreWriter:
    """Fills a folder with views, one after another; `finish` writes the index last."""

    def __init__(self, folder: Path, size: int, field: XrayField) -> None:
        self.folder, self.size = folder, size
        self.field: XrayField = field
        self.images, self.tissue = (folder / IMAGES).open("wb"), (folder / TISSUE).open("wb")
        self.rows: dict[str, list[Any]] = {name: [] for name in ("names", "labels", "patient", "damaged")}
        self.patients: dict[str, tuple[int, TissueGrid, Tensor]] = {}
        self.projections: list[Tensor] = []

    def __enter__(self) -> _StoreWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.images.close()
        self.tissue.close()

    def add(self, source: str, sample: XraySample) -> None:
        """Append a view, and its patient if it is the first of its views."""
        name, patient = f"{source}/{sample.key}", f"{source}/{sample.patient:06d}"
        try:
            if patient not in self.patients:
                grid = sample.tissue
                self.patients[patient] = len(self.patients), grid, _points(grid)
                self.tissue.write(class_bits(grid.classes))
            projection, reason = _seen(sample, self.patients[patient][2])
        except FileError as error:
            raise FileError(f"{source}: {error}") from error
        if reason:
            self.rows["damaged"].append((name, reason))
            return
        self.images.write(_reduced(sample, self.size, self.field).tobytes())
        labels = {"view": sample.view, "region": sample.region, "patient": patient, "split": sample.split}
        self.rows["names"].append(name)
        self.rows["labels"].append(labels)
        self.rows["patient"].append(self.patients[patient][0])
        self.projections.append(projection)

    def finish(self, digest: str, left_out: Sequence[tuple[str, str]]) -> None:
        """Write geometry and index."""
        if not self.projections:
            reason = self.rows["damaged"][0] if self.rows["damaged"] else ("the data", "there is none")
            raise InputError(f"at least one view must show tissue, got none: {reason[0]}: {reason[1]}.")
        grids = [grid for _, grid, _ in self.patients.values()]
        numbers = [np.stack(self.projections).ravel(), np.stack([grid.affine for grid in grids]).ravel()]
        np.concatenate(numbers).astype("<f8").tofile(self.folder / GEOMETRY)
        index = {"format": FORMAT, "digest": digest, "size": self.size, "patients": list(self.patients)}
        index |= {"shapes": [list(grid.classes.shape) for grid in grids], "left_out": left_out, **self.rows}
        (self.folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def _seen(sample: XraySample, points: Tensor) -> tuple[Tensor, str]:
    """The projection of the padded square, and why the view cannot be used."""
    height, width = sample.camera.height, sample.camera.width
    change = torch.eye(3, dtype=torch.float64)
    longest = max(height, width)
    change[0, 0], change[1, 1] = width / longest, height / longest
    change[:2, 2] = (1 - change.diagonal()[:2]) / 2
    projection = change_projection(image_projection(sample.camera, sample.pose)[0], change)
    if not len(points):
        return projection, "its patient has no tissue"
    seen = points @ projection[:, :3].mT + projection[:, 3]
    nearest = float(seen[:, 2].min())
    if nearest < NEAREST:
        return projection, f"its source is {nearest:.0f} mm from tissue, {NEAREST:.0f} are needed"
    shares = seen[:, :2] / seen[:, 2:]
    if not bool(((shares >= 0) & (shares <= 1)).all(dim=1).any()):
        return projection, "no tissue lies in its field"
    return projection, ""


def _points(grid: TissueGrid) -> Tensor:
    """World positions of the cells that hold tissue, (N, 3) float64 [mm]."""
    cells = grid.classes.nonzero().flip(1).double()
    return cells @ grid.affine[:3, :3].mT + grid.affine[:3, 3]


def _reduced(sample: XraySample, size: int, field: XrayField) -> np.ndarray:
    """Codes (size, size) of one view."""
    height, width = sample.camera.height, sample.camera.width
    scale = size / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    lines, opened = sample.log_attenuation()[0], sample.open_field if field == "exposed" else None
    if (rows, columns) != (height, width):
        intensity = F.interpolate(sample.intensity()[None], (rows, columns), mode="bilinear", antialias=True)
        lines = -intensity[0, 0].clamp_min(1e-6).log()
        if opened is not None:
            opened = F.interpolate(opened[None, None].float(), (rows, columns), mode="area")[0, 0] > 0.999
    codes = line_codes(lines.numpy(), None if opened is None else opened.numpy())
    top, left = (size - rows) // 2, (size - columns) // 2
    return np.pad(codes, ((top, size - rows - top), (left, size - columns - left)))


def _opened(
    sources: Sequence[str | Path], size: int, *, on_damage: Literal["stop", "skip"] = "stop"
) -> dict[str, XrayDataset]:
    """The data sets by name, each read in order."""
    if size < 8:
        raise InputError(f"size must be 8 or more pixels, got {size}.")
    places = [job_of(source).resolve() for source in sources]
    if not places or len(set(places)) < len(places):
        raise InputError(f"pairs need data sets, each once, got {', '.join(map(str, sources)) or 'none'}.")
    named: dict[str, XrayDataset] = {}
    for place in places:
        name, more = place.name, 2
        while name in named:
            name, more = f"{place.name}~{more}", more + 1
        named[name] = XrayDataset(
            place,
            order=ReadingOrder(shuffle=False),
            parts=("image", "tissue"),
            rank=0,
            world_size=1,
            on_damage=on_damage,
        )
    return named


def job_of(source: str | Path) -> Path:
    """The data set job of a folder: the folder itself, or its `images`, where `xraykit corr pairs` keeps it."""
    source, inner = Path(source), Path(source) / "images"
    return inner if (inner / MANIFEST).is_file() and not (source / MANIFEST).exists() else source


def _edge(datasets: dict[str, XrayDataset], size: int) -> int:
    """The edge of the stored squares: at most `size`, and no more than the largest image has."""
    return min(size, max(max(sample.camera.height, sample.camera.width) for sample in _firsts(datasets)))


def _firsts(datasets: dict[str, XrayDataset]) -> Iterator[XraySample]:
    """The first sample of each data set; all of its images have one size."""
    for data in datasets.values():
        yield from (next(iter(data)) for _ in range(min(1, len(data))))


def _digest(datasets: dict[str, XrayDataset], size: int, field: XrayField) -> str:
    shards = [(name, [(shard.name, shard.sha256) for shard in data.shards]) for name, data in datasets.items()]
    return hashlib.sha256(repr((FORMAT, shards, size, field)).encode()).hexdigest()


def _existing(folder: Path, digest: str) -> PairStore | None:
    if not (folder / INDEX).is_file():
        return None
    try:
        store = PairStore(folder)
    except FileError:
        return None
    return store if store.digest == digest else None
