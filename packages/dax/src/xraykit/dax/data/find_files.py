"""From files, folders and lists to the places of X-rays: headers are looked at, pixels are not."""

from __future__ import annotations

import csv
import os
import struct
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pydicom
import pydicom.errors
from PIL import Image

from xraykit.render import FileError, InputError
from xraykit.render.radiographs import may_be_xray
from xraykit.render.storage import from_home, is_dicom, kind_at, text_of

MANIFEST = "manifest.json"
MAGIC = (b"\x89PNG\r\n\x1a\n", b"II*\x00", b"MM\x00*", b"\xff\xd8\xff")
RESERVED = ("path", "file", "polarity")
"""Columns of a list that are no labels."""
DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, AssertionError, SyntaxError),
    *(OverflowError, RuntimeError, struct.error, zlib.error),
    *(Image.DecompressionBombError, pydicom.errors.InvalidDicomError, pydicom.errors.BytesLengthException),
)


@dataclass(frozen=True)
class FoundFile:
    """A file that looks like an X-ray, or the folder of a data set job, and what a list says of it."""

    path: Path
    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    polarity: str | None = None
    is_dataset: bool = False


def find_files(source: str | Path) -> list[FoundFile]:
    """What one source names.

    A file counts whatever it holds, one in a folder if it ends or begins as X-rays do, see `may_be_xray`. Folders are
    gone through with all below them, files before folders, both by name, hidden ones left out. A folder with shards and
    a manifest.json is a data set. A .txt list has one source on a line (# begins a comment), a .csv list the column
    "path" or "file", if it likes "polarity", and any others, which become labels ("patient", "region", "view" and
    "split" have a meaning here). Paths count from the list's folder and are the names of their X-rays; a list names no
    lists.

    Raises:
        FileError: It does not exist, or a list is no list.
    """
    path = Path(source)
    kind = kind_at(path)
    if kind == "folder":
        return list(_in_folder(path))
    if kind is None:
        raise FileError(f"{path} does not exist; check the path.")
    if path.suffix.lower() == ".txt":
        return [found for line in _lines(path) for found in _listed(path, line)]
    if path.suffix.lower() == ".csv":
        return list(_from_table(path))
    return [FoundFile(path, path.name)]


def count_frames(path: Path) -> int:
    """How many frames a file holds, by its header; 1 where the header says nothing or is damaged."""
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            is_picture = file.read(132).startswith(MAGIC)
            if not is_picture and is_dicom(path):
                return max(1, _dicom_frames(path))
            if is_picture:
                with Image.open(path) as image:
                    return int(getattr(image, "n_frames", 1))
    except DAMAGE:  # reading it says what is wrong, in one sentence
        return 1
    return 1


def _dicom_frames(path: Path) -> int:
    dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["NumberOfFrames"], force=True)
    return int(dataset.get("NumberOfFrames", 1) or 1)


def chosen_frames(count: int, frames: str | int) -> Sequence[int]:
    """Which of `count` frames: "all", "middle", or so many, evenly spaced.

    Raises:
        InputError: Another word, or a number below 1.
    """
    if frames == "all":
        return range(count)
    if frames == "middle":
        return (count // 2,)
    if not isinstance(frames, int) or frames < 1:
        raise InputError(f'frames must be "all", "middle" or a number of 1 or more, got {frames!r}.')
    wanted = min(frames, count)
    return [int((n + 0.5) * count / wanted) for n in range(wanted)]


def _in_folder(folder: Path) -> Iterator[FoundFile]:
    def refuse(error: OSError) -> None:
        raise FileError(f"{error.filename} cannot be read ({error.strerror}); check its rights.") from error

    for place, below, names in os.walk(folder, onerror=refuse):
        here = Path(place)
        if MANIFEST in names and any(name.endswith(".tar") for name in names):
            below.clear()
            yield FoundFile(here, here.name, is_dataset=True)
            continue
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            path = here / name
            if not name.startswith(".") and may_be_xray(path):
                yield FoundFile(path, path.relative_to(folder.parent).as_posix())


def _lines(path: Path) -> list[str]:
    lines = [line.strip() for line in _text(path).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _from_table(path: Path) -> Iterator[FoundFile]:
    rows = csv.DictReader(_text(path).splitlines())
    columns = [name for name in ("path", "file") if name in (rows.fieldnames or ())]
    if not columns:
        raise FileError(
            f'{path} must have a column "path" or "file", got {", ".join(rows.fieldnames or ()) or "none"}.'
        )
    for row in rows:
        said = {str(name): text.strip() for name, text in row.items() if _is_label(name, text)}
        for found in _listed(path, (row[columns[0]] or "").strip()):
            labels = {**found.labels, **said}
            yield replace(found, labels=labels, polarity=(row.get("polarity") or "").strip() or found.polarity)


def _is_label(name: object, text: object) -> bool:
    return isinstance(name, str) and name not in RESERVED and isinstance(text, str) and bool(text.strip())


def _listed(table: Path, line: str) -> Iterator[FoundFile]:
    """What a line of a list names, under the name that it has there."""
    if Path(line).suffix.lower() in (".txt", ".csv"):
        raise FileError(f"{table} must name X-rays, folders and data sets, got another list, {line}; name it apart.")
    for found in find_files(table.parent / from_home(Path(line))):
        yield (
            found
            if found.is_dataset or kind_at(table.parent / from_home(Path(line))) == "folder"
            else replace(found, name=line)
        )


def _text(path: Path) -> str:
    try:
        return text_of(path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} must be a list in UTF-8, got something else ({error}).") from error
