"""Annotated pairs of X-rays as a network takes them: images prepared once, points with the way to their patches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import FileError, InputError
from xraykit.render.commands import LeftOut

from .annotations import AnnotatedPoint, AnnotatedSample
from .letterbox import Letterbox
from .marked_entries import AnnotationTargets, annotation_targets
from .settings import XrayInputSettings
from .xray_input import prepare_xray
from .xray_reading import XrayReading

FAR = 2.0
"""Patches: a random entry is no nearer than this to a positive one in either view"""


@dataclass(frozen=True, eq=False)
class AnnotatedImages:
    """Two views of a sample and what is marked in them."""

    sample: str
    patient: str
    images: Tensor
    """(2, 1, S, S) float32 in [0, 1], bone bright"""
    to_input: NDArray[np.float64]
    """(2, 3, 3): pixels of each original to shares of the square, 0 to 1"""
    points: tuple[AnnotatedPoint, ...]
    inside: Tensor
    """(2, S, S) bool: pixels that show the X-ray"""

    def targets(self, grid: int, *, dilate: bool = True) -> AnnotationTargets:
        """The known entries of the matrix of both views."""
        return annotation_targets(self.points, list(self.to_input), grid=grid, dilate=dilate)


class AnnotatedPairs(Sequence[AnnotatedImages]):
    """Every pair of views that has points, of some samples; the images are kept in memory as 16-bit floats.

    Args:
        samples: What is marked.
        folder: From where their files are named.
        settings: Of the network's input.
        reading: How files are read.
        report: Told (images done, images in all).
        left_out: Takes images that are missing, damaged, or of another size than the annotations say, whose pairs are
            not among these; None ends at the first.

    Attributes:
        assumed: Files by what was assumed of them or is doubtful.

    Raises:
        FileError: An image cannot be used, or no pair is left.
        InputError: No sample has points.
    """

    def __init__(
        self,
        samples: Sequence[AnnotatedSample],
        folder: Path,
        settings: XrayInputSettings,
        *,
        reading: XrayReading | None = None,
        report: Callable[[int, int], None] | None = None,
        left_out: LeftOut | None = None,
    ) -> None:
        left_out = left_out or LeftOut(none=True)
        self._pairs = [(sample, pair.views, pair.points) for sample in samples for pair in sample.pairs if pair.points]
        if not self._pairs:
            raise InputError("at least one sample must have points in a pair of views, got none; annotate some first.")
        wanted: dict[str, set[tuple[int, int]]] = {}
        for view in (sample.views[n] for sample, views, _ in self._pairs for n in views):
            wanted.setdefault(view.file, set()).add(view.size)
        self._images: dict[str, tuple[Tensor, Letterbox, Tensor]] = {}
        self.assumed: dict[str, list[str]] = {}
        for done, (file, sizes) in enumerate(wanted.items()):
            if report is not None:
                report(done, len(wanted))
            with left_out.going_on(file):
                prepared = prepare_xray(folder / file, settings, reading=reading)
                _check_size(folder / file, prepared.size, sizes)
                self._images[file] = prepared.image.half(), prepared.letterbox, prepared.inside
                for note in prepared.notes:
                    self.assumed.setdefault(note, []).append(file)
        if report is not None:
            report(len(wanted), len(wanted))
        self._pairs = [one for one in self._pairs if all(one[0].views[n].file in self._images for n in one[1])]
        left_out.check(len(self._pairs))
        self._pairs = [(sample, views, self._within(sample, views, points)) for sample, views, points in self._pairs]

    def __len__(self) -> int:
        """How many pairs of views."""
        return len(self._pairs)

    def __getitem__(self, number: int) -> AnnotatedImages:  # type: ignore[override]
        """Pair `number`, counted from 0."""
        sample, views, points = self._pairs[number]
        held = [self._images[sample.views[n].file] for n in views]
        images = torch.stack([image.float() for image, _, _ in held])
        matrices = np.stack([to_shares(letterbox) for _, letterbox, _ in held])
        inside = torch.stack([shown for _, _, shown in held])
        return AnnotatedImages(sample.id, sample.patient, images, matrices, points, inside)

    def __iter__(self) -> Iterator[AnnotatedImages]:
        """All pairs in their order."""
        return (self[number] for number in range(len(self)))

    def _within(
        self, sample: AnnotatedSample, views: tuple[int, int], points: Sequence[AnnotatedPoint]
    ) -> tuple[AnnotatedPoint, ...]:
        """The points with those of the far border on the last pixel."""
        a, b = (self._images[sample.views[n].file][1] for n in views)
        return tuple(replace(point, a=a.within(*point.a), b=b.within(*point.b)) for point in points)

    @property
    def patients(self) -> tuple[str, ...]:
        """Whose pair each is."""
        return tuple(sample.patient for sample, _, _ in self._pairs)


def _check_size(path: Path, size: tuple[int, int], wanted: set[tuple[int, int]]) -> None:
    for height, width in wanted - {size}:
        raise FileError(
            f"{path} must be {width} x {height} px as annotated, got {size[1]} x {size[0]}; points count in pixels of "
            "the original file."
        )


def to_shares(letterbox: Letterbox) -> NDArray[np.float64]:
    """The (3, 3) matrix from pixels of an original to shares of its square, 0 to 1."""
    scale = 1 / letterbox.side
    return np.array([[scale, 0, -letterbox.left * scale], [0, scale, -letterbox.top * scale], [0, 0, 1.0]])


def with_random_negatives(
    targets: AnnotationTargets, *, grid: int, count: int, rng: np.random.Generator
) -> AnnotationTargets:
    """The targets with random entries that are taken for negative, until there are `count` negative ones.

    Half of them begin at a patch of a positive entry; none is within `FAR` patches of a positive entry in both views.
    How the paper's 100 negatives a sample were chosen is not said.
    """
    have = int((targets.values < 0.5).sum())
    positive = targets.entries[targets.values >= 0.5]
    wanted = count - have
    if wanted <= 0 or not len(positive):
        return targets
    tries = rng.integers(grid**2, size=(8 * wanted, 2))
    tries[::2, 0] = rng.choice(positive[:, 0], size=len(tries[::2]))
    near_first, near_second = (_distance(tries[:, side], positive[:, side], grid) <= FAR for side in (0, 1))
    kept = np.unique(tries[~(near_first & near_second).any(1)], axis=0)
    kept = kept[rng.permutation(len(kept))[:wanted]]
    known = {tuple(entry) for entry in targets.entries.tolist()}
    kept = np.array([entry for entry in kept.tolist() if tuple(entry) not in known], dtype=np.int64).reshape(-1, 2)
    return AnnotationTargets(
        np.concatenate([targets.entries, kept]),
        np.concatenate([targets.values, np.zeros(len(kept), dtype=np.float32)]),
        np.concatenate([targets.weights, np.ones(len(kept), dtype=np.float32)]),
        targets.outside,
        targets.contradicted,
    )


def _distance(patches: NDArray[np.int64], others: NDArray[np.int64], grid: int) -> NDArray[np.float64]:
    """Distances (N, M) of patches, in patches."""
    row, column = np.divmod(patches, grid)
    other_row, other_column = np.divmod(others, grid)
    return np.hypot(row[:, None] - other_row, column[:, None] - other_column)
