"""What the page works on, where it opens, and what its buttons do: settings that load no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xraykit.render.commands import LabelSettings

from ..refine.settings import RefinementSettings
from ..start.settings import NetworkStart
from ..xray.settings import XraySettings


@dataclass(frozen=True)
class PageSettings:
    """The page."""

    output: Path = field(default=Path("xvr-app"), metadata={"short": "-o"})
    """Where the save button writes, a folder for each result."""
    port: int = 8080
    """Port of the page on 127.0.0.1; 0 takes any free one."""
    no_browser: bool = False
    """Do not open the page, only say where it is."""
    outer: str | None = None
    """Address at which a proxy shows the page, with {port} for the port: https://HUB/user/ME/proxy/{port}/ behind
    JupyterHub, https://NAME-{port}.app.github.dev/ in Codespaces."""


@dataclass(frozen=True)
class OpeningSettings:
    """Where to start."""

    view: str | None = None
    """Named view to open with: ap, pa, lateral_left, lateral_right, or with --labels any that `xraykit render views`
    lists; default: the positioner tags of the files, else ap."""
    result: Path | None = None
    """result.json of an earlier run or its folder, to open with its poses."""
    track: Path | None = None
    """Folder of `xraykit xvr track`, or the frames.jsonl in it: each frame of the run opens with its pose. Named alone,
    without CT and X-rays, it says itself what was followed and where: so implants and bones are looked at."""


@dataclass(frozen=True)
class AppSettings:
    """Register X-rays by hand and by button."""

    ct: Path | None = field(default=None, metadata={"positional": True})
    """The patient's CT: NIfTI, NRRD, MHA or a DICOM folder."""
    xrays: tuple[Path, ...] = field(default=(), metadata={"positional": True})
    """One X-ray or more of this patient: DICOM, PNG, TIFF or JPEG; or cine runs to step through, one for each
    view: files of several frames, folders of numbered images, or patterns of their names in quotes ('run/????.png')."""
    camera: tuple[Path, ...] = ()
    """File with the camera of each X-ray in their order, or of all, as for `xraykit xvr register`."""
    anatomy: LabelSettings = field(default_factory=LabelSettings)
    """Labels, to render and register single structures."""
    page: PageSettings = field(default_factory=PageSettings)
    """Where the page is and what it leaves."""
    xray: XraySettings = field(default_factory=XraySettings)
    """How X-rays are read."""
    opening: OpeningSettings = field(default_factory=OpeningSettings)
    """Where each X-ray is seen from at first."""
    network: NetworkStart = field(default_factory=NetworkStart)
    """A network for a button that asks it."""
    refinement: RefinementSettings = field(default_factory=RefinementSettings)
    """What the button that registers does."""
