"""RTK's geometry.xml: the projections of a ThreeDCircularProjectionGeometry."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import torch

from ..errors import FileError, GeometryError
from ..storage.atomic_write import write_atomically
from ..storage.brief import brief
from .calibration_text import numbers_in, read_calibration_text
from .rtk import RTKProjection

ROOT = "RTKThreeDCircularGeometry"
FIELDS = (
    "SourceToIsocenterDistance",
    "SourceToDetectorDistance",
    "GantryAngle",
    "ProjectionOffsetX",
    "ProjectionOffsetY",
    "OutOfPlaneAngle",
    "InPlaneAngle",
    "SourceOffsetX",
    "SourceOffsetY",
)
"""The nine numbers of a projection, in the order of `AddProjection`; what is absent is 0."""
_MATRIX_AGREES = 1e-3  # relative: RTK prints 15 digits, old versions fewer


def read_rtk(
    path: str | Path,
    *,
    size: tuple[int, int],
    spacing: tuple[float, float],
    origin: tuple[float, float] | None = None,
    direction: tuple[int, int] = (1, 1),
) -> list[RTKProjection]:
    """The projections of RTK's geometry.xml, for `from_rtk`.

    What stands before the first projection holds for all. A matrix must agree with the nine numbers.

    Args:
        path: The file.
        size: (columns, rows) of the projection images, which the file does not state [px].
        spacing: (u, v) of them [mm].
        origin: Physical (u, v) of the first pixel's centre [mm]; None centres the image.
        direction: +1 or -1 along u and v. ITK's usual (1, 1) lists rows from the bottom up, which is a `mirrored` view.

    Returns:
        One RTKProjection for each.

    Raises:
        FileError: Missing, no such XML, numbers that are none, a matrix that disagrees, a curved detector, parallel
            beams, or no projection.
    """
    root = _root(path, read_calibration_text(path))
    common, projections = _values(path, root), root.findall("Projection")
    if not projections:
        raise FileError(f"{path} must hold projections, got none; is the geometry empty?")
    columns, rows = size
    if origin is None:
        u, v = (-sign * (n - 1) / 2 * step for n, step, sign in zip(size, spacing, direction, strict=True))
        origin = (u, v)
    found = []
    for number, projection in enumerate(projections):
        values = {**common, **_values(path, projection)}
        if values.get("RadiusCylindricalDetector", 0.0):
            raise FileError(f"{path} must be of a flat detector, got RadiusCylindricalDetector; resample the images.")
        sid, sdd, gantry, px, py, out, into, sx, sy = (values.get(field, 0.0) for field in FIELDS)
        if not sdd > 0:
            raise FileError(
                f"{path} must have SourceToDetectorDistance above 0 in projection {number}, got {sdd:g} mm."
            )
        view = RTKProjection(
            sid, sdd, gantry, (px, py), out, into, (sx, sy), origin, spacing, (columns, rows), direction
        )
        _check_matrix(path, number, projection, view)
        found.append(view)
    return found


def write_rtk(path: str | Path, projections: Sequence[RTKProjection]) -> None:
    """Write projections as RTK's geometry.xml, whole or not at all; origin, spacing and size belong to their images.

    Args:
        path: The file to write; an older one is replaced.
        projections: As `to_rtk` makes them.

    Raises:
        GeometryError: No projection.
        OutputError: The file cannot be written.
    """
    if not projections:
        raise GeometryError("a geometry must have projections, got none.")
    root = Element(ROOT, version="3")
    for projection in projections:
        block = ElementTree.SubElement(root, "Projection")
        for field, value in zip(FIELDS, projection.arguments, strict=True):
            ElementTree.SubElement(block, field).text = repr(value)
        rows = ["  ".join(map(repr, row)) for row in projection.matrix.tolist()]
        ElementTree.SubElement(block, "Matrix").text = "\n" + "\n".join(rows) + "\n"
    ElementTree.indent(root)
    text = f'<?xml version="1.0"?>\n<!DOCTYPE RTKGEOMETRY>\n{ElementTree.tostring(root, encoding="unicode")}\n'
    write_atomically(path, lambda file: file.write(text.encode()))


def _root(path: str | Path, text: str) -> Element:
    if "<!ENTITY" in text:
        raise FileError(f"{path} must be RTK's geometry.xml, got XML that declares entities, which RTK never writes.")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise FileError(f"{path} must be RTK's geometry.xml, got text that is no XML ({brief(error)}).") from error
    if root.tag != ROOT:
        raise FileError(f"{path} must be RTK's geometry.xml with the root {ROOT}, got {brief(root.tag, limit=40)!r}.")
    return root


def _values(path: str | Path, element: Element) -> dict[str, float]:
    """The single numbers right under an element."""
    known = (*FIELDS, "RadiusCylindricalDetector")
    return {
        child.tag: numbers_in(path, child.text or "", count=1, what=child.tag)[0]
        for child in element
        if child.tag in known
    }


def _check_matrix(path: str | Path, number: int, element: Element, view: RTKProjection) -> None:
    stated = element.find("Matrix")
    if stated is None:
        return
    matrix = torch.tensor(numbers_in(path, stated.text or "", count=12, what="Matrix"), dtype=torch.float64)
    off = (matrix.reshape(3, 4) - view.matrix).norm(dim=-1) / view.matrix.norm(dim=-1)
    if bool((off > _MATRIX_AGREES).any()):
        raise FileError(
            f"{path} contradicts itself in projection {number}: its matrix is not that of its angles and distances; "
            "write it again with RTK."
        )
