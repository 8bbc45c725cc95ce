"""`xraykit render view`: a local page with the C-arm, the patient's surface and the live X-ray."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..commands.display import serve_until_interrupt
from ..commands.findings import say_findings
from ..commands.options import flat
from ..commands.shared_settings import ComputeSettings, LabelSettings
from ..errors import InputError
from ..rendering.devices import usable_device
from ..rendering.options import DEFAULT_SDD

if TYPE_CHECKING:
    from ..volumes.volume import Volume


@dataclass(frozen=True)
class ViewerSettings:
    """A patient to look at on the page."""

    ct: Path | None = field(default=None, metadata={"positional": True})
    """NIfTI, NRRD or MHA/MHD file, or a DICOM folder."""
    demo: Literal["torso"] | None = None
    """In place of a CT: the procedural patient."""
    port: int = 8080
    """Port of the page on 127.0.0.1; 0 takes any free one."""
    no_browser: bool = False
    """Do not open the page, only say where it is."""
    outer: str | None = None
    """Address at which a proxy shows the page, with {port} for the port: https://HUB/user/ME/proxy/{port}/ behind
    JupyterHub, https://NAME-{port}.app.github.dev/ in Codespaces."""
    size: int = 200
    """Pixels along each edge of the X-ray, 16 to 1024; fewer are faster."""
    sdd: float = DEFAULT_SDD
    """Source to detector [mm], 400 to 3000."""
    bone: float = 200.0
    """Threshold of the bone surface [HU]."""
    samples: int = 300
    """Samples per ray inside the volume."""
    folder: Path = Path()
    """Where the save button writes; default: the working folder."""
    anatomy: LabelSettings = field(default_factory=LabelSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)


def view(settings: ViewerSettings) -> None:
    """Open a page with the C-arm, the patient's surface and the live X-ray; Ctrl-C ends it.

    Args:
        settings: The patient, the page and the X-ray.
    """
    from ..extras import require
    from ..viewer.server import start_viewer
    from ..viewer.state import ViewerState
    from ..web.outer import outer_address
    from ..web.port import check_port

    check(settings)
    require("viser", extra="view", what="the viewer")
    check_port(settings.port)  # before the volume is read
    outer_address(settings.outer, port=settings.port)
    device = usable_device(settings.compute.device)
    volume = read(settings)
    name = f"demo {settings.demo}" if settings.ct is None else settings.ct.resolve().name
    print(f"{name}: {' x '.join(map(str, volume.shape[::-1]))} voxels; preparing surface and projector", flush=True)
    viewer = start_viewer(
        volume.to(device),
        port=settings.port,
        name=name,
        folder=settings.folder,
        start=ViewerState(size=settings.size, sdd=settings.sdd, sod=round(0.7 * settings.sdd)),
        bone=settings.bone,
        samples=settings.samples,
        backend=settings.compute.backend,
        outer=settings.outer,
    )
    serve_until_interrupt(viewer, browser=not settings.no_browser, name="viewer")


command = flat(view, ViewerSettings)


def check(settings: ViewerSettings) -> None:
    """Refuse options out of range or in conflict.

    Raises:
        InputError: The option, what it was, what it may be.
    """
    if (settings.ct is None) == (settings.demo is None):
        got = "neither" if settings.ct is None else "both"
        raise InputError(f"view needs a CT or --demo torso, got {got}; give one of them.")
    if settings.demo is not None and (settings.anatomy.labels is not None or settings.anatomy.label_names is not None):
        raise InputError("--demo torso brings its own labels, got --labels or --label-names too; leave them out.")
    for name, value, low, high in (("size", settings.size, 16, 1024), ("sdd", settings.sdd, 400, 3000)):
        if not low <= value <= high:
            raise InputError(f"--{name} must be {low} to {high}, got {value}.")


def read(settings: ViewerSettings) -> Volume:
    """The volume that checked settings ask for."""
    from ..patient.standard_torso import torso
    from ..volumes.volume import Volume

    if settings.ct is None:
        return torso()
    volume = Volume.from_file(settings.ct, **settings.anatomy.reading)
    say_findings(settings.ct, volume)
    return volume
