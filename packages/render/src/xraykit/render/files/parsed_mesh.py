"""What the readers of STL, OBJ and PLY give back, and how they open text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ..storage.brief import brief
from ..storage.decoded_text import encoding_of

MAX_TEXT = 256 * 2**20  # bytes; parsing text takes some ten times its size in memory
MAX_LINE = 1 << 20
_LARGEST = 1e12  # a coordinate beyond it is no length, and its square may be none either


class ParsedMesh(NamedTuple):
    """Vertices (V, 3) float64 and faces (F, 3) int64 exactly as the file has them.

    `said` is what header and comments say, `notes` what was skipped, `cut` that the end of the file is missing though
    nothing within a triangle is.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    said: str = ""
    notes: tuple[str, ...] = ()
    cut: bool = False


def text_lines(path: Path, data_start: bytes, size: int) -> Iterator[str]:
    """The lines of a text mesh in the encoding that its byte order mark names, UTF-8 without one.

    Raises:
        FileError: More than 256 MiB, or a line of a million characters.
    """
    check_text_size(path, size)
    with path.open(encoding=encoding_of(data_start), errors="replace") as file:
        for line in iter(lambda: file.readline(MAX_LINE), ""):
            if len(line) == MAX_LINE:
                raise FileError(f"{path} must have lines of less than {MAX_LINE} characters; it is no mesh.")
            yield line


def check_text_size(path: Path, size: int) -> None:
    """Refuse text of more than 256 MiB."""
    if size > MAX_TEXT:
        raise FileError(
            f"{path} must be a text mesh of at most {MAX_TEXT >> 20} MiB, got {size >> 20} MiB; save it as binary STL."
        )


def coordinates(path: Path, words: Sequence[str]) -> list[float]:
    """The numbers in three or more words.

    Raises:
        FileError: Fewer than three, or words that are no numbers; decimal commas are named.
    """
    try:
        if len(words) >= 3:
            return [float(word) for word in words]
    except ValueError:
        pass
    line = brief(" ".join(words), limit=60)
    if any("," in word for word in words):
        raise FileError(f"{path} must have decimal points, got decimal commas in {line!r}; export it with points.")
    raise FileError(f"{path} must give three numbers for each vertex, got {line!r}; it is damaged.")


def check_numbers(path: Path, parsed: ParsedMesh, max_faces: int) -> None:
    """Refuse meshes without triangles, with too many, with vertices that are missing, or not finite."""
    vertices, faces = parsed.vertices, parsed.faces
    if len(faces) == 0 or len(vertices) == 0:
        raise FileError(f"{path} must hold triangles, got an empty mesh.")
    if len(faces) > max_faces:
        raise too_many(path, len(faces), len(vertices), max_faces)
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise FileError(f"{path} must name vertices 0 to {len(vertices) - 1}, got {faces.min()} to {faces.max()}.")
    used = vertices[faces.reshape(-1)]
    bad = int((~(np.abs(used) < _LARGEST)).sum())
    if bad:
        raise FileError(f"{path} must hold finite vertices, {bad} numbers are NaN, inf or beyond {_LARGEST:g}.")


def too_many(path: Path, faces: int, vertices: int, most: int) -> FileError:
    """The error for more than `most` triangles or three times as many vertices."""
    return FileError(
        f"{path} must hold at most {most} triangles and {3 * most} vertices, got at least {faces} and {vertices}; "
        "simplify the mesh."
    )
