"""`xraykit xvr app`: a local page to register X-rays by hand and by button."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Group, Parameter

from xraykit.render.cli.settings import ConfigOption

if TYPE_CHECKING:
    from ..app.server import AppServer
    from ..xray.shot import Shot

XRAY = Parameter(group=Group.create_ordered("X-rays"))
START = Parameter(group=Group.create_ordered("Where to start"))


@dataclass(frozen=True)
class AppConfig:
    """Options of `xraykit xvr app`."""

    ct: Path
    """The patient's CT: NIfTI, NRRD, MHA or a DICOM folder."""
    xrays: tuple[Path, ...]
    """One X-ray or more of this patient: DICOM, PNG, TIFF or JPEG."""
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = field(default=Path("xvr-app"), kw_only=True)
    """Where the save button writes, a folder for each result."""
    labels: Path | None = field(default=None, kw_only=True)
    """Label map on the grid of the CT, to render and register single structures."""
    label_names: str | None = field(default=None, kw_only=True)
    """Name table of the label values, e.g. totalsegmentator_v2; default: the names in the label file, if any."""
    port: int = field(default=8080, kw_only=True)
    """Port of the page on 127.0.0.1; 0 takes any free one."""
    no_browser: bool = field(default=False, kw_only=True)
    """Do not open the page, only say where it is."""

    sdd: Annotated[float | None, XRAY] = field(default=None, kw_only=True)
    """Source to detector distance [mm], in place of the file's."""
    pixel_spacing: Annotated[float | None, XRAY] = field(default=None, kw_only=True)
    """Pixel pitch at the detector [mm], in place of the file's."""
    principal_point: Annotated[tuple[float, float] | None, XRAY] = field(default=None, kw_only=True)
    """Foot of the perpendicular from the source, x and y [px] in the stored image; default: the file's, else the
    middle."""
    polarity: Annotated[
        Literal["intensity", "inverted_intensity", "log_intensity", "log_attenuation", "line_integral"] | None, XRAY
    ] = field(default=None, kw_only=True)
    """What pixel values mean: intensity (bone dark), inverted_intensity, log_intensity (bone dark, processed),
    log_attenuation (bone bright, processed), line_integral; default: as the file says."""
    frame: Annotated[int | None, XRAY] = field(default=None, kw_only=True)
    """Which frame of several, counted from 0."""
    reduce: Annotated[Literal["mean", "median", "max", "min"] | None, XRAY] = field(default=None, kw_only=True)
    """How several frames become one; max keeps the densest moment."""
    crop: Annotated[int, XRAY] = field(default=0, kw_only=True)
    """Pixels to cut off at every border first."""
    mirror: Annotated[bool | None, XRAY] = field(default=None, kw_only=True)
    """The file holds the image mirrored left to right (true, false; default: as the file says)."""
    subtract_background: Annotated[bool, XRAY] = field(default=False, kw_only=True)
    """Cut off what is below the most frequent value, for subtraction angiography."""
    field_of_view: Annotated[Literal["auto", "tags", "whole"], XRAY] = field(default="auto", kw_only=True)
    """How the exposed field is found: shutter tags and the image, tags alone, or the whole image counts."""
    colour: Annotated[Literal["luma"] | None, XRAY] = field(default=None, kw_only=True)
    """luma accepts colour pictures by their brightness."""

    view: Annotated[str | None, START] = field(default=None, kw_only=True)
    """Named view to open with: ap, pa, lateral_left, lateral_right, or with --labels any that `xraykit render views`
    lists; default: the positioner tags of the files, else ap."""
    result: Annotated[Path | None, START] = field(default=None, kw_only=True)
    """result.json of an earlier run or its folder, to open with its poses."""
    network: Annotated[str | None, START] = field(default=None, kw_only=True)
    """Folder or file of a trained network, or org/name on the hub, for a button that asks it."""
    warp: Annotated[Path | None, START] = field(default=None, kw_only=True)
    """Transform from the network's template to this CT, for networks trained in a template frame."""
    invert_warp: Annotated[bool, START] = field(default=False, kw_only=True)
    """The transform was made the other way round."""


def app_command(config: Annotated[AppConfig, Parameter(name="*")], *, config_file: ConfigOption = None) -> None:
    """Open a page that lays a live rendering of the CT over X-rays, to place, refine and save it; Ctrl-C ends it.

    The shortest way, for a DICOM X-ray that states its geometry:

        xraykit xvr app ct.nii.gz xray.dcm

    A picture states nothing, so say what it is and about where it was taken from:

        xraykit xvr app ct.nii.gz xray.png --sdd 1020 --pixel-spacing 0.3 --view ap

    Args:
        config: The options.
        config_file: .toml, .yaml or .json with any of these options; the command line wins.
    """
    from xraykit.render.commands import serve_until_interrupt
    from xraykit.render.web import check_port, require_web

    require_web(extra="app", distribution="xraykit-xvr")
    check_port(config.port)  # before the CT is read
    print(f"reading {config.ct.name} and {', '.join(path.name for path in config.xrays)}", flush=True)
    more = f"; results go to {config.output}"
    serve_until_interrupt(open_app(config), browser=not config.no_browser, more=more)


def open_app(config: AppConfig) -> AppServer:
    """The running page that a config asks for.

    Raises:
        FileError: The CT, its labels, an X-ray or a result cannot be read.
        InputError: An X-ray lacks geometry that no option supplies, or the port is busy.
        OutputError: The output folder cannot be made.
    """
    from xraykit.render import Volume

    from ..app.files import load_result, result_text
    from ..app.server import AppServer
    from ..app.session import Session
    from ..app.starters import first_poses, make_starters
    from ..refine.registration import register
    from ..template.warp import read_warp
    from ..trust.judging import judge

    shots = read_shots(config)
    volume = Volume.from_file(config.ct, labels=config.labels, label_names=config.label_names)
    warp = None if config.warp is None else read_warp(config.warp, volume, invert=config.invert_warp)
    starters = make_starters(volume, config.xrays, shots, mirror=config.mirror, network=config.network, warp=warp)
    starts, notes = first_poses(volume, config.xrays, shots, view=config.view, mirror=config.mirror)
    session = Session(volume, shots, starts, starters, register, judge, notes)
    if config.result is not None:
        load_result(session, result_text(config.result))
    inputs = {
        "ct": str(config.ct),
        "labels": None if config.labels is None else str(config.labels),
        "xrays": [str(path) for path in config.xrays],
    }
    return AppServer(session, folder=config.output, port=config.port, inputs=inputs)


def read_shots(config: AppConfig) -> list[Shot]:
    """All X-rays, named after their files, numbered where names repeat.

    Raises:
        FileError: An X-ray cannot be read.
        InputError: It lacks geometry that no option supplies.
    """
    from ..xray.xray_input import read_shot
    from .xray_options import xray_settings

    settings = xray_settings(config)
    stems = [path.stem for path in config.xrays]
    names = [f"{stem}_{n + 1}" if stems.count(stem) > 1 else stem for n, stem in enumerate(stems)]
    return [read_shot(path, settings, name=name) for path, name in zip(config.xrays, names, strict=True)]
