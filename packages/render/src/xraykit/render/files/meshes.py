"""Meshes from STL, PLY and OBJ files: bounded before they are parsed, repaired or refused after."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from ..errors import FileError, InputError
from ..meshes.checks import self_intersections
from ..meshes.mesh import Mesh
from ..meshes.plausible_size import implausible_size, possible_inches
from ..meshes.repair import Repaired, repair
from ..storage.brief import brief
from .mesh_header import MESH_UNITS, stated_space, stated_unit
from .obj import read_obj
from .parsed_mesh import ParsedMesh, check_numbers
from .ply import read_ply
from .stl import read_stl

MAX_FACES = 2_000_000
_READERS: dict[str, Callable[[Path, int], ParsedMesh]] = {".stl": read_stl, ".ply": read_ply, ".obj": read_obj}


def read_mesh(
    path: str | Path,
    *,
    scale: float | None = None,
    name: str | None = None,
    material: str = "titanium",
    description: str = "",
    max_faces: int = MAX_FACES,
    piercing: Literal["refuse", "doubt"] = "refuse",
) -> Mesh:
    """The closed mesh in a file; `mesh.repairs` says what had to be mended, `mesh.doubts` what is not sure.

    A header or comment that says SPACE=LPS, as 3D Slicer writes it, turns the mesh to RAS; one that names a unit
    (units: inch) scales it. Shells are turned by how deep they are nested: odd ones bound cavities.

    Args:
        path: .stl (binary or text), .ply or .obj. Textures and material files that it names are not opened.
        scale: What one unit of the file is in mm: 1000 for metres, 25.4 for inches. None takes what the file states,
            or mm, and refuses sizes that nobody means in mm; where a scale is given they are a doubt.
        name: None takes the file's name.
        material: Name of the material.
        description: A sentence for prompts and reports.
        max_faces: Refuse files with more triangles, as soon as their header or their lines say so.
        piercing: A surface that passes through itself is refused, or a doubt: where parts overlap the material counts
            twice, which a silhouette does not see.

    Raises:
        FileError: The file is missing, of another type, cut off, damaged, larger than allowed, empty, holds NaN,
            cannot be repaired, pierces itself, or has a size that suggests another unit.

    Memory: about 1 kB per triangle. What a header promises is compared with the size of the file before anything is
    parsed; text takes one pass through at most 256 MiB and stops after `max_faces` triangles.
    """
    path = Path(path)
    if not (scale is None or (np.isfinite(scale) and scale > 0)):
        raise InputError(f"scale must be a positive number of mm per unit of the file, got {scale}.")
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise FileError(f"a mesh must be a .stl, .ply or .obj file, got {brief(path)}.")
    try:
        parsed = read(path, max_faces)
    except (OSError, UnicodeDecodeError) as error:
        said = brief(getattr(error, "strerror", None) or error)
        raise FileError(f"a mesh was expected at {brief(path)}, got {said}; check the path.") from error
    check_numbers(path, parsed, max_faces)
    name = path.stem if name is None else name
    space, unit = stated_space(path, parsed.said), stated_unit(path, parsed.said)
    factor = float(scale) if scale is not None else MESH_UNITS[unit] if unit else 1.0
    vertices = parsed.vertices * factor * ([-1.0, -1.0, 1.0] if space == "LPS" else 1.0)
    try:
        mended = repair(vertices, parsed.faces, name=name)
        _check_end(parsed, mended, name)
        repairs = (*parsed.notes, *_applied(space, unit if scale is None else None), *mended.repairs)
        mesh = _mesh_of(mended._replace(repairs=repairs), name, material, description, piercing)
        return _with_size_judged(mesh, unit_known=scale is not None or unit is not None)
    except InputError as error:
        raise FileError(f"{path}: {error}") from error


def _applied(space: str | None, unit: str | None) -> tuple[str, ...]:
    """What was done because the file's header says so."""
    turned = ("turned from LPS to RAS, as its header says",) if space == "LPS" else ()
    return (*turned, f"scaled from {unit} to mm, as its header says") if unit and unit != "mm" else turned


def _check_end(parsed: ParsedMesh, mended: Repaired, name: str) -> None:
    if parsed.cut and any(phrase.startswith("closed") for phrase in mended.repairs):
        raise InputError(
            f"{name}: the file ends without endsolid and its surface is open, it was cut off; export again."
        )


def _mesh_of(mended: Repaired, name: str, material: str, description: str, judged: str) -> Mesh:
    mesh = Mesh(
        torch.from_numpy(mended.vertices.astype(np.float32)),
        torch.from_numpy(np.ascontiguousarray(mended.faces)),
        name=name,
        material=material,
        description=description,
        repairs=mended.repairs,
        doubts=mended.doubts,
    )
    piercing = self_intersections(mesh)
    if piercing:
        many = "100 or more" if piercing >= 100 else str(piercing)
        if judged == "doubt":
            return mesh.with_doubts(f"the surface passes through itself, {many} pairs of triangles do")
        raise InputError(
            f"{name}: the surface must not pass through itself, {many} pairs of triangles do; "
            "take the union of its parts in a mesh editor."
        )
    return mesh if piercing == 0 else mesh.with_doubts("not checked for self-intersection")


def _with_size_judged(mesh: Mesh, *, unit_known: bool) -> Mesh:
    wrong = implausible_size(mesh.size)
    if wrong and not unit_known:
        raise InputError(
            f"{mesh.name}: vertices must be in mm, {wrong}; state the unit with scale= (1 for mm), or --mesh-units."
        )
    said = wrong or (None if unit_known else possible_inches(mesh.size))
    return mesh.with_doubts(said) if said else mesh
