"""Meshes from STL, PLY and OBJ files: bounded before they are parsed, repaired or refused after."""

from __future__ import annotations

import re
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from ..errors import FileError, InputError
from ..meshes.checks import check_size, self_intersections
from ..meshes.mesh import Mesh
from ..meshes.repair import repair

MAX_FACES = 2_000_000
MAX_TEXT = 256 * 2**20  # bytes; parsing text takes some ten times its size in memory
_STL_HEADER, _STL_FACE, _PLY_HEADER = 84, 50, 1 << 16
_PLY_ELEMENT = {b"ascii": 256, b"binary": 64}  # most bytes of a vertex or face; a triangle takes 13, colours some more
_PIECE = 1 << 20
Counts = tuple[int, int]  # vertices and faces
_PARSER_ERRORS = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError, OverflowError, MemoryError,
    struct.error, Warning,
)  # fmt: skip


def read_mesh(
    path: str | Path,
    *,
    scale: float = 1.0,
    name: str | None = None,
    material: str = "titanium",
    description: str = "",
    max_faces: int = MAX_FACES,
) -> Mesh:
    """The closed mesh in a file; `mesh.repairs` says in words what had to be mended.

    Args:
        path: .stl (binary or text), .ply or .obj. Textures and material files that it names are not opened.
        scale: What one unit of the file is in mm: 1000 for metres, 25.4 for inches.
        name: None takes the file's name.
        material: Name of the material.
        description: A sentence for prompts and reports.
        max_faces: Refuse files with more triangles, judged by their header and size before anything is parsed.

    Raises:
        FileError: The file is missing, of another type, damaged, larger than allowed, empty, holds NaN, cannot be
            repaired, pierces itself, or has a size that suggests another unit.

    Memory: about 1 kB per triangle. Triangles are counted before anything is parsed: a file that holds or promises
    more than `max_faces` costs one header, or one pass through at most 256 MiB of text in pieces of 1 MiB.
    """
    path = Path(path)
    name = path.stem if name is None else name
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"scale must be a positive number of mm per unit of the file, got {scale}.")
    _check_size_of_file(path, max_faces)
    vertices, faces = _parse(path)
    if len(faces) == 0 or len(vertices) == 0:
        raise FileError(f"{path} must hold triangles, got an empty mesh.")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise FileError(f"{path} must name vertices 0 to {len(vertices) - 1}, got {faces.min()} to {faces.max()}.")
    if len(faces) > max_faces:
        raise FileError(f"{path} must hold at most {max_faces} triangles, got {len(faces)}; simplify the mesh.")
    used = vertices[faces.reshape(-1)]
    if not np.isfinite(used).all():
        raise FileError(f"{path} must hold finite vertices, {int((~np.isfinite(used)).sum())} numbers are NaN or inf.")
    try:
        return _mesh_of(vertices * scale, faces, name, material, description)
    except InputError as error:
        raise FileError(f"{path}: {error}") from error


def _mesh_of(vertices: np.ndarray, faces: np.ndarray, name: str, material: str, description: str) -> Mesh:
    vertices, faces, repairs = repair(vertices, faces, name=name)
    mesh = Mesh(
        torch.from_numpy(vertices.astype(np.float32)),
        torch.from_numpy(np.ascontiguousarray(faces)),
        name=name,
        material=material,
        description=description,
        repairs=repairs,
    )
    check_size(mesh)
    piercing = self_intersections(mesh)
    if piercing:
        many = "100 or more" if piercing >= 100 else str(piercing)
        raise InputError(
            f"{name}: the surface must not pass through itself, {many} pairs of triangles do; "
            "take the union of its parts in a mesh editor."
        )
    if piercing is None:
        return Mesh(
            mesh.vertices, mesh.faces, name, material, description, (*repairs, "not checked for self-intersection")
        )
    return mesh


def _check_size_of_file(path: Path, max_faces: int) -> None:
    checks: dict[str, Callable[[Path, BinaryIO, int, int], Counts]] = {
        ".stl": _stl_counts, ".ply": _ply_counts, ".obj": _obj_counts
    }  # fmt: skip
    kind = path.suffix.lower()
    if kind not in checks:
        raise FileError(f"a mesh must be a .stl, .ply or .obj file, got {path}.")
    try:
        with path.open("rb") as file:
            vertices, faces = checks[kind](path, file, path.stat().st_size, max_faces)
    except OSError as error:
        raise FileError(f"a mesh was expected at {path}, got {error.strerror}; check the path.") from error
    if faces > max_faces or vertices > 3 * max_faces:
        raise FileError(
            f"{path} must hold at most {max_faces} triangles and {3 * max_faces} vertices, got at least {faces} and "
            f"{vertices}; simplify the mesh."
        )


def _stl_counts(path: Path, file: BinaryIO, size: int, most: int) -> Counts:
    del most
    header = file.read(_STL_HEADER)
    if len(header) == _STL_HEADER:
        faces = int.from_bytes(header[80:], "little")
        if size == _STL_HEADER + _STL_FACE * faces:
            return 3 * faces, faces
    if not header.lstrip().lower().startswith(b"solid"):
        promised = int.from_bytes(header[80:], "little")
        raise FileError(
            f"{path} must be STL, got {size} bytes where its header promises {promised} triangles "
            f"({_STL_HEADER + _STL_FACE * promised} bytes); the file is damaged or cut short."
        )
    _check_text(path, size)
    file.seek(0)
    vertices = sum(piece.lower().count(b"vertex") for piece in iter(lambda: file.read(_PIECE), b""))
    return vertices, vertices // 3


def _ply_counts(path: Path, file: BinaryIO, size: int, most: int) -> Counts:
    del most
    header, ending, _ = file.read(_PLY_HEADER).partition(b"end_header")
    if not header.startswith(b"ply") or not ending:
        raise FileError(f"{path} must be PLY, got no header that begins with 'ply' and ends with 'end_header'.")
    counts = {key: int(number) for key, number in re.findall(rb"element\s+(\w+)\s+(\d{1,18})\s", header)}
    vertices, faces, elements = counts.get(b"vertex", 0), counts.get(b"face", 0), sum(counts.values())
    kind = b"ascii" if b"format ascii" in header else b"binary"
    if kind == b"ascii":
        _check_text(path, size)
    if not elements <= size <= _PLY_HEADER + elements * _PLY_ELEMENT[kind]:
        raise FileError(
            f"{path} must hold what its header promises, got {vertices} vertices and {faces} faces in {size} bytes; "
            "save it again as triangles."
        )
    return vertices, faces


def _obj_counts(path: Path, file: BinaryIO, size: int, most: int) -> Counts:
    """Lines say what they are by their first letter; one that begins with a number goes on with the face before it."""
    _check_text(path, size)
    vertices = faces = 0
    for line in iter(lambda: file.readline(_PIECE), b""):
        if line.startswith(b"v "):
            vertices += 1
        elif line.startswith(b"f"):
            faces += max(0, len(line.split()) - 3)  # a polygon of n corners becomes n - 2 triangles
        elif line.lstrip()[:1] in b"-0123456789":
            faces += len(line.split())
        if faces > most or vertices > 3 * most:
            break
    return vertices, faces


def _check_text(path: Path, size: int) -> None:
    if size > MAX_TEXT:
        raise FileError(
            f"{path} must be a text mesh of at most {MAX_TEXT >> 20} MiB, got {size >> 20} MiB; save it as binary STL."
        )


def _parse(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) float64 and faces (F, 3) int64, as the file says, by trimesh."""
    import trimesh

    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # numpy's word for numbers that it could not parse
            loaded = trimesh.load_mesh(file, file_type=path.suffix[1:].lower(), process=False)
            vertices, faces = np.asarray(loaded.vertices), np.asarray(loaded.faces)
    except OSError as error:
        raise FileError(f"a mesh was expected at {path}, got {error.strerror}; check the path.") from error
    except ModuleNotFoundError as error:  # trimesh wants to guess the encoding of text that is not UTF-8
        raise FileError(f"{path} must be UTF-8 text, got other bytes; write the mesh again, or as STL.") from error
    except _PARSER_ERRORS as error:
        raise FileError(f"{path} must be a readable {path.suffix[1:].upper()} mesh, got: {error}.") from error
    return vertices.reshape(-1, 3).astype(np.float64), faces.reshape(-1, 3).astype(np.int64)
