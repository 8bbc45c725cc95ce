"""Settings of the commands that match files: no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..data.xray_reading import XrayReading


@dataclass(frozen=True)
class UsedMatcherSettings:
    """The network."""

    weights: str = "shipped"
    """A folder of weights, a .safetensors file, or a hub id; shipped is the small network of the package."""
    device: str = "auto"
    """cpu, cuda, cuda:N, or auto: a GPU if there is one."""
    jointly: bool = False
    """All views in one pass, not each pair by itself."""


@dataclass(frozen=True)
class MatchFilesSettings:
    """Match the patches of X-rays."""

    xrays: tuple[Path, ...] = field(metadata={"positional": True})
    """Two X-rays or more of one part: DICOM, PNG, TIFF or JPEG, or a folder of them, counted by name; they are
    called A, B, C, ... in this order."""
    output: Path = field(metadata={"short": "-o"})
    """Folder for what is found; made if need be."""
    top: int = 30
    """Matches to list and draw for each pair of views."""
    threshold: float = 0.0
    """Least probability of a match, 0 to 1."""
    mutual: bool = False
    """Only matches that are the best of both their patches."""
    per_patch: int = 2
    """Matches of one patch at most, so that the list does not stay in one place."""
    point: tuple[tuple[str, float, float], ...] = ()
    """A view and a point in it, x right and y down in pixels of the file, to look for in the others; may be repeated:
    --point A 512 300 --point B 410 288."""
    matcher: UsedMatcherSettings = field(default_factory=UsedMatcherSettings)
    """What matches."""
    reading: XrayReading = field(default_factory=XrayReading)
    """How files are read."""


@dataclass(frozen=True)
class QueryFilesSettings:
    """Look for a point of one X-ray in others."""

    xrays: tuple[Path, ...] = field(metadata={"positional": True})
    """Two X-rays or more of one part: DICOM, PNG, TIFF or JPEG, or a folder of them, counted by name; they are
    called A, B, C, ... in this order."""
    point: tuple[float, float]
    """The point, x right and y down in pixels of the file."""
    view: str = "A"
    """The X-ray that the point lies in."""
    top: int = 5
    """Places to tell for each of the other views."""
    output: Path | None = field(default=None, metadata={"short": "-o"})
    """A PNG file for the picture; default: none."""
    matcher: UsedMatcherSettings = field(default_factory=UsedMatcherSettings)
    """What matches."""
    reading: XrayReading = field(default_factory=XrayReading)
    """How files are read."""
