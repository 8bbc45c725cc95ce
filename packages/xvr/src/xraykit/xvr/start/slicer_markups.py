"""Named points from files: 3D Slicer's .mrk.json and .fcsv, and for X-rays also .csv and .json in pixels."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from xraykit.render import Camera, FileError, InputError
from xraykit.render.geometry import swap_ras_lps_points
from xraykit.render.storage import read_json_object, text_of

NamedPoint = tuple[str, list[float]]
_LIMIT = 1 << 24
_NOT_PLACED = ("0", "1", "3")  # undefined, preview, missing (skipped); 2 is defined
_CODES = {"0": "RAS", "1": "LPS", "2": "IJK"}
_CSV = {("u", "v"): "px", ("column", "row"): "index", ("x_mm", "y_mm"): "mm"}


SLICER_ENDINGS = (".mrk.json", ".fcsv")


def read_world_points(path: str | Path) -> dict[str, Tensor]:
    """Named points of the CT, {label: (3,) RAS [mm] float64}, from a Slicer .mrk.json or .fcsv.

    Files in LPS are converted. Points that Slicer holds as undefined (not placed yet) are left out.

    Raises:
        FileError: Missing, damaged, or no such file; no point in it; two of one name; a coordinate system that is
            neither RAS nor LPS, or a unit other than mm; a coordinate that is no finite number.
    """
    path = Path(path)
    points, system = _slicer(path)
    tensors = {name: torch.tensor(point, dtype=torch.float64) for name, point in _named(path, points, 3).items()}
    return {name: swap_ras_lps_points(point) if system == "LPS" else point for name, point in tensors.items()}


def read_image_points(
    path: str | Path, camera: Camera, *, unit: Literal["mm", "px"] = "mm"
) -> dict[str, tuple[float, float]]:
    """Named points of an X-ray, {label: (u, v)} in pixels of `camera`, pixel centres at half-integers.

    | file | what its numbers are |
    |---|---|
    | .csv with the header name,u,v | pixels from the image's corner; the first pixel's centre is (0.5, 0.5) |
    | .csv with the header name,column,row | pixel indices; the first pixel's centre is (0, 0) |
    | .csv with the header name,x_mm,y_mm | millimetres at the detector from the image's corner |
    | .json {"name": [u, v], ...} | as name,u,v |
    | .mrk.json, .fcsv | placed in Slicer: columns along L, rows along P, the first pixel's centre at the origin |

    Args:
        path: The file.
        camera: Of the image on which the points were placed: its pixel spacing turns millimetres into pixels.
        unit: Of Slicer's coordinates: "mm" where the file states the pixel spacing, "px" where it does not.

    Raises:
        FileError: As for `read_world_points`; a .csv with another header.
        InputError: Another unit.
    """
    path = Path(path)
    if unit not in ("mm", "px"):
        raise InputError(f"unit must be mm or px, got {unit!r}.")
    down, across = camera.tensors(dtype=torch.float64, device="cpu")[1][0].tolist()
    name = path.name.lower()
    if name.endswith(SLICER_ENDINGS):
        points, system = _slicer(path)
        flip = -1.0 if system == "RAS" else 1.0
        place = {key: (flip * x, flip * y) for key, (x, y, _) in _named(path, points, 3).items()}
        scale = (across, down) if unit == "mm" else (1.0, 1.0)
        return {key: (x / scale[0] + 0.5, y / scale[1] + 0.5) for key, (x, y) in place.items()}
    if name.endswith(".csv"):
        kind, points = _table(path)
        pairs = {key: (x, y) for key, (x, y) in _named(path, points, 2).items()}
        if kind == "mm":
            return {key: (x / across, y / down) for key, (x, y) in pairs.items()}
        half = 0.5 if kind == "index" else 0.0
        return {key: (x + half, y + half) for key, (x, y) in pairs.items()}
    if name.endswith(".json"):
        content = _json(path)
        found = [(str(key), value) for key, value in content.items()]
        return {key: (x, y) for key, (x, y) in _named(path, found, 2).items()}
    raise FileError(f"{path} must be .mrk.json, .fcsv, .csv or .json, got another kind of file; export it as one.")


def _slicer(path: Path) -> tuple[list[NamedPoint], str]:
    """(name, position) of each defined point, and the coordinate system RAS or LPS."""
    readers: dict[str, Callable[[Path], tuple[list[NamedPoint], str]]] = {".mrk.json": _markups, ".fcsv": _fcsv}
    for suffix, reader in readers.items():
        if path.name.lower().endswith(suffix):
            points, system = reader(path)
            if system not in ("RAS", "LPS"):
                raise FileError(
                    f"{path} must hold RAS or LPS coordinates, got {system!r:.60}; export it from Slicer again."
                )
            return points, system
    raise FileError(f"{path} must be a Slicer file (.mrk.json or .fcsv), got another; save the markups from Slicer.")


def _markups(path: Path) -> tuple[list[NamedPoint], str]:
    lists = _json(path).get("markups")
    if not isinstance(lists, list) or len(lists) != 1 or not isinstance(lists[0], dict):
        count = len(lists) if isinstance(lists, list) else "no"
        raise FileError(f"{path} must hold one list of markups, got {count}; save each list to a file of its own.")
    markup = lists[0]
    units = markup.get("coordinateUnits", "mm")
    if units not in ("mm", ["mm", "mm", "mm"], ["mm", "UCUM", "millimeter"]):
        raise FileError(f"{path} must hold millimetres, got coordinateUnits {units!r:.60}; convert it.")
    points: list[NamedPoint] = []
    placed = markup.get("controlPoints") or []
    if not isinstance(placed, list):
        raise FileError(f"{path} must hold a list of control points, got {placed!r:.60}; save it from Slicer again.")
    for point in placed:
        if not isinstance(point, dict):
            raise FileError(f"{path} must hold control points with label and position, got {point!r:.60}.")
        if point.get("positionStatus", "defined") == "defined":
            points.append((str(point.get("label", "")), point.get("position")))  # type: ignore[arg-type]
    return points, str(markup.get("coordinateSystem", "LPS"))


def _fcsv(path: Path) -> tuple[list[NamedPoint], str]:
    system, columns, points = "", ["id", "x", "y", "z"], []
    for line in _text(path).splitlines():
        key, _, value = line.lstrip("# ").partition("=")
        if line.startswith("#") and key.strip() == "CoordinateSystem":
            system = _CODES.get(value.strip(), value.strip())
        elif line.startswith("#") and key.strip() == "columns":
            columns = [column.strip() for column in value.split(",")]
        elif line.strip() and not line.startswith("#"):
            (cells,) = _cells(path, [line])
            if line.count(";") >= len(columns) - 1 and ";" in cells[0]:
                raise FileError(f"{path} must separate its cells by commas, got semicolons; export it with commas.")
            row = dict(zip(columns, cells, strict=False))
            status = cells[len(columns) :][:1]  # Slicer writes it behind the columns that it names
            if status and status[0].strip() in _NOT_PLACED:
                continue
            points.append((row.get("label") or row.get("id") or "", [row.get(axis, "") for axis in "xyz"]))
    if not system:
        raise FileError(f"{path} must say '# CoordinateSystem = LPS' or RAS, it says none; save it from Slicer again.")
    return points, system


def _table(path: Path) -> tuple[str, list[NamedPoint]]:
    rows = [row for row in _cells(path, _text(path).splitlines()) if any(cell.strip() for cell in row)]
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    kind = _CSV.get((header[1], header[2])) if len(header) == 3 and header[0] == "name" else None
    if kind is None:
        legal = " or ".join("name," + ",".join(pair) for pair in _CSV)
        raise FileError(f"{path} must begin with the header {legal}, got {','.join(header)!r:.60}.")
    return kind, [(row[0].strip(), row[1:]) for row in rows[1:]]  # type: ignore[misc]


def _named(path: Path, points: Iterable[tuple[str, Any]], size: int) -> dict[str, list[float]]:
    """The points by name, each of `size` finite numbers, none twice, at least one."""
    named: dict[str, list[float]] = {}
    for name, position in points:
        try:
            numbers = [float(value) for value in position]
        except (TypeError, ValueError, OverflowError):
            numbers = []
        if len(numbers) != size or not all(map(math.isfinite, numbers)):
            raise FileError(f"{path}: point {name!r:.60} must be {size} finite numbers, got {position!r:.60}.")
        if not name or name in named:
            raise FileError(
                f"{path} must name each point once, got {name!r:.60} {'twice' if name else 'for one'}; rename it."
            )
        named[name] = numbers
    if not named:
        raise FileError(f"{path} holds no placed point; place landmarks and save again.")
    return named


def _json(path: Path) -> dict[str, Any]:
    return read_json_object(path, what="a list of points", most_bytes=_LIMIT)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LIMIT:
            raise FileError(f"{path} must be a list of points of at most {_LIMIT} bytes, got {path.stat().st_size}.")
        return text_of(path.read_bytes())
    except OSError as error:
        raise FileError(f"a list of points was expected at {path}, got {error.strerror}; check the path.") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path} must be text in UTF-8 or UTF-16, got other bytes; save it as UTF-8.") from error


def _cells(path: Path, lines: list[str]) -> list[list[str]]:
    try:
        return list(csv.reader(lines))
    except csv.Error as error:
        raise FileError(f"{path} must be a table of points, got one that cannot be read ({error}).") from error
