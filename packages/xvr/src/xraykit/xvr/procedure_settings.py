"""The settings of a whole registration, from files to a folder of results; no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xraykit.render.commands import LabelSettings, MeshUnits

from .refine.settings import RefinementSettings
from .start.settings import StartSettings
from .xray.settings import XraySettings


@dataclass(frozen=True)
class ProcedureSettings:
    """How X-rays that were read are registered.

    Args:
        start: Where the first pose comes from.
        refinement: How it is refined, judged, and tried again.
        xray: How the X-rays were read; starts that look into their files ask for it.
        init_only: Say where it would start, and refine nothing.
    """

    start: StartSettings = field(default_factory=StartSettings)
    refinement: RefinementSettings = field(default_factory=RefinementSettings)
    xray: XraySettings = field(default_factory=XraySettings)
    init_only: bool = False


@dataclass(frozen=True)
class StructureSettings(LabelSettings):
    """Anatomy."""

    structures: str | None = None
    """What to register: names or values of labels; a comma joins them to one rigid structure, a semicolon begins the
    next, which gets a pose of its own ("sacrum,hip_left,hip_right;femur_left"). Default: the whole CT."""
    bone: tuple[Path, ...] = ()
    """The CT of a single bone, as often as there are bones; each gets a pose of its own, and all are compared with the
    X-rays of one moment together. With bones there is no other CT: every file named is an X-ray."""


@dataclass(frozen=True)
class MeshSettings:
    """Implants and tools."""

    mesh: tuple[Path, ...] = ()
    """A mesh to find in the X-rays (.stl, .ply, .obj), as often as there are implants or tools; each gets a pose of its
    own. With meshes there is no CT: every file named is an X-ray."""
    mesh_units: MeshUnits | None = None
    """Unit of the mesh files; default: what they state, or mm."""
    mesh_material: tuple[str, ...] = ("cobalt_chrome",)
    """What they are made of, one for all or one for each: cobalt_chrome, titanium_alloy, stainless_steel, ..."""


@dataclass(frozen=True)
class OutputSettings:
    """Results."""

    output: Path = field(metadata={"short": "-o"})
    """Folder for the results: one folder in it for each X-ray, and the options in settings.json."""
    resume: bool = False
    """Go on with an interrupted run: X-rays with a finished result are left as they are."""
    animation: bool = field(default=True, metadata={"negative": "--no-animation"})
    """Write convergence.gif."""


@dataclass(frozen=True)
class RegisterSettings:
    """Register X-rays to a CT, from files to a folder."""

    ct: Path = field(metadata={"positional": True})
    """The patient's CT: NIfTI, NRRD, MHA, TIFF pages or a DICOM folder; with --mesh or --bone the first X-ray."""
    results: OutputSettings
    """What is left behind."""
    xrays: tuple[Path, ...] = field(default=(), metadata={"positional": True})
    """One X-ray or more: DICOM, PNG, TIFF or JPEG. Each is registered by itself unless --joint is given."""
    camera: tuple[Path, ...] = ()
    """File with the camera of each X-ray in their order, or of all: pose.json, MayaCam 2.0 (XMALab, Autoscoper), text
    of K, R, t or of a 3x4 matrix, JointTrack calibration, RTK geometry.xml; with --joint they also place the views."""
    joint: bool = False
    """All X-rays are views of one patient who did not move, and their places relative to each other are right as the
    --camera files, DICOM tags, poses or earlier result say; one pose is found for all."""
    init_only: bool = False
    """Write where it would start, and refine nothing."""
    meshes: MeshSettings = field(default_factory=MeshSettings)
    """What is found in the X-rays in place of a CT."""
    anatomy: StructureSettings = field(default_factory=StructureSettings)
    """What of the CT is registered."""
    xray: XraySettings = field(default_factory=XraySettings)
    """How X-rays are read."""
    start: StartSettings = field(default_factory=StartSettings)
    """Where the first pose comes from."""
    refinement: RefinementSettings = field(default_factory=RefinementSettings)
    """How it is refined, judged, and tried again."""

    @property
    def all_xrays(self) -> tuple[Path, ...]:
        """Every X-ray named: with meshes or bones there is no CT before them."""
        return (self.ct, *self.xrays) if self.meshes.mesh or self.anatomy.bone else self.xrays
