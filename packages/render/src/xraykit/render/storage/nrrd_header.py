"""The fields of an NRRD header, and where they place the voxels.

Source: the NRRD format definition, teem.sourceforge.net/nrrd/format.html (NRRD0001 to NRRD0005).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import FileError
from .declared_grid import LPS_TO_RAS, affine_from, checked_affine
from .provenance import ASSUMED, DOUBT, Found, Origin
from .text_header import read_text_header, to_float, to_ints

_SPACES = {
    **dict.fromkeys(("right-anterior-superior", "ras"), np.eye(4)),
    **dict.fromkeys(("left-posterior-superior", "lps"), LPS_TO_RAS),
    **dict.fromkeys(("left-anterior-superior", "las"), np.diag([-1.0, 1.0, 1.0, 1.0])),
}
_MM_PER_UNIT = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "\u00b5m": 0.001}


@dataclass(frozen=True)
class NrrdHeader:
    """What stands before the voxels.

    Args:
        path: The file.
        fields: Of the format, their names without spaces and in small letters.
        keys: Key/value pairs that programs add, such as 3D Slicer's segments.
        n_bytes: Length of the header.
        sizes: Samples along each axis, fastest first.
    """

    path: Path
    fields: Mapping[str, str]
    keys: Mapping[str, str]
    n_bytes: int
    sizes: tuple[int, ...]

    def required(self, name: str) -> str:
        """The value of a field, or FileError where it is missing."""
        value = self.fields.get(name.replace(" ", ""))
        if not value:
            raise FileError(f"{self.path} must declare its NRRD field '{name}', it does not; write the header again.")
        return value

    @property
    def layers(self) -> int:
        """Values of a voxel: those of the first axis where it is a list (3D Slicer's overlapping segments), else 1."""
        return self.sizes[0] if self.has_list else 1

    @property
    def has_list(self) -> bool:
        """Whether the first of four axes is a list: of segments, or of the volumes of a sequence."""
        kinds = self.fields.get("kinds", "").lower().split()
        return len(self.sizes) == 4 and kinds[:1] in (["list"], ["vector"], ["???"])


def read_nrrd_header(path: Path) -> NrrdHeader:
    """The fields of an NRRD file or detached header.

    Raises:
        FileError: The file is no NRRD, or its dimension and sizes do not fit.
    """
    lines, n_bytes = read_text_header(path, is_last=lambda line: line.strip() == "")
    if not lines or not re.fullmatch(r"NRRD000[1-5]", lines[0].strip()):
        raise FileError(f"{path} is named like NRRD but does not begin with NRRD0001 to NRRD0005; it is damaged.")
    fields, keys = _parse(path, lines[1:])
    header = NrrdHeader(path, fields, keys, n_bytes, ())
    sizes = tuple(to_ints(path, "sizes", header.required("sizes")))
    dimension = header.required("dimension")
    if dimension != str(len(sizes)):
        raise FileError(
            f"{path} must hold one volume of three axes, it declares dimension {dimension[:40]} with "
            f"sizes {fields['sizes'][:80]}; write the header again."
        )
    return NrrdHeader(path, fields, keys, n_bytes, sizes)


def lifted_header(header: NrrdHeader) -> NrrdHeader:
    """The header of a picture as that of a volume of one layer; a space that is no patient's is left out."""
    fields = dict(header.fields)
    if fields.get("space", "").lower() not in _SPACES:
        fields.pop("space", None)
    if len(header.sizes) != 2:
        return replace(header, fields=fields)
    for name, end in (("spacings", " 1"), ("axismins", " 0"), ("spaceunits", ' "mm"')):
        if name in fields:
            fields[name] += end
    for name, end in (("spacedirections", " (0,0,1)"), ("spaceorigin", "")):
        if name in fields:
            fields[name] = re.sub(r"\(([^(),]*),([^(),]*)\)", r"(\1,\2,0)", fields[name]) + end
    return replace(header, fields=fields, sizes=(*header.sizes, 1))


def _parse(path: Path, lines: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    for line in lines:
        if line.startswith("#") or not line.strip():
            continue
        if ":=" in line:
            key, value = line.split(":=", 1)
            keys[key.strip()] = value.strip()
        elif ":" in line:
            key, value = line.split(":", 1)
            fields[re.sub(r"[\s_]", "", key.lower())] = value.strip()
        else:
            raise FileError(f"{path} must hold 'field: value' lines in its NRRD header, it has {line[:60]!r}.")
    return fields, keys


def affine_of(header: NrrdHeader, found: Found) -> NDArray[np.float64]:
    """Voxel to world RAS [mm], (4, 4); what no field says is assumed as ITK does, and noted in `found`.

    Raises:
        FileError: No patient space but another one, directions or units that are none.
    """
    path, fields = header.path, header.fields
    to_ras = _space(header, found)
    steps = _steps(header, found)
    corner = _corner(header, steps, found)
    units = [unit.strip().lower() for unit in re.findall(r'"([^"]*)"', fields.get("spaceunits", ""))]
    if any(unit not in _MM_PER_UNIT for unit in units):
        raise FileError(f"{path} must measure space in mm, cm, m or um, its space units are {fields['spaceunits']}.")
    scale = np.diag([*(_MM_PER_UNIT[unit] for unit in (units or ["mm"] * 3)), 1.0])
    if scale.shape != (4, 4):
        raise FileError(f"{path} must give three space units, it gives {fields['spaceunits']}.")
    affine = to_ras @ scale @ affine_from(np.stack(steps, axis=1), corner)
    return checked_affine(path, affine, origin="space directions" if "spacedirections" in fields else "spacings")


def _space(header: NrrdHeader, found: Found) -> NDArray[np.float64]:
    space = header.fields.get("space", "").lower()
    if space in _SPACES:
        found["affine from"] = Origin(header.fields["space"], "space, space directions, space origin")
        return _SPACES[space]
    if space:
        raise FileError(
            f"{header.path} must lie in a patient space (left-posterior-superior, RAS or LAS), its space is {space!r}."
        )
    found["space"] = Origin("left-posterior-superior", ASSUMED, "the header names none; ITK takes it so")
    note = "nothing in the file says which side is left; check it"
    found["orientation"] = Origin(None, DOUBT, note)
    return LPS_TO_RAS


def _steps(header: NrrdHeader, found: Found) -> list[NDArray[np.float64]]:
    path, said = header.path, header.fields.get("spacedirections")
    first = len(header.sizes) - 3  # a list axis has no direction
    if said:
        texts = re.findall(r"\([^)]*\)|none", said)[first:]
        steps = [_vector(path, text) for text in texts]
        if len(steps) != 3:
            raise FileError(f"{path} must give three space directions, it gives {said!r}.")
        return steps
    spacings = header.fields.get("spacings", "").split()[first:]
    numbers = [1.0 if text.lower() == "nan" else to_float(path, "spacings", text) for text in spacings] or [1.0] * 3
    if len(numbers) != 3:
        raise FileError(f"{path} must give three spacings, it gives {header.fields['spacings']!r}.")
    if not spacings or "nan" in (text.lower() for text in spacings):
        found["spacing"] = Origin(tuple(numbers), DOUBT, "the header states none, or not all; 1 mm is taken")
    note = "rows, columns and slices along the axes of space: the header gives no directions"
    found["space directions"] = Origin(tuple(numbers), ASSUMED, note)
    return list(np.diag(numbers))


def _corner(header: NrrdHeader, steps: list[NDArray[np.float64]], found: Found) -> NDArray[np.float64]:
    if "spaceorigin" in header.fields:
        return _vector(header.path, header.fields["spaceorigin"])
    ends = header.fields.get("axismins", "").split()[len(header.sizes) - 3 :]
    if len(ends) == 3 and "nan" not in (text.lower() for text in ends):
        found["origin"] = Origin(" ".join(ends), "axis mins")
        shift = 0.5 if header.fields.get("centers", header.fields.get("centerings", "")).startswith("cell") else 0.0
        corner = np.array([to_float(header.path, "axis mins", text) for text in ends])
        return corner + shift * np.sum(steps, axis=0)
    found["space origin"] = Origin("(0,0,0)", ASSUMED, "the header states none, as ITK")
    return np.zeros(3)


def _vector(path: Path, text: str) -> NDArray[np.float64]:
    parts = text.strip("() ").split(",")
    if len(parts) != 3:
        raise FileError(f"{path} must give its space vectors as (x,y,z), got {text!r}.")
    return np.array([to_float(path, "space vector", part) for part in parts])
