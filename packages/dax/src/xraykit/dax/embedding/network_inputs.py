"""X-rays as batches of network inputs, read one batch ahead of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from xraykit.render import XraykitError

from ..predictor import network_input

if TYPE_CHECKING:
    from ..data.settings import PreprocessSettings
    from ..data.xrays import XrayCollection


class InputFacts(NamedTuple):
    """What is known of an X-ray: its name, its labels, and what was assumed of it."""

    name: str
    labels: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class InputBatch:
    """Some X-rays as a network sees them.

    Args:
        first: Number of the first in its collection.
        end: Number after the last.
        facts: Of each that could be read, B of them; B may be 0.
        inputs: Of `network_input`, (B, 1, S, S) float32.
        skipped: Name of each damaged one and what is wrong with it.
    """

    first: int
    end: int
    facts: tuple[InputFacts, ...]
    inputs: Tensor
    skipped: tuple[tuple[str, str], ...]

    def pictures(self, settings: PreprocessSettings) -> Tensor:
        """The inputs before they were standardised, (B, S, S) in [0, 1], bone bright."""
        images = self.inputs[:, 0]
        return images if settings.mean is None or settings.std is None else images * settings.std + settings.mean


def input_batches(
    xrays: XrayCollection, settings: PreprocessSettings, *, batch: int, start: int = 0, most: int | None = None
) -> Iterator[InputBatch]:
    """All X-rays of a collection in order, `batch` numbers at a time, so that a batch depends on its numbers alone.

    Args:
        xrays: Made by `find_xrays`; its `skip_damaged` decides about damaged files.
        settings: The backbone's.
        batch: Numbers in a batch; damaged ones leave it smaller.
        start: Number to begin at.
        most: Where there are more, take so many, evenly spaced and one at a time.

    Raises:
        FileError, InputError: An X-ray cannot be read or preprocessed, and damaged ones are not skipped.
    """
    count = len(xrays)
    numbers = [(first, min(first + batch, count)) for first in range(start, count, batch)]
    if most is not None and most < count - start:
        places = [start + n * (count - start) // most for n in range(most)]
        numbers = [(place, place + 1) for place in places]
    return _ahead([lambda pair=pair: _read(xrays, settings, *pair) for pair in numbers])


def _read(xrays: XrayCollection, settings: PreprocessSettings, first: int, end: int) -> InputBatch:
    facts, squares, skipped = [], [], []
    for number in range(first, end):
        try:
            frame = xrays[number]
            squares.append(network_input(frame, settings))
        except XraykitError as error:
            if not xrays.skip_damaged:
                raise
            skipped.append((xrays.where(number), str(error)))
            continue
        facts.append(InputFacts(frame.name, dict(frame.labels), tuple(frame.notes)))
    inputs = torch.stack(squares) if squares else torch.empty(0, 1, settings.size, settings.size)
    return InputBatch(first, end, tuple(facts), inputs, tuple(skipped))


def _ahead(jobs: list[Callable[[], InputBatch]]) -> Iterator[InputBatch]:
    """Results in order; a thread works on the next while the caller uses this one."""
    with ThreadPoolExecutor(1) as reader:
        coming = [reader.submit(job) for job in jobs[:1]]
        for number in range(len(jobs)):
            ready = coming.pop().result()
            if number + 1 < len(jobs):
                coming.append(reader.submit(jobs[number + 1]))
            yield ready
