"""STL, binary and text: what is declared is compared with what is there."""

from __future__ import annotations

import codecs
from array import array
from pathlib import Path

import numpy as np

from ..errors import FileError
from ..storage.brief import brief
from .parsed_mesh import ParsedMesh, coordinates, text_lines, too_many

_HEADER, _FACE = 84, 50
_LOOK = 4096
_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_IDLE = ("outer", "endloop", "color")


def read_stl(path: Path, max_faces: int) -> ParsedMesh:
    """The triangles of an STL file, three vertices each.

    Binary where the size is what its header promises; text where it begins with "solid" and goes on with facets; else
    binary with spare bytes behind the last triangle, which are skipped and noted.

    Raises:
        FileError: Cut off, damaged, or more triangles than allowed.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(_LOOK)
    promised = int.from_bytes(start[80:_HEADER], "little") if len(start) >= _HEADER else -1
    if size != _HEADER + _FACE * promised and _is_text(start):
        return _text(path, start, size, max_faces)
    if promised > max_faces and size >= _HEADER + _FACE * promised:
        raise too_many(path, promised, 3 * promised, max_faces)
    return _binary(path, start, size, promised)


def _is_text(start: bytes) -> bool:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    begin = start.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    return begin.startswith(b"solid") and (b"facet" in begin or b"endsolid" in begin)


def _binary(path: Path, start: bytes, size: int, promised: int) -> ParsedMesh:
    spare = size - _HEADER - _FACE * promised
    if promised < 0 or spare < 0:
        raise FileError(
            f"{path} must be STL, got {size} bytes where its header promises {max(promised, 0)} triangles "
            f"({_HEADER + _FACE * max(promised, 0)} bytes); the file is damaged or cut short."
        )
    with path.open("rb") as file:
        file.seek(_HEADER)
        records = np.frombuffer(file.read(_FACE * promised), dtype=_RECORD)
        if spare >= _FACE and file.read(_LOOK).strip(b"\0 \t\r\n"):
            raise FileError(
                f"{path} must hold the {promised} triangles that its header promises, got {spare} bytes more, room for "
                f"{spare // _FACE} others; export it again."
            )
    notes = (f"skipped {spare} spare byte{'s' if spare > 1 else ''} at the end",) if spare else ()
    vertices = records["corners"].reshape(-1, 3).astype(np.float64)
    return ParsedMesh(vertices, _in_order(len(vertices)), start[:80].decode("latin-1"), notes)


def _text(path: Path, start: bytes, size: int, max_faces: int) -> ParsedMesh:
    numbers, corners, said = array("d"), -1, []  # corners of the open facet; -1 between facets
    open_solid = False
    for line in text_lines(path, start, size):
        words = line.split()
        key = words[0].lower() if words else ""
        if key in ("solid", "endsolid") and corners < 0:
            open_solid = key == "solid"
            said.extend([line[:200]] if len(said) < 64 else [])
        elif key == "facet" and corners < 0:
            corners = 0
        elif key == "vertex" and 0 <= corners < 3 and len(words) <= 4:
            numbers.extend(coordinates(path, words[1:]))
            corners += 1
        elif key == "endfacet" and corners == 3:
            corners = -1
            if len(numbers) > 9 * max_faces:
                raise too_many(path, max_faces + 1, len(numbers) // 3, max_faces)
        elif key and key not in _IDLE:
            coordinates(path, words[1:4] if key == "vertex" else "000")  # commas have a sentence of their own
            raise FileError(f"{path} must be a readable STL mesh, got the line {brief(line, limit=60)!r} out of place.")
    if corners >= 0:
        raise FileError(f"{path} must be a whole STL mesh, it ends within a triangle; it was cut off, export it again.")
    notes = ("its last endsolid is missing",) if open_solid else ()
    vertices = np.array(numbers, dtype=np.float64).reshape(-1, 3)
    return ParsedMesh(vertices, _in_order(len(vertices)), "\n".join(said), notes, cut=open_solid)


def _in_order(vertices: int) -> np.ndarray:
    return np.arange(vertices, dtype=np.int64).reshape(-1, 3)
