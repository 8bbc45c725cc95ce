"""Options of `xraykit xvr register`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

Source = Literal["network", "dicom", "fixed", "result", "landmarks", "search"]

ANATOMY = Parameter(group=Group.create_ordered("Anatomy"))
XRAY = Parameter(group=Group.create_ordered("X-rays"))
START = Parameter(group=Group.create_ordered("Where to start"))
REFINE = Parameter(group=Group.create_ordered("Refinement"))
RESULT = Parameter(group=Group.create_ordered("Results"))


@dataclass(frozen=True)
class RegisterConfig:
    """Options of `xraykit xvr register`."""

    ct: Path
    """The patient's CT: NIfTI, NRRD, MHA or a DICOM folder."""
    xrays: tuple[Path, ...]
    """One X-ray or more: DICOM, PNG, TIFF or JPEG. Each is registered by itself unless --joint is given."""
    output: Annotated[Path, Parameter(name=("--output", "-o"), group=RESULT.group)] = field(kw_only=True)
    """Folder for the results: one folder in it for each X-ray, and the options in register.config.json."""

    labels: Annotated[Path | None, ANATOMY] = field(default=None, kw_only=True)
    """Label map on the grid of the CT."""
    label_names: Annotated[str | None, ANATOMY] = field(default=None, kw_only=True)
    """Name table of the label values, e.g. totalsegmentator_v2; default: the names in the label file, if any."""
    structures: Annotated[str | None, ANATOMY] = field(default=None, kw_only=True)
    """What to register: names or values of labels; a comma joins them to one rigid structure, a semicolon begins the
    next, which gets a pose of its own ("sacrum,hip_left,hip_right;femur_left"). Default: the whole CT."""

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
    mirror: Annotated[bool | None, Parameter(negative="--no-mirror", group=XRAY.group)] = field(
        default=None, kw_only=True
    )
    """The file holds the image mirrored left to right, or not; default: as the file says."""
    subtract_background: Annotated[bool, XRAY] = field(default=False, kw_only=True)
    """Cut off what is below the most frequent value, for subtraction angiography."""
    field_of_view: Annotated[Literal["auto", "tags", "whole"], XRAY] = field(default="auto", kw_only=True)
    """How the exposed field is found: shutter tags and the image, tags alone, or the whole image counts."""
    colour: Annotated[Literal["luma"] | None, XRAY] = field(default=None, kw_only=True)
    """luma accepts colour pictures by their brightness."""

    start: Annotated[tuple[Source, ...], START] = field(default=(), kw_only=True)
    """Where the first pose comes from; repeat it to try several. network: a trained one (--network). dicom: positioner
    tags. fixed: --view, angles or --pose. result: an earlier --result. landmarks: pairs of points. search: a coarse
    search of AP views, or of the ranges that --search-... state. Around dicom, view and angles, which do not know where
    the patient lies in the beam, it is searched too. Default: what the other options name; else dicom if the files
    have the tags, else search."""
    network: Annotated[str | None, START] = field(default=None, kw_only=True)
    """Folder or file of a trained network, or org/name on the hub."""
    network_sdd: Annotated[float | None, START] = field(default=None, kw_only=True)
    """Source to detector distance that a published checkpoint was trained with [mm], where it does not say."""
    network_delx: Annotated[float | None, START] = field(default=None, kw_only=True)
    """Pixel spacing at the height that a published checkpoint was trained with [mm], where it does not say."""
    warp: Annotated[Path | None, START] = field(default=None, kw_only=True)
    """Transform from the network's template to this CT, for networks trained in a template frame; `xraykit xvr align`
    makes one."""
    invert_warp: Annotated[bool, START] = field(default=False, kw_only=True)
    """The transform was made the other way round."""
    view: Annotated[str | None, START] = field(default=None, kw_only=True)
    """Named view: ap, pa, lateral_left, lateral_right, or with --labels any that `xraykit render views` lists."""
    lao_rao: Annotated[tuple[float, ...], START] = field(default=(), kw_only=True)
    """Positioner primary angle [degrees], LAO positive; with --joint one for each X-ray."""
    cra_cau: Annotated[tuple[float, ...], START] = field(default=(), kw_only=True)
    """Positioner secondary angle [degrees], cranial positive; with --joint one for each X-ray."""
    roll: Annotated[tuple[float, ...], START] = field(default=(), kw_only=True)
    """Turn about the beam [degrees]; with --joint one for each X-ray."""
    sod: Annotated[float | None, START] = field(default=None, kw_only=True)
    """Source to isocentre [mm]; default: the file's, else 0.7 of sdd."""
    offset: Annotated[tuple[float, float, float], START] = field(default=(0.0, 0.0, 0.0), kw_only=True)
    """Isocentre minus centre of the CT [mm], patient right, front, head."""
    pose: Annotated[tuple[Path, ...], START] = field(default=(), kw_only=True)
    """pose.json: one for all X-rays, or one for each in their order."""
    result: Annotated[tuple[Path, ...], START] = field(default=(), kw_only=True)
    """result.json of an earlier run or its folder: one for all X-rays, or one for each in their order."""
    landmarks_ct: Annotated[Path | None, START] = field(default=None, kw_only=True)
    """Landmarks in the CT: Slicer .mrk.json or .fcsv."""
    landmarks_xray: Annotated[tuple[Path, ...], START] = field(default=(), kw_only=True)
    """The same landmarks in the X-ray, one file for each X-ray in their order."""
    search_lao_rao: Annotated[tuple[float, float] | None, START] = field(default=None, kw_only=True)
    """Primary angles to search, from and to [degrees]; default 135 225, AP give or take 45."""
    search_cra_cau: Annotated[tuple[float, float] | None, START] = field(default=None, kw_only=True)
    """Secondary angles to search [degrees]; default -30 30."""
    search_roll: Annotated[tuple[float, float] | None, START] = field(default=None, kw_only=True)
    """Turns about the beam to search [degrees]; default -15 15."""
    search_sod: Annotated[tuple[float, float] | None, START] = field(default=None, kw_only=True)
    """Source to isocentre distances to search [mm]; default 0.6 to 0.85 of sdd."""
    search_offset: Annotated[float | None, START] = field(default=None, kw_only=True)
    """How far the isocentre may lie off the central ray [mm]; default 100."""

    joint: Annotated[bool, START] = field(default=False, kw_only=True)
    """All X-rays are views of one patient who did not move, and their places relative to each other are right as the
    DICOM tags, poses or earlier result say; one pose is found for all."""
    init_only: Annotated[bool, REFINE] = field(default=False, kw_only=True)
    """Write where it would start, and refine nothing."""
    scales: Annotated[tuple[int, ...], REFINE] = field(default=(32, 64, 128, 256), kw_only=True)
    """Pixels of the longer side, coarse to fine."""
    iterations: Annotated[int, REFINE] = field(default=30, kw_only=True)
    """Most steps at each scale."""
    spread: Annotated[bool, Parameter(negative="--no-spread", group=REFINE.group)] = field(default=True, kw_only=True)
    """Where the answer is not to be trusted, try again from eight neighbours of every start (10 degrees, 60 mm off)."""
    optimizer: Annotated[Literal["levenberg_marquardt", "adam"], REFINE] = field(
        default="levenberg_marquardt", kw_only=True
    )
    """Second-order steps, or the published first-order ascent."""
    refine_intrinsics: Annotated[tuple[Literal["sdd", "principal_point"], ...], REFINE] = field(
        default=(), kw_only=True
    )
    """What of the camera is uncertain and shall be found too; trust it only with several views or rich anatomy."""

    resume: Annotated[bool, RESULT] = field(default=False, kw_only=True)
    """Go on with an interrupted run: X-rays with a finished result are left as they are."""
    animation: Annotated[bool, Parameter(negative="--no-animation", group=RESULT.group)] = field(
        default=True, kw_only=True
    )
    """Write convergence.gif."""
