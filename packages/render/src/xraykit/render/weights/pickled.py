"""Foreign checkpoints (.pth, .pt, .ckpt): the one place where a pickle is read, and nothing in it is run."""

from __future__ import annotations

import pickle
import struct
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import FileError
from .pickle_scan import MOST, check_pickle

LARGEST_PICKLE = 8 << 20  # bytes besides the tensors; those of a large transformer and its optimizer take 1 MiB
DEEPEST = 64
SHARED = 4  # tensors may claim this many times the bytes of the file: weights are tied, averages kept beside
_DAMAGED = (
    RuntimeError, ValueError, EOFError, OSError, LookupError, TypeError, AttributeError, AssertionError,
    ArithmeticError, MemoryError, struct.error, zipfile.BadZipFile,
)  # fmt: skip


def read_pickle(path: str | Path, *, allow: Sequence[Any] = (), largest: int | None = None) -> Any:
    """What a file of torch.save holds: tensors on the CPU, numbers, text, and lists, tuples and dictionaries of these.

    The classes that it names are checked before anything is made, torch reads it with `weights_only=True`, and what
    came out is checked for size: one list referred to ten times in a list that is referred to ten times, and so on,
    costs a few bytes and takes no end to go through.

    Args:
        path: A zip archive as torch.save writes it since torch 1.6.
        allow: Classes that it may hold besides, each a class or (class, "module.name as in the file"); only such as
            do no harm with any argument, like dates.
        largest: Bytes that the file may have; None is any number.

    Returns:
        The object, tensors as views of the file.

    Raises:
        FileError: No such file, one too large, another or a damaged file type, other Python objects inside (refused,
            never run), entries without end, or tensors larger than their data.
    """
    path = Path(path)
    if not path.is_file():
        raise FileError(f"a checkpoint was expected at {path}, got nothing there; check the path.")
    size = path.stat().st_size
    if largest is not None and size > largest:
        raise FileError(f"{path} must be at most {largest} bytes, got {size}.")
    allowed = {entry[1] if isinstance(entry, tuple) else f"{entry.__module__}.{entry.__qualname__}" for entry in allow}
    check_pickle(_pickle_of(path, size), source=str(path), allowed=allowed)
    try:
        with torch.serialization.safe_globals(list(allow)), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an unusual pickle protocol
            value = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise FileError(
            f"{path} must hold tensors, numbers and text only, got other Python objects, which could run code when "
            "read; it was refused and nothing of it was run. Ask its author for weights alone."
        ) from error
    except _DAMAGED as error:
        raise FileError(f"{path} must be a whole torch checkpoint, got a damaged one; download it again.") from error
    _Size(str(path), SHARED * size).check(value)
    return value


def _pickle_of(path: Path, size: int) -> bytes:
    """The pickle in the archive, which must be as plain as torch.save makes it."""
    try:
        with path.open("rb") as file:
            if not zipfile.is_zipfile(file):
                raise FileError(
                    f"{path} must be a checkpoint that torch.save wrote as a zip archive (torch 1.6 or later), got "
                    "another file type; nothing in it was run."
                )
            with zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
                if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                    raise FileError(f"{path} must be uncompressed like all torch checkpoints, got compressed entries.")
                names = [entry.filename for entry in entries]
                pickles = [entry for entry in entries if entry.filename.rpartition("/")[2] == "data.pkl"]
                if len(pickles) != 1 or len(set(names)) < len(names) or sum(e.file_size for e in entries) > size:
                    raise FileError(f"{path} must be a whole torch checkpoint, got an archive of another make.")
                if pickles[0].file_size > LARGEST_PICKLE:
                    raise FileError(
                        f"{path} must hold tensors and at most {LARGEST_PICKLE} bytes of other things, got "
                        f"{pickles[0].file_size}."
                    )
                return archive.read(pickles[0])
    except FileError:
        raise
    except _DAMAGED as error:
        raise FileError(f"{path} must be a whole torch checkpoint, got a damaged one; download it again.") from error


class _Size:
    """Counts what an object would be if every reference were a copy, and refuses too much of it.

    Args:
        source: For messages.
        most_bytes: Of all tensors together.
    """

    def __init__(self, source: str, most_bytes: int) -> None:
        self.source, self.most_bytes = source, most_bytes
        self.known: dict[int, tuple[int, int]] = {}  # entries and bytes of containers and tensors seen so far

    def check(self, value: object) -> None:
        """Raise FileError where the object is too much."""
        self._of(value, 0)

    def _of(self, value: object, depth: int) -> tuple[int, int]:
        if isinstance(value, Tensor):
            return 1, self._tensor(value)
        if isinstance(value, str | bytes):
            return 1 + len(value) // 64, 0
        if isinstance(value, int) and value.bit_length() > 64:
            raise FileError(f"{self.source} must hold numbers of at most 64 bits, got a longer one.")
        inside = _inside(value)
        if not inside:
            return 1, 0
        if id(value) in self.known:
            return self.known[id(value)]
        if depth > DEEPEST:
            raise FileError(f"{self.source} must be nested at most {DEEPEST} deep, got more, or a list within itself.")
        entries, size = 1, 0
        for item in inside:
            more, larger = self._of(item, depth + 1)
            entries, size = entries + more, size + larger
        if entries > MOST:
            raise FileError(
                f"{self.source} must hold at most {MOST:,} entries, got lists in lists that unfold to more."
            )
        if size > self.most_bytes:
            raise FileError(
                f"{self.source} must hold tensors with data of their own, got {size} bytes of them that share "
                f"{self.most_bytes // SHARED}."
            )
        self.known[id(value)] = entries, size
        return entries, size

    def _tensor(self, value: Tensor) -> int:
        if value.layout is not torch.strided:
            raise FileError(f"{self.source} must hold dense tensors, got a {value.layout} one.")
        size = value.numel() * value.element_size()
        if size > value.untyped_storage().nbytes():
            raise FileError(
                f"{self.source} must hold tensors with data of their own, got shape {tuple(value.shape)} of "
                f"{value.untyped_storage().nbytes()} bytes."
            )
        return size


def _inside(value: object) -> list[object]:
    """What a container holds; nothing for anything else."""
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values(), *vars(value).values()] if hasattr(value, "__dict__") else [
            *value.keys(), *value.values()]  # fmt: skip
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return list(vars(value).values()) if hasattr(value, "__dict__") else []
