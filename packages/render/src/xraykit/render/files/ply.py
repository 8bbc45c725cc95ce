"""PLY, text and binary: the header is believed only as far as the file goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from ..storage.brief import brief
from .parsed_mesh import ParsedMesh, check_text_size, too_many
from .ply_rows import BinaryRows, Element, Property, TextRows

_HEADER = 1 << 16
_LARGEST = 1 << 30  # bytes; a vertex of a mesh that is allowed may take 100 of them
_TYPES = {
    **dict.fromkeys(("char", "int8"), "i1"), **dict.fromkeys(("uchar", "uint8"), "u1"),
    **dict.fromkeys(("short", "int16"), "i2"), **dict.fromkeys(("ushort", "uint16"), "u2"),
    **dict.fromkeys(("int", "int32"), "i4"), **dict.fromkeys(("uint", "uint32"), "u4"),
    **dict.fromkeys(("float", "float32"), "f4"), **dict.fromkeys(("double", "float64"), "f8"),
}  # fmt: skip
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
_CORNERS = ("vertex_indices", "vertex_index")


def read_ply(path: Path, max_faces: int) -> ParsedMesh:
    """The triangles of a PLY file; a polygon of n corners becomes n - 2 of them.

    Raises:
        FileError: No PLY header, less in the file than it promises or more, elements without x, y, z or corners, or
            more triangles than allowed.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head, ending, _ = file.read(_HEADER).removeprefix(b"\xef\xbb\xbf").partition(b"end_header")
        if not head.startswith(b"ply") or not ending:
            raise FileError(f"{path} must be PLY, got no header that begins with 'ply' and ends with 'end_header'.")
        order, elements, said = _header(path, head.decode("utf-8", "replace"))
        counts = {element.name: element.count for element in elements}
        vertices, faces = counts.get("vertex", 0), counts.get("face", 0)
        least = sum(element.count * (max(1, element.least) if order else 2) for element in elements)
        if least > size + 2:
            raise FileError(
                f"{path} must hold what its header promises, got {vertices} vertices and {faces} faces in {size} "
                "bytes; it is damaged or cut short."
            )
        if not order:
            check_text_size(path, size)
        if faces > max_faces or vertices > 3 * max_faces:
            raise too_many(path, faces, vertices, max_faces)
        if size > _LARGEST:
            raise FileError(f"{path} must be a mesh of at most {_LARGEST >> 20} MiB, got {size >> 20} MiB.")
        file.seek(0)
        body = file.read().partition(b"end_header")[2]
    body = body.removeprefix(b"\r").removeprefix(b"\n")
    rows = BinaryRows(path, body, order) if order else TextRows(path, body)
    points, corners = _rows(path, rows, elements)
    return ParsedMesh(points, _triangles(path, corners, max_faces), said, rows.finish())


def _header(path: Path, text: str) -> tuple[str, list[Element], str]:
    order, elements, said = None, [], []
    for line in text.splitlines()[1:]:
        words = line.split()
        key = words[0] if words else ""
        if key in ("comment", "obj_info"):
            said.append(line)
        elif key == "format" and len(words) == 3 and words[1] in _ORDERS:
            order = _ORDERS[words[1]]
        elif key == "element" and len(words) == 3 and words[2].isascii() and words[2].isdigit() and len(words[2]) < 16:
            elements.append(Element(words[1], int(words[2])))
        elif key == "property" and elements and (found := _property(words[1:])):
            elements[-1].properties.append(found)
        elif key:
            raise FileError(f"{path} must have a PLY header, got the line {brief(line, limit=60)!r} in it.")
    names = [element.name for element in elements]
    if order is None or len(set(names)) < len(names):
        raise FileError(f"{path} must name its format and each element once in its header, got {brief(names)}.")
    return order, elements, "\n".join(said)


def _property(words: list[str]) -> Property | None:
    if len(words) == 4 and words[0] == "list" and words[1] in _TYPES and words[2] in _TYPES:
        counted = _TYPES[words[1]]
        return None if counted[0] == "f" else Property(words[3], _TYPES[words[2]], counted)
    return Property(words[1], _TYPES[words[0]], None) if len(words) == 2 and words[0] in _TYPES else None


def _rows(
    path: Path, rows: BinaryRows | TextRows, elements: list[Element]
) -> tuple[NDArray[np.float64], list[NDArray[np.int64]]]:
    points, corners = np.empty((0, 3)), []
    for element in elements:
        names = [p.name for p in element.properties]
        if element.name == "vertex":
            if not {"x", "y", "z"} <= set(names) or any(p.counted for p in element.properties):
                raise FileError(
                    f"{path} must give x, y and z of each vertex as numbers, got {brief(', '.join(names))}."
                )
            points = rows.numbers(element)[:, [names.index(axis) for axis in "xyz"]]
        elif element.name == "face" and element.count:
            wanted = next(
                (n for n, p in enumerate(element.properties) if p.counted and p.type[0] in "iu" and p.name in _CORNERS),
                None,
            )
            if wanted is None:
                raise FileError(f"{path} must list the vertex_indices of each face, got {brief(', '.join(names))}.")
            corners = rows.lists(element, wanted)
        else:
            rows.skip(element)
    return points, corners


def _triangles(path: Path, corners: list[NDArray[np.int64]], max_faces: int) -> NDArray[np.int64]:
    """Fans of polygons, given in groups (N, n) of equal length."""
    total = sum(len(group) * max(0, group.shape[1] - 2) for group in corners)
    if total > max_faces:
        raise too_many(path, total, 0, max_faces)
    fans = [
        np.stack([np.broadcast_to(group[:, :1], group[:, 2:].shape), group[:, 1:-1], group[:, 2:]], axis=-1)
        for group in corners
    ]
    return np.concatenate([fan.reshape(-1, 3) for fan in fans]) if fans else np.empty((0, 3), np.int64)
