"""`xraykit render view`: a local page with the C-arm, the patient's surface and the live X-ray."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..errors import InputError
from .drr import usable_device
from .settings import ConfigOption

if TYPE_CHECKING:
    from ..volumes.volume import Volume


@dataclass(frozen=True)
class ViewConfig:
    """Options of `xraykit render view`."""

    ct: Path | None = None
    """NIfTI, NRRD or MHA/MHD file, or a DICOM folder."""
    demo: Literal["torso"] | None = field(default=None, kw_only=True)
    """In place of a CT: the procedural patient."""
    labels: Path | None = field(default=None, kw_only=True)
    """Label map on the grid of CT, to highlight organs."""
    label_names: str | None = field(default=None, kw_only=True)
    """Name table of the label values, e.g. totalsegmentator_v2; default: the names in the label file, if any."""
    port: int = field(default=8080, kw_only=True)
    """Port of the page on 127.0.0.1; 0 takes any free one."""
    no_browser: bool = field(default=False, kw_only=True)
    """Do not open the page, only say where it is."""
    size: int = field(default=200, kw_only=True)
    """Pixels along each edge of the X-ray, 16 to 1024; fewer are faster."""
    sdd: float = field(default=1020.0, kw_only=True)
    """Source to detector [mm], 400 to 3000."""
    bone: float = field(default=200.0, kw_only=True)
    """Threshold of the bone surface [HU]."""
    samples: int = field(default=300, kw_only=True)
    """Samples per ray inside the volume."""
    folder: Path = field(default=Path(), kw_only=True)
    """Where the save button writes; default: the working folder."""
    backend: Literal["auto", "torch", "numba", "triton"] = field(default="auto", kw_only=True)
    """Implementation; auto takes the fastest that runs here."""
    device: str = field(default="cpu", kw_only=True)
    """cpu, cuda or cuda:N."""


def view(
    config: Annotated[ViewConfig, Parameter(name="*")] = ViewConfig(), *, config_file: ConfigOption = None
) -> None:
    """Open a page with the C-arm, the patient's surface and the live X-ray; Ctrl-C ends it.

    Args:
        config: The options.
        config_file: .toml, .yaml or .json file with any of these options; the command line wins.
    """
    from ..commands.display import serve_until_interrupt
    from ..viewer.local_server import require_viser
    from ..viewer.server import start_viewer
    from ..viewer.state import ViewerState
    from ..web.port import check_port

    check(config)
    require_viser()
    check_port(config.port)  # before the volume is read
    device = usable_device(config.device)
    volume = read(config)
    name = f"demo {config.demo}" if config.ct is None else config.ct.resolve().name
    print(f"{name}: {' x '.join(map(str, volume.shape[::-1]))} voxels; preparing surface and projector", flush=True)
    viewer = start_viewer(
        volume.to(device),
        port=config.port,
        name=name,
        folder=config.folder,
        start=ViewerState(size=config.size, sdd=config.sdd, sod=round(0.7 * config.sdd)),
        bone=config.bone,
        samples=config.samples,
        backend=config.backend,
    )
    serve_until_interrupt(viewer, browser=not config.no_browser, name="viewer")


def check(config: ViewConfig) -> None:
    """Refuse options out of range or in conflict.

    Raises:
        InputError: The option, what it was, what it may be.
    """
    if (config.ct is None) == (config.demo is None):
        got = "neither" if config.ct is None else "both"
        raise InputError(f"view needs a CT or --demo torso, got {got}; give one of them.")
    if config.demo is not None and (config.labels is not None or config.label_names is not None):
        raise InputError("--demo torso brings its own labels, got --labels or --label-names too; leave them out.")
    for name, value, low, high in (("size", config.size, 16, 1024), ("sdd", config.sdd, 400, 3000)):
        if not low <= value <= high:
            raise InputError(f"--{name} must be {low} to {high}, got {value}.")


def read(config: ViewConfig) -> Volume:
    """The volume that a checked config asks for."""
    from ..patient.standard_torso import torso
    from ..volumes.volume import Volume

    if config.ct is None:
        return torso()
    return Volume.from_file(config.ct, labels=config.labels, label_names=config.label_names)
