"""Where a registration starts, as settings that load no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xraykit.render.storage import Range

StartKind = Literal["network", "dicom", "fixed", "result", "landmarks", "search"]
"""Least and greatest value."""


@dataclass(frozen=True)
class NetworkStart:
    """Where to start: a network."""

    source: str | None = field(default=None, metadata={"flag": "network"})
    """Folder or file of a trained network, or org/name on the hub."""
    sdd: float | None = field(default=None, metadata={"flag": "network_sdd"})
    """Source to detector distance that a published checkpoint was trained with [mm], where it does not say."""
    delx: float | None = field(default=None, metadata={"flag": "network_delx"})
    """Pixel spacing at the height that a published checkpoint was trained with [mm], where it does not say."""
    warp: Path | None = None
    """Transform from the network's template to this CT, for networks trained in a template frame; `xraykit xvr align`
    makes one."""
    invert_warp: bool = False
    """The transform was made the other way round."""


@dataclass(frozen=True)
class StatedStart:
    """Where to start: a stated pose."""

    view: str | None = None
    """Named view: ap, pa, lateral_left, lateral_right, or with --labels any that `xraykit render views` lists."""
    lao_rao: tuple[float, ...] = ()
    """Positioner primary angle [degrees], LAO positive; with --joint one for each X-ray."""
    cra_cau: tuple[float, ...] = ()
    """Positioner secondary angle [degrees], cranial positive; with --joint one for each X-ray."""
    roll: tuple[float, ...] = ()
    """Turn about the beam [degrees]; with --joint one for each X-ray."""
    sod: float | None = None
    """Source to isocentre [mm]; default: the file's, else 0.7 of sdd."""
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Isocentre minus centre of the CT [mm], patient right, front, head."""
    pose: tuple[Path, ...] = ()
    """pose.json: one for all X-rays, or one for each in their order; with --bone one for each bone, of the first
    X-ray."""


@dataclass(frozen=True)
class LandmarkStart:
    """Where to start: landmarks."""

    ct: tuple[Path, ...] = field(default=(), metadata={"flag": "landmarks_ct"})
    """Landmarks in the CT: Slicer .mrk.json or .fcsv; one file for each --bone."""
    xray: tuple[Path, ...] = field(default=(), metadata={"flag": "landmarks_xray"})
    """The same landmarks in the X-ray, one file for each X-ray in their order. Of views together, files of all count,
    and each may show other landmarks; one alone is the first X-ray's."""


@dataclass(frozen=True)
class SearchStart:
    """Where to start: a search."""

    lao_rao: Range | None = None
    """Primary angles to search, from and to [degrees]; default: AP and PA, each give or take 45."""
    cra_cau: Range | None = None
    """Secondary angles to search [degrees]; default -30 30."""
    roll: Range | None = None
    """Turns about the beam to search [degrees]; default -15 15."""
    sod: Range | None = None
    """Source to isocentre distances to search [mm]; default 0.6 to 0.85 of sdd."""
    offset: float | None = None
    """How far the isocentre may lie off the central ray [mm]; default 100."""


@dataclass(frozen=True)
class StartSettings:
    """Where to start."""

    kinds: tuple[StartKind, ...] = field(default=(), metadata={"flag": "start"})
    """Where the first pose comes from; repeat it to try several. network: a trained one (--network). dicom: positioner
    tags. fixed: --view, angles or --pose. result: an earlier --result. landmarks: pairs of points. search: a coarse
    search of AP and PA views, or of the ranges that --search-... state. Around dicom, view and angles, which do not
    know where the patient lies in the beam, it is searched too. Default: what the other options name; else dicom if
    the files have the tags, else search."""
    result: tuple[Path, ...] = ()
    """result.json of an earlier run or its folder: one for all X-rays, or one for each in their order; with --bone one
    that holds all bones, or one for each."""
    network: NetworkStart = field(default_factory=NetworkStart)
    """A trained network."""
    stated: StatedStart = field(default_factory=StatedStart)
    """A pose, a view or angles."""
    landmarks: LandmarkStart = field(default_factory=LandmarkStart)
    """Pairs of points."""
    search: SearchStart = field(default_factory=SearchStart, metadata={"prefix": "search"})
    """Ranges of a coarse search."""
