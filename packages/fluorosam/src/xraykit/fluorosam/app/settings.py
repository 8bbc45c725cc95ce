"""Settings of the page: no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..predictor.settings import UsedNetworkSettings, XrayFileSettings


@dataclass(frozen=True)
class MaskPageSettings:
    """The page."""

    port: int = 8080
    """Port of the page on 127.0.0.1; 0 takes any free one."""
    no_browser: bool = False
    """Do not open the page, only say where it is."""
    outer: str | None = None
    """Address at which a proxy shows the page, with {port} for the port: https://HUB/user/ME/proxy/{port}/ behind
    JupyterHub, https://NAME-{port}.app.github.dev/ in Codespaces."""


@dataclass(frozen=True)
class MaskAppSettings:
    """Annotate X-rays with words and clicks."""

    xrays: tuple[Path, ...] = field(metadata={"positional": True})
    """X-rays (DICOM, PNG, TIFF or JPEG), and folders of them."""
    output: Path = field(default=Path("annotations"), metadata={"short": "-o"})
    """Folder of what is saved; annotations.json in it is extended."""
    page: MaskPageSettings = field(default_factory=MaskPageSettings)
    """Where the page is."""
    network: UsedNetworkSettings = field(default_factory=UsedNetworkSettings)
    """What finds."""
    reading: XrayFileSettings = field(default_factory=XrayFileSettings)
    """How files are read."""
