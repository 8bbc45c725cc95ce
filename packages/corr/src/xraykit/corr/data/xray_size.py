"""The size of an X-ray's file."""

from __future__ import annotations

from pathlib import Path

from xraykit.render import read_radiograph


def xray_size(path: Path) -> tuple[int, int]:
    """Height and width of an X-ray [px].

    Raises:
        FileError: It is missing, damaged or no X-ray.
    """
    radiograph = read_radiograph(path, colour="luma")
    return int(radiograph.pixels.shape[-2]), int(radiograph.pixels.shape[-1])
