"""What a radiograph says of itself, row by row, and who said it."""

from __future__ import annotations

from ..storage.provenance import Origin, Provenance, Row, rows
from .radiograph import Radiograph


def describe_radiograph(radiograph: Radiograph) -> list[Row]:
    """The rows (field, value, origin); the origin names the tag, or begins with "assumed: " or "missing: ".

    First the image itself (size, value range), then every recorded fact, camera first, what was assumed, and doubts.
    Patient names, numbers and dates are not among them.
    """
    return rows(radiograph_provenance(radiograph))


def radiograph_provenance(radiograph: Radiograph) -> Provenance:
    """The same as a mapping from field to origin."""
    pixels = radiograph.pixels.detach()
    low, high = float(pixels.min()), float(pixels.max())
    size = f"{radiograph.n_frames} x {radiograph.height} x {radiograph.width}"
    found = {
        "source": Origin("" if radiograph.source is None else radiograph.source.name, "path"),
        "size": Origin(size, "frames x rows x columns"),
        "values": Origin(f"{low:.6g} to {high:.6g}", f"in {radiograph.polarity}"),
    }
    if radiograph.camera is not None and "camera" not in radiograph.provenance:
        found["camera"] = Origin("known", "from the fields below")
    first = {name: radiograph.provenance[name] for name in ORDER if name in radiograph.provenance}
    return {**found, **first, **radiograph.provenance, **radiograph.doubts}


ORDER = ("polarity", "camera", "sdd", "pixel_spacing", "principal_point", "sod", "lao_rao", "cra_cau")
