"""The job that prepares data sets for a training: whole or not at all, and not twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xraykit.render import FileError, InputError
from xraykit.render.dataset import ReadingOrder, XrayDataset, XraySample
from xraykit.render.storage import atomic_folder, read_table
from xraykit.render.training import wait_for_first

from ..network.config import FluoroSamConfig
from ..vocabulary.annotations import absent_targets, present_targets
from ..vocabulary.targets import all_targets
from .padded_square import PaddedSquare
from .segmentation_store import (
    ANSWERS,
    FILES,
    FORMAT,
    IMAGES,
    INDEX,
    LEAST_AREA,
    LOWEST,
    MASKS,
    MOST_AREA,
    STEP,
    TABLE,
    SegmentationStore,
)

DETAIL = 1.25  # stored pixels per pixel of the network, so that zooming in finds some detail


def prepare_segmentations(
    sources: Sequence[str | Path],
    config: FluoroSamConfig,
    folder: str | Path,
    report: Callable[[int, int], None] | None = None,
) -> SegmentationStore:
    """Every image of data set jobs reduced and stored with its masks, and which targets it shows and lacks.

    Images are averaged down to a longer side of 1.25 times the network's, or kept as they are where they have no more,
    as 16-bit codes of -ln of the intensity; a mask is taken at the middle of each stored pixel, where the collimator
    leaves it open. A store of the same data and sizes is used as it is; an interrupted job leaves the folder as it was.
    Images without annotations are left out, and so are shards that are damaged. What an image lacks is only known where
    the job was made with `labels: all`.

    Args:
        sources: Folders of data sets.
        config: Of the network; its image_size and mask_size count.
        folder: For the store; made if need be, other files in it stay.
        report: Called with (images done, images in all).

    Raises:
        InputError: No source, one twice, or no image with annotations.
        FileError: A source is no finished data set, or has no shard that is whole.
        OutputError: The folder cannot be written, or the disk is full.
    """
    folder, listed = Path(folder), _opened(sources)
    digest = _digest(listed, config)
    done = _existing(folder, digest)
    if done is not None:
        return done
    datasets = _opened(sources, on_damage="skip")
    left_out = [(f"{name}/{shard}", why) for name, data in datasets.items() for shard, why in data.damaged]
    edge = _edge(datasets, config)
    total, number = sum(len(data) for data in datasets.values()), 0
    with atomic_folder(folder, owned=FILES) as staging, _StoreWriter(staging, edge) as writer:
        for name, data in datasets.items():
            complete = _all_labelled(data)
            for sample in data:
                try:
                    writer.add(name, sample, complete=complete)
                except FileError as error:
                    raise FileError(f"{name}: {error}") from error
                number += 1
                if report is not None:
                    report(number, total)
        sizes = {"image_size": config.image_size, "mask_size": config.mask_size}
        writer.finish({"digest": digest, "left_out": left_out, **sizes})
    return SegmentationStore(folder)


def wait_for_segmentations(
    sources: Sequence[str | Path], config: FluoroSamConfig, folder: str | Path, *, seconds: float = 24 * 3600.0
) -> SegmentationStore:
    """The store that another process prepares from the same data and sizes, once it is whole.

    Raises:
        OutputError: It is not there in time.
    """
    digest, place = _digest(_opened(sources), config), Path(folder)
    return wait_for_first(lambda: _existing(place, digest), place, seconds=seconds)


class _StoreWriter:
    """Fills a folder with images, one after another; `finish` writes the index last."""

    def __init__(self, folder: Path, edge: int) -> None:
        self.folder, self.edge = folder, edge
        self.images, self.masks = (folder / IMAGES).open("wb"), (folder / MASKS).open("wb")
        self.rows: dict[str, list[Any]] = {name: [] for name in ("names", "labels", "shown", "annotations")}
        self.words: dict[str, int] = {}
        self.table: list[list[int]] = []
        self.targets = {name: n for n, name in enumerate(all_targets())}
        self.answers: list[NDArray[np.bool_]] = []

    def __enter__(self) -> _StoreWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.images.close()
        self.masks.close()

    def add(self, source: str, sample: XraySample, *, complete: bool) -> None:
        """Append an image, unless nothing is annotated in it."""
        if not sample.names:
            return
        height, width = sample.camera.height, sample.camera.width
        square = PaddedSquare(height, width, self.edge)
        lines = square.resized(sample.log_attenuation()[0], fill=LOWEST).numpy()
        self.images.write(np.rint((lines - LOWEST) / STEP).clip(0, 65_535).astype("<u2").tobytes())
        masks = _at_centres((sample.masks & sample.open_field).numpy(), square.shown)
        names, kinds = sample.names, sample.kinds
        for name, kind, mask in zip(names, kinds, masks, strict=True):
            box, packed, area = _packed(mask)
            self.masks.write(packed)
            self.table.append([self.words.setdefault(name, len(self.words)), int(kind == "tool"), *box, area])
        areas = masks.sum(axis=(1, 2)) / (square.shown[0] * square.shown[1])
        self.answers.append(self._answers(names, kinds, areas, complete=complete))
        patient = f"{source}/{sample.patient:06d}"
        labels = {"view": sample.view, "region": sample.region, "patient": patient, "split": sample.split}
        row = {"names": f"{source}/{sample.key}", "labels": labels, "shown": square.shown, "annotations": len(names)}
        for key, value in row.items():
            self.rows[key].append(value)

    def _answers(
        self, names: Sequence[str], kinds: Sequence[str], areas: NDArray[np.float64], *, complete: bool
    ) -> NDArray[np.bool_]:
        """Which targets the image shows and which it lacks, (2, T)."""
        answers = np.zeros((2, len(self.targets)), dtype=np.bool_)
        for target, members in present_targets(names, kinds).items():
            parts = areas[list(members)]
            answers[0, self.targets[target]] = parts.sum() >= LEAST_AREA and parts.max() <= MOST_AREA
            answers[1, self.targets[target]] = complete and parts.sum() == 0  # the collimator covers it
        for target in absent_targets(names, kinds) if complete else ():
            answers[1, self.targets[target]] = True
        return answers

    def finish(self, facts: dict[str, Any]) -> None:
        """Write tables and index."""
        if not self.answers:
            raise InputError("at least one image must have annotations, got none; make the data set with labels: all.")
        np.array(self.table, dtype="<i4").tofile(self.folder / TABLE)
        shown_and_lacked = np.stack(self.answers, axis=1)
        np.stack([np.packbits(row) for row in shown_and_lacked]).tofile(self.folder / ANSWERS)
        index = {"format": FORMAT, "edge": self.edge, "words": list(self.words), "targets": list(self.targets)}
        index |= {**facts, **self.rows}
        (self.folder / INDEX).write_text(json.dumps(index), encoding="utf-8")


def _at_centres(masks: NDArray[np.bool_], shown: tuple[int, int]) -> NDArray[np.bool_]:
    """Masks (A, H, W) at the centres of rows x columns pixels."""
    height, width = masks.shape[-2:]
    rows, columns = (
        ((np.arange(count) + 0.5) * side / count).astype(np.int64)
        for count, side in zip(shown, (height, width), strict=True)
    )
    return masks if (height, width) == shown else masks[:, rows[:, None], columns]


def _packed(mask: NDArray[np.bool_]) -> tuple[tuple[int, int, int, int], bytes, int]:
    """Box (top, left, rows, columns), its packed bits, and the pixels of a mask; a mask without any has no box."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return (0, 0, 0, 0), b"", 0
    top, left = int(rows[0]), int(columns[0])
    inside = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    return (top, left, *inside.shape), np.packbits(inside).tobytes(), int(inside.sum())


def _opened(sources: Sequence[str | Path], *, on_damage: Literal["stop", "skip"] = "stop") -> dict[str, XrayDataset]:
    """The data sets by name, each read in order."""
    places = [Path(source).resolve() for source in sources]
    if not places or len(set(places)) < len(places):
        raise InputError(f"a training needs data sets, each once, got {', '.join(map(str, sources)) or 'none'}.")
    named: dict[str, XrayDataset] = {}
    for place in places:
        name, more = place.name, 2
        while name in named:
            name, more = f"{place.name}~{more}", more + 1
        order = ReadingOrder(shuffle=False)
        named[name] = XrayDataset(place, order=order, rank=0, world_size=1, on_damage=on_damage)
    return named


def _edge(datasets: dict[str, XrayDataset], config: FluoroSamConfig) -> int:
    """The edge of the stored squares: no more than the largest image has."""
    sides = []
    for data in datasets.values():
        first = next(iter(data), None)
        sides += [max(first.camera.height, first.camera.width)] if first else []
    return min(max(sides, default=config.image_size), round(DETAIL * max(config.image_size, config.mask_size)))


def _all_labelled(data: XrayDataset) -> bool:
    """Whether a job's own configuration says that everything is labelled."""
    path = Path(data.store.address) / "config.yaml"
    return path.is_file() and read_table(path).get("labels", "all") == "all"


def _digest(datasets: dict[str, XrayDataset], config: FluoroSamConfig) -> str:
    shards = [(name, [(shard.name, shard.sha256) for shard in data.shards]) for name, data in datasets.items()]
    facts = FORMAT, shards, config.image_size, config.mask_size, tuple(all_targets())
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _existing(folder: Path, digest: str) -> SegmentationStore | None:
    if not (folder / INDEX).is_file():
        return None
    try:
        store = SegmentationStore(folder)
    except FileError:
        return None
    return store if store.digest == digest else None
