"""Images with what a probe has to find in them, on the square that a backbone sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from torch import Tensor

from xraykit.render import InputError
from xraykit.render.commands import LeftOut
from xraykit.render.evaluation import input_digest

Entry = TypeVar("Entry")


@dataclass(frozen=True, eq=False)
class ProbeImage:
    """One image and its truth.

    Args:
        name: Unique in its set.
        patient: Whose image it is; folds keep patients together.
        image: The network's input, (1, S, S) float32, after the backbone's own preprocessing.
        label: The class, "" where there is none.
        mask: What belongs to the object, (S, S) bool, or None.
        keypoints: M objects of K points each, (M, K, 3), or None: u and v [px of the square, borders at whole numbers],
            and 1 where the point is visible, else 0.

    Raises:
        InputError: An image that is not a finite square, or a mask or keypoints that do not fit it.
    """

    name: str
    patient: str
    image: Tensor
    label: str = ""
    mask: Tensor | None = None
    keypoints: Tensor | None = None

    def __post_init__(self) -> None:
        shape = tuple(self.image.shape)
        if len(shape) != 3 or shape[0] != 1 or shape[1] != shape[2] or not bool(self.image.isfinite().all()):
            raise InputError(f"the image of {self.name} must be finite and (1, S, S), got {shape}.")
        if self.mask is not None and tuple(self.mask.shape) != shape[1:]:
            raise InputError(
                f"the mask of {self.name} must be as large as its image, {shape[1]} x {shape[2]} pixels, got "
                f"{' x '.join(map(str, self.mask.shape))}."
            )
        if self.keypoints is not None and (self.keypoints.ndim != 3 or self.keypoints.shape[-1] != 3):
            raise InputError(f"keypoints of {self.name} must be (M, K, 3), got {tuple(self.keypoints.shape)}.")


@dataclass(frozen=True, eq=False)
class ProbeSet:
    """Images that can be gone through again and again, always in the same order.

    Args:
        identity: A digest of everything that the images are made from; features are cached under it.
        count: How many there are, 1 or more.
        images: Begins at the first.
        cases: Patient and label of each image, without reading any; None where only the images tell.
        left_out: (name, sentence) of each damaged shard of a data set, whose images are not among them.
        readable: As `images`, but leaves out those that cannot be read; None where none can be told from the others.

    Raises:
        InputError: No images.
    """

    identity: str
    count: int
    images: Callable[[], Iterator[ProbeImage]]
    cases: Callable[[], list[tuple[str, str]]] | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    readable: Callable[[LeftOut], Iterator[ProbeImage]] | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InputError("a probe needs at least one image, got an empty set.")

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[ProbeImage]:
        return self.images()

    def without(self, left_out: LeftOut) -> Iterator[ProbeImage]:
        """The images but for those that cannot be read, which `left_out` takes."""
        return self.images() if self.readable is None else self.readable(left_out)


def images_of_files(
    entries: Sequence[Entry],
    read: Callable[[Entry], ProbeImage],
    *,
    name: Callable[[Entry], str],
    case: Callable[[Entry], tuple[str, str]],
    identity: str,
) -> ProbeSet:
    """The set of one image for each entry of a list.

    Args:
        entries: Of the list.
        read: The image of an entry.
        name: What to call the entry where its image is left out.
        case: Patient and label of an entry.
        identity: See `ProbeSet`.
    """

    def readable(left_out: LeftOut) -> Iterator[ProbeImage]:
        return left_out.kept(entries, read, name=name)

    def images() -> Iterator[ProbeImage]:
        return readable(LeftOut(none=True))

    return ProbeSet(identity, len(entries), images, lambda: [case(entry) for entry in entries], readable=readable)


def digest_of_files(facts: object, files: Sequence[Path]) -> str:
    """64 hexadecimal digits for what is known and the bytes of files; of one that cannot be read, that it cannot.

    Raises:
        FileError: Not one of them can be read.
    """
    left_out = LeftOut()
    read = list(left_out.kept(files, input_digest, name=str))
    left_out.check(len(read))
    return input_digest(repr((facts, read, left_out.found)).encode())


def spread(count: int, limit: int | None) -> tuple[int, ...]:
    """Which of `count` images to take where at most `limit` are wanted: evenly from first to last.

    Raises:
        InputError: A limit below 1.
    """
    if limit is None:
        return tuple(range(count))
    if limit < 1:
        raise InputError(f"limit must be 1 image or more, got {limit}.")
    return tuple(range(count)) if limit >= count else tuple(n * count // limit for n in range(limit))
