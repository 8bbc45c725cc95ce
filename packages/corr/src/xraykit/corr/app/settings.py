"""Settings of the page: no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..data.xray_reading import XrayReading
from ..pictures.settings import UsedMatcherSettings


@dataclass(frozen=True)
class PairPageSettings:
    """The page."""

    port: int = 8080
    """Port of the page on 127.0.0.1; 0 takes any free one."""
    no_browser: bool = False
    """Do not open the page, only say where it is."""
    outer: str | None = None
    """Address at which a proxy shows the page, with {port} for the port: https://HUB/user/ME/proxy/{port}/ behind
    JupyterHub, https://NAME-{port}.app.github.dev/ in Codespaces."""


@dataclass(frozen=True)
class MarkedSampleSettings:
    """What the file says of these X-rays."""

    patient: str | None = None
    """Whose X-rays they are, the same word for all X-rays of one person; default: what the file says, else a patient
    of their own."""
    split: Literal["train", "val", "test"] | None = None
    """What the sample is for; a patient belongs to one split. Default: what the file says, else train."""


@dataclass(frozen=True)
class PairAppSettings:
    """Mark pairs of points in X-rays."""

    xrays: tuple[Path, ...] = field(metadata={"positional": True})
    """Two X-rays or more of one part: DICOM, PNG, TIFF or JPEG, or a folder of them, counted by name."""
    annotations: Path = field(default=Path("annotations.json"), metadata={"short": "-o"})
    """The file of pairs; one that exists is extended."""
    sample: MarkedSampleSettings = field(default_factory=MarkedSampleSettings)
    """Patient and split."""
    page: PairPageSettings = field(default_factory=PairPageSettings)
    """Where the page is."""
    matcher: UsedMatcherSettings = field(default_factory=UsedMatcherSettings)
    """What matches."""
    reading: XrayReading = field(default_factory=XrayReading)
    """How files are read."""
