"""Settings of the command that segments files: no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..predictor.settings import UsedNetworkSettings, XrayFileSettings


@dataclass(frozen=True)
class SegmentFilesSettings:
    """Segment X-rays by words and clicks."""

    xrays: tuple[Path, ...] = field(metadata={"positional": True})
    """X-rays: DICOM, PNG, TIFF or JPEG, or folders, of which every X-ray is taken."""
    output: Path = field(metadata={"short": "-o"})
    """Folder for what is found; made if need be."""
    prompt: tuple[str, ...] = ()
    """What to find, in words; may be repeated: --prompt "left femur" --prompt "all ribs"."""
    point: tuple[str, ...] = ()
    """A point as X,Y,+ inside or X,Y,- outside of what is meant, x right and y down in pixels of the file; may be
    repeated: --point 512,300,+ --point 80,95,-. All go with the one prompt in words, or stand alone."""
    box: str | None = None
    """A box about what is meant, as LEFT,TOP,RIGHT,BOTTOM; goes with the one prompt, as points do."""
    single: bool = False
    """One candidate for each prompt, not the most confident of three."""
    identified: bool = False
    """Name patient, study and image in DICOM segmentations, as archives want it; else they name nobody."""
    network: UsedNetworkSettings = field(default_factory=UsedNetworkSettings)
    """What segments."""
    reading: XrayFileSettings = field(default_factory=XrayFileSettings)
    """How files are read."""
