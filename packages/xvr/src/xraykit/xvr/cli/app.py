"""`xraykit xvr app`: a local page to register X-rays by hand and by button."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from xraykit.render.commands import flat

from ..refine.settings import RefinementSettings
from ..start.settings import NetworkStart
from ..xray.settings import XraySettings

if TYPE_CHECKING:
    from ..app.server import AppServer


@dataclass(frozen=True)
class PageSettings:
    """The page."""

    output: Path = field(default=Path("xvr-app"), metadata={"short": "-o"})
    """Where the save button writes, a folder for each result."""
    port: int = 8080
    """Port of the page on 127.0.0.1; 0 takes any free one."""
    no_browser: bool = False
    """Do not open the page, only say where it is."""


@dataclass(frozen=True)
class OpeningSettings:
    """Where to start."""

    view: str | None = None
    """Named view to open with: ap, pa, lateral_left, lateral_right, or with --labels any that `xraykit render views`
    lists; default: the positioner tags of the files, else ap."""
    result: Path | None = None
    """result.json of an earlier run or its folder, to open with its poses."""


@dataclass(frozen=True)
class AppSettings:
    """Register X-rays by hand and by button."""

    ct: Path = field(metadata={"positional": True})
    """The patient's CT: NIfTI, NRRD, MHA or a DICOM folder."""
    xrays: tuple[Path, ...] = field(metadata={"positional": True})
    """One X-ray or more of this patient: DICOM, PNG, TIFF or JPEG."""
    labels: Path | None = None
    """Label map on the grid of the CT, to render and register single structures."""
    label_names: str | None = None
    """Name table of the label values, e.g. totalsegmentator_v2; default: the names in the label file, if any."""
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


def app(settings: AppSettings) -> None:
    """Open a page that lays a live rendering of the CT over X-rays, to place, refine and save it; Ctrl-C ends it.

    The shortest way, for a DICOM X-ray that states its geometry:

        xraykit xvr app ct.nii.gz xray.dcm

    A picture states nothing, so say what it is and about where it was taken from:

        xraykit xvr app ct.nii.gz xray.png --sdd 1020 --pixel-spacing 0.3 --view ap

    Args:
        settings: The options.
    """
    from xraykit.render.commands import serve_until_interrupt
    from xraykit.render.web import check_port, require_web

    require_web(extra="app", distribution="xraykit-xvr")
    check_port(settings.page.port)  # before the CT is read
    print(f"reading {settings.ct.name} and {', '.join(path.name for path in settings.xrays)}", flush=True)
    more = f"; results go to {settings.page.output}"
    serve_until_interrupt(open_app(settings), browser=not settings.page.no_browser, more=more)


def open_app(settings: AppSettings) -> AppServer:
    """The running page that the settings ask for.

    Raises:
        FileError: The CT, its labels, an X-ray or a result cannot be read.
        InputError: An X-ray lacks geometry that no option supplies, or the port is busy.
        OutputError: The output folder cannot be made.
    """
    from functools import partial

    from xraykit.render import Volume

    from ..app.files import load_result, result_text
    from ..app.server import AppServer
    from ..app.session import Session
    from ..app.starters import first_poses, make_starters
    from ..procedure import register_xrays
    from ..procedure_settings import ProcedureSettings
    from ..template.warp import read_warp
    from ..xray.names import xray_names
    from ..xray.xray_input import read_shot

    paths, mirror, network, opening = settings.xrays, settings.xray.mirror, settings.network, settings.opening
    named = zip(paths, xray_names(paths), strict=True)
    shots = [read_shot(path, settings.xray, name=name) for path, name in named]
    volume = Volume.from_file(settings.ct, labels=settings.labels, label_names=settings.label_names)
    warp = None if network.warp is None else read_warp(network.warp, volume, invert=network.invert_warp)
    starters = make_starters(volume, paths, shots, mirror=mirror, network=network, warp=warp)
    starts, notes = first_poses(volume, paths, shots, view=opening.view, mirror=mirror)
    procedure = ProcedureSettings(refinement=settings.refinement, xray=settings.xray)
    session = Session(volume, shots, starts, starters, partial(register_xrays, settings=procedure), notes)
    if opening.result is not None:
        load_result(session, result_text(opening.result))
    inputs = {
        "ct": str(settings.ct),
        "labels": None if settings.labels is None else str(settings.labels),
        "xrays": [str(path) for path in paths],
    }
    return AppServer(session, folder=settings.page.output, port=settings.page.port, inputs=inputs)


command = flat(app, AppSettings)
