"""OBJ: vertices and faces, indices from the start or from the end, anything between that is no surface."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..errors import FileError
from ..storage.brief import brief
from .parsed_mesh import MAX_LINE, ParsedMesh, coordinates, text_lines, too_many

_IDLE = {
    *("vn", "vt", "vp", "g", "o", "s", "mg", "usemtl", "mtllib", "usemap", "maplib", "l", "p"),
    *("bevel", "c_interp", "d_interp", "lod", "shadow_obj", "trace_obj"),
}
_CURVED = {"cstype", "deg", "bmat", "step", "curv", "curv2", "surf", "parm", "trim", "hole", "scrv", "sp", "end", "con"}


def read_obj(path: Path, max_faces: int) -> ParsedMesh:
    """The triangles of an OBJ file; a polygon of n corners becomes n - 2 of them. No other file is opened.

    Raises:
        FileError: A line that is no OBJ, a face with fewer than three corners or without such a vertex, curved
            surfaces, or more triangles than allowed.
    """
    numbers, faces, said = array("d"), array("i"), []
    with path.open("rb") as file:
        start = file.read(4)
    for line in _statements(path, text_lines(path, start, path.stat().st_size)):
        content, mark, comment = line.partition("#")
        if mark and len(said) < 64:
            said.append(comment[:200])
        words = content.split()
        if not words or words[0] in _IDLE:
            continue
        if words[0] == "v":
            numbers.extend(coordinates(path, words[1:])[:3])
        elif words[0] == "f":
            corners = _corners(path, words[1:], len(numbers) // 3)
            for n in range(1, len(corners) - 1):
                faces.extend((corners[0], corners[n], corners[n + 1]))
        else:
            raise _no_obj(path, words, line)
        if len(faces) > 3 * max_faces or len(numbers) > 9 * max_faces:
            raise too_many(path, len(faces) // 3, len(numbers) // 3, max_faces)
    vertices = np.array(numbers, dtype=np.float64).reshape(-1, 3)
    return ParsedMesh(vertices, np.array(faces, dtype=np.int64).reshape(-1, 3), "\n".join(said))


def _statements(path: Path, lines: Iterator[str]) -> Iterator[str]:
    """Lines joined where one ends in a backslash."""
    waiting = ""
    for line in lines:
        waiting += line.rstrip()
        if len(waiting) > MAX_LINE:
            raise FileError(f"{path} must have lines of less than {MAX_LINE} characters; it is no mesh.")
        if waiting.endswith("\\"):
            waiting = waiting[:-1] + " "
        else:
            yield waiting
            waiting = ""
    yield waiting


def _corners(path: Path, words: Sequence[str], count: int) -> list[int]:
    """Vertex numbers from 0, of words like 3, 3/1, 3//2 and 3/1/2; -1 is the vertex given last."""
    try:
        given = [int(word.partition("/")[0]) for word in words]
    except ValueError as error:
        raise FileError(f"{path} must name the corners of a face by whole numbers, got {_shown(words)}.") from error
    if len(given) < 3:
        raise FileError(f"{path} must have faces of three corners or more, got {_shown(words)}; it is damaged.")
    corners = [n - 1 if n > 0 else n + count for n in given]
    if 0 in given or min(corners) < 0 or max(corners) >= 1 << 31:
        raise FileError(f"{path} must name vertices that it holds, got {_shown(words)} after {count} vertices.")
    return corners


def _no_obj(path: Path, words: Sequence[str], line: str) -> FileError:
    if words[0] in _CURVED:
        return FileError(f"{path} must be made of flat faces, got a curved surface ({words[0]}); export it as a mesh.")
    return FileError(f"{path} must be a readable OBJ mesh, got the line {brief(line, limit=60)!r}.")


def _shown(words: Sequence[str]) -> str:
    return repr(brief(" ".join(words), limit=60))
