"""The job that prepares frames: with workers, not twice, and after an interruption from where it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from xraykit.render import FileError, InputError
from xraykit.render.storage import make_folder
from xraykit.render.training import wait_for_first

from .frame_codes import encode
from .frame_pool import DamagedXray, map_frames
from .frame_shards import FrameRow, finish_store, is_whole, write_shard
from .frames import FORMAT, INDEX, FrameStore
from .preprocessing import finite_images
from .settings import PreprocessSettings
from .xrays import XrayCollection, XrayFrame

SHARD = 512  # X-rays that a kill costs at most; a new FORMAT where it changes


def prepare_frames(
    collection: XrayCollection,
    folder: str | Path,
    *,
    longest: int = 384,
    settings: PreprocessSettings | None = None,
    workers: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> FrameStore:
    """Every frame reduced and stored as logarithmic codes, once for all trainings.

    Intensities are averaged down until the longest side has at most `longest` pixels, and kept as 16-bit codes of
    their logarithm; -ln(I) is off by at most 1.4e-4. 384 pixels are enough for the default crops of 224 and 96: one
    local view in 28 is enlarged, by 1.12 at most. Clips, lowpass and polarity are chosen when frames are used. A
    store of the same X-rays and options is used as it is. A job that was interrupted, killed even, goes on after the
    last 512 X-rays that it finished; until the new store is whole, an earlier one in the folder serves.

    Args:
        collection: The X-rays; damaged ones are left out if it skips them.
        folder: For the store; made if need be, other files in it stay.
        longest: Most pixels of a side.
        settings: `field` counts here: "exposed" needs a collection with fields.
        workers: Processes that read and reduce; 0 does it in this one. The result is the same.
        report: Called with (frames done, frames in all).

    Raises:
        FileError: A damaged X-ray. InputError: A number out of range, or no frame is left.
        OutputError: The folder cannot be written, or the disk is full.
    """
    settings = settings or PreprocessSettings()
    if longest < 1 or workers < 0:
        raise InputError(f"longest must be 1 or more and workers 0 or more, got {longest} and {workers}.")
    exposed = settings.field == "exposed"
    if exposed and not collection.field:
        raise InputError('field="exposed" needs a collection of find_xrays(..., field=True), got one without fields.')
    digest = _digest(collection, longest, exposed)
    folder = Path(folder)
    done = _existing(folder, digest)
    if done is not None:
        return done
    make_folder(folder)
    total = len(collection)
    shards = [range(first, min(first + SHARD, total)) for first in range(0, total, SHARD)]
    missing = [number for number in range(len(shards)) if not is_whole(folder, digest, number)]
    wanted = [number for shard in missing for number in shards[shard]]
    rows = map_frames(_Encoder(longest, exposed), collection, workers=workers, numbers=wanted)
    with closing(rows):
        told = _told(rows, total - len(wanted), total, report)
        for shard in missing:
            write_shard(folder, digest, shard, islice(told, len(shards[shard])))
    if _existing(folder, digest) is None:  # or another training has prepared the same meanwhile
        finish_store(folder, digest, len(shards), longest=longest)
    return FrameStore(folder)


def wait_for_frames(
    collection: XrayCollection,
    folder: str | Path,
    *,
    longest: int = 384,
    settings: PreprocessSettings | None = None,
    seconds: float = 24 * 3600.0,
) -> FrameStore:
    """The store that another process prepares from the same X-rays and options, once it is whole.

    Raises:
        OutputError: It is not there in time.
    """
    digest = _digest(collection, longest, (settings or PreprocessSettings()).field == "exposed")
    place = Path(folder)
    return wait_for_first(lambda: _existing(place, digest), place, seconds=seconds)


class _Encoder:
    """A frame as a row of a shard."""

    def __init__(self, longest: int, exposed: bool) -> None:
        self.longest, self.exposed = longest, exposed

    def __call__(self, frame: XrayFrame) -> FrameRow:
        intensity = finite_images(frame.intensity)[0]
        field = frame.field if self.exposed else None
        return frame.name, dict(frame.labels), frame.notes, encode(intensity, field, longest=self.longest)


def _told(
    rows: Iterator[FrameRow | DamagedXray], done: int, total: int, report: Callable[[int, int], None] | None
) -> Iterator[FrameRow | DamagedXray]:
    """The rows, with progress told after each."""
    for number, row in enumerate(rows, done + 1):
        if report is not None:
            report(number, total)
        yield row


def _digest(collection: XrayCollection, longest: int, exposed: bool) -> str:
    facts = repr((FORMAT, collection.digest(), longest, exposed))
    return hashlib.sha256(facts.encode()).hexdigest()


def _existing(folder: Path, digest: str) -> FrameStore | None:
    if not (folder / INDEX).is_file():
        return None
    try:
        store = FrameStore(folder)
    except FileError:
        return None
    return store if store.digest == digest else None
