"""X-rays with the masks of all classes at once, each a pure function of seed, number and rank."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from xraykit.render import InputError
from xraykit.render.seeds import epoch_order, item_stream
from xraykit.render.training import WorkerBatches, one_thread

from ..data.changed_image import draw_image_framing, seen_image
from ..data.framing import Framing, mask_places
from ..data.segmentation_store import SegmentationStore
from ..data.settings import SegmentationChanges
from ..network.config import InputConfig
from ..vocabulary.groups import ANY_TOOL
from ..vocabulary.reduced_classes import ReducedClass
from ..vocabulary.structures import mirrored_name

_ALL_TOOLS = "metal"  # the target of every tool
_FINER = 2  # masks are looked up so much finer than they are used, and averaged


class ClassBatch(NamedTuple):
    """B images and what each of K classes covers."""

    images: Tensor
    """(B, 3, S, S) float32 in [-1, 1], 0 in the padding"""
    cover: Tensor
    """(B, K, N, N) float32: share of each cell over the square that a class covers, 0 to 1"""
    known: Tensor
    """(B, K) bool: whether that is known; a class that may be there without a label is not"""


class ClassBatches(WorkerBatches[ClassBatch]):
    """Changed X-rays with the masks of all classes; a mirrored image exchanges left and right.

    Items come in an endless row of epochs, each a new order of all images; batch n of rank r is the part of the row
    from place (n ranks + r) batch on. An item follows from (seed, epoch, place) alone.

    Args:
        store: The images.
        numbers: Of the images to take.
        classes: K of them.
        changes: How images are changed.
        batch: B, images of a batch on each rank.
        cells: N, along an edge of the square.
        seed: Of order and changes.
        rank: This process among `ranks`.
        ranks: How many.
        input: How windows are found and shown.
        workers: Processes that make batches ahead; 0 is this one.

    Raises:
        InputError: No images, or a number outside its range.
    """

    def __init__(
        self,
        store: SegmentationStore,
        numbers: Sequence[int],
        classes: Sequence[ReducedClass],
        changes: SegmentationChanges,
        *,
        batch: int,
        cells: int,
        seed: int = 0,
        rank: int = 0,
        ranks: int = 1,
        input: InputConfig | None = None,
        workers: int = 0,
    ) -> None:
        if not len(numbers) or min(numbers) < 0 or max(numbers) >= len(store):
            raise InputError(f"numbers must be images from 0 to {len(store) - 1}, got {list(numbers)[:5]}.")
        if batch < 1 or cells < 1 or workers < 0 or not 0 <= rank < ranks:
            came = f"{batch=}, {cells=}, {workers=}, {rank=}, {ranks=}"
            raise InputError(f"expected batch and cells from 1, workers from 0, rank below ranks, got {came}.")
        order = (batch, seed, rank, ranks)
        source = _ClassItems(store, tuple(numbers), tuple(classes), changes, input or InputConfig(), cells, order)
        super().__init__(source, workers)


class _ClassItems(Dataset[ClassBatch]):
    """Batches by number."""

    def __init__(
        self,
        store: SegmentationStore,
        numbers: tuple[int, ...],
        classes: tuple[ReducedClass, ...],
        changes: SegmentationChanges,
        windows: InputConfig,
        cells: int,
        order: tuple[int, int, int, int],
    ) -> None:
        self.store, self.numbers, self.classes, self.changes = store, numbers, classes, changes
        self.windows, self.cells, self.order = windows, cells, order  # batch, seed, rank, ranks

    def __getitem__(self, number: int) -> ClassBatch:
        batch, seed, rank, ranks = self.order
        first = (number * ranks + rank) * batch
        with one_thread():
            rows = [self._item(*divmod(place, len(self.numbers)), seed) for place in range(first, first + batch)]
        images, cover, known = zip(*rows, strict=True)
        return ClassBatch(torch.stack(images), torch.stack(cover), torch.from_numpy(np.stack(known)))

    def _item(self, epoch: int, place: int, seed: int) -> tuple[Tensor, Tensor, NDArray[np.bool_]]:
        number = self.numbers[epoch_order(seed, epoch, len(self.numbers))[place]]
        rng = item_stream(seed, epoch, place, purpose=2)
        framing = draw_image_framing(self.store, number, self.changes.framing, rng)
        image = seen_image(self.store, number, framing, self.changes, self.windows, rng)
        return image, *class_cover(self.store, number, framing, self.classes, self.cells)


def class_cover(
    store: SegmentationStore, number: int, framing: Framing, classes: Sequence[ReducedClass], cells: int
) -> tuple[Tensor, NDArray[np.bool_]]:
    """What each of K classes covers of an image as a framing shows it, (K, N, N), and whether that is known, (K,).

    A class is known if one of its labels is in the image, or if the image surely lacks all that it knows of; not if a
    label is there that may belong to it without saying its side.

    Args:
        store: The images.
        number: Of the image.
        framing: How it lies; if it is mirrored, a class covers what its twin did.
        classes: K.
        cells: N, along an edge of the square.
    """
    places = mask_places(framing, store.shown(number), store.edge, _FINER * cells)
    names = [
        ANY_TOOL if kind == "tool" else mirrored_name(name) if framing.mirrored else name
        for name, kind in zip(store.annotation_names(number), store.annotation_kinds(number), strict=True)
    ]
    absent = {mirrored_name(name) if framing.mirrored else name for name in store.absent(number)}
    absent |= {ANY_TOOL} if _ALL_TOOLS in absent else set()
    told = {*store.target_numbers, ANY_TOOL}  # labels whose absence can be known; that of a pair's name follows
    cover = np.zeros((len(classes), cells, cells), dtype=np.float32)
    known = np.zeros(len(classes), dtype=np.bool_)
    for row, one in enumerate(classes):
        inside = [n for n, name in enumerate(names) if name in one.labels]
        if inside:
            mask = store.union(number, inside)[places].reshape(cells, _FINER, cells, _FINER)
            cover[row] = mask.mean((1, 3), dtype=np.float32)
        known[row] = (bool(inside) or one.labels & told <= absent) and not one.unsure.intersection(names)
    return torch.from_numpy(cover), known
