"""What a radiograph says of itself, row by row, and who said it."""

from __future__ import annotations

from typing import NamedTuple

from ..storage.brief import brief
from .radiograph import Origin, Radiograph


class Row(NamedTuple):
    """One line of `xraykit render info`: the field, its value, and the tag behind it."""

    field: str
    value: str
    origin: str


def describe_radiograph(radiograph: Radiograph) -> list[Row]:
    """The rows (field, value, origin); the origin names the tag, or begins with "assumed: " or "missing: ".

    First the image itself (size, value range), then every recorded fact, camera first. Patient names, numbers and
    dates are not among them.
    """
    pixels = radiograph.pixels.detach()
    low, high = float(pixels.min()), float(pixels.max())
    rows = [
        Row("source", "" if radiograph.source is None else radiograph.source.name, "path"),
        Row("size", f"{radiograph.n_frames} x {radiograph.height} x {radiograph.width}", "frames x rows x columns"),
        Row("values", f"{low:.6g} to {high:.6g}", f"in {radiograph.polarity}"),
    ]
    if radiograph.camera is not None and "camera" not in radiograph.provenance:
        rows.append(Row("camera", "known", "from the fields below"))
    first = [name for name in ORDER if name in radiograph.provenance]
    rest = [name for name in radiograph.provenance if name not in ORDER]
    rows += [_row(name, radiograph.provenance[name]) for name in (*first, *rest)]
    return rows


ORDER = ("polarity", "camera", "sdd", "pixel_spacing", "principal_point", "sod", "lao_rao", "cra_cau")


def _row(name: str, origin: Origin) -> Row:
    joiner = ": " if origin.tag in ("assumed", "missing") else "; "
    said = f"{origin.tag}{joiner}{origin.note}" if origin.note else origin.tag
    return Row(name, _shown(origin.value), said)


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (tuple, list)):
        shown = ", ".join(_shown(v) for v in value[:4])
        return shown if len(value) <= 4 else f"{shown}, ... ({len(value)} values)"
    return brief(value, limit=80)
