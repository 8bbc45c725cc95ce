"""What there is to say of following bodies through frames, as settings that load no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xraykit.render import InputError

from ..procedure_settings import MeshSettings, StructureSettings
from ..refine.settings import RefinementSettings
from ..start.settings import StartSettings
from ..xray.settings import XraySettings


@dataclass(frozen=True)
class TrackingSettings:
    """When a frame counts as lost."""

    most_turn: float = 20.0
    """Most that a body turns from one frame to the next, beside what its motion so far foretells [degrees]."""
    most_shift: float = 30.0
    """Most that its middle moves likewise [mm]."""
    level: float = 0.7
    """Share of its usual fit (the median of the good frames so far) that a frame must reach."""

    def __post_init__(self) -> None:
        if not (self.most_turn > 0 and self.most_shift > 0 and 0 <= self.level <= 1):
            raise InputError(
                "--most-turn and --most-shift must be positive and --level lie in 0 to 1, got "
                f"{self.most_turn:g}, {self.most_shift:g} and {self.level:g}."
            )


@dataclass(frozen=True)
class CineSettings:
    """Frames."""

    first: int = 0
    """Frame to begin with, counted from 0."""
    last: int | None = None
    """Frame to end with; default: the last there is."""
    frames_per_second: float | None = None
    """How fast the frames were taken, in place of what the file says."""
    uneven: bool = False
    """Frames may be missing or repeated: go on over the gaps, leave repeated ones out."""

    def __post_init__(self) -> None:
        if self.first < 0 or (self.last is not None and self.last <= self.first):
            raise InputError(f"--first must be 0 or more and --last above it, got {self.first} and {self.last}.")
        if self.frames_per_second is not None and not self.frames_per_second > 0:
            raise InputError(f"--frames-per-second must be positive, got {self.frames_per_second:g}.")


@dataclass(frozen=True)
class TrackOutputSettings:
    """Results."""

    output: Path = field(metadata={"short": "-o"})
    """Folder for the results."""
    resume: bool = False
    """Go on with an interrupted run: frames that are done are kept."""
    smooth: int = 0
    """Smooth the poses over so many frames to either side; what was found stays beside what is smoothed. 0 does not."""
    knee: Path | None = None
    """Axes of a knee's two bodies, for the joint coordinates of Grood and Suntay: a .json, .yaml or .toml file with
    side, femur and tibia, of these body, right, proximal and origin in the body's frame. A CT's femur and tibia have
    the CT's axes without it."""
    plots: bool = field(default=True, metadata={"negative": "--no-plots"})
    """Draw poses and motion over time (needs matplotlib)."""
    video: bool = field(default=True, metadata={"negative": "--no-video"})
    """Write video.gif."""

    def __post_init__(self) -> None:
        if self.smooth < 0:
            raise InputError(f"--smooth must be 0 frames or more, got {self.smooth}.")


@dataclass(frozen=True)
class TrackSettings:
    """Follow bodies through a cine run, from files to a folder."""

    ct: Path = field(metadata={"positional": True})
    """The patient's CT: NIfTI, NRRD, MHA, TIFF pages or a DICOM folder; with --mesh or --bone the first view."""
    results: TrackOutputSettings
    """What is left behind."""
    views: tuple[Path, ...] = field(default=(), metadata={"positional": True})
    """One run of frames, or one for each of several views that took them at the same moments: a DICOM file of several
    frames, a folder of numbered images, or a pattern of their names in quotes ('run/????.png')."""
    camera: tuple[Path, ...] = ()
    """File with the camera of each view in their order, or of all, see xvr register; several views need them, or the
    CT's start must place them."""
    cine: CineSettings = field(default_factory=CineSettings)
    """Which frames."""
    tracking: TrackingSettings = field(default_factory=TrackingSettings)
    """What counts as lost."""
    meshes: MeshSettings = field(default_factory=MeshSettings)
    """What is followed in place of a CT."""
    anatomy: StructureSettings = field(default_factory=StructureSettings)
    """What of the CT is followed."""
    xray: XraySettings = field(default_factory=XraySettings)
    """How frames are read."""
    start: StartSettings = field(default_factory=StartSettings)
    """Where the first frame starts."""
    refinement: RefinementSettings = field(default_factory=RefinementSettings)
    """How a CT is refined."""

    @property
    def all_views(self) -> tuple[Path, ...]:
        """Every run named: with meshes or bones there is no CT before them."""
        return (self.ct, *self.views) if self.meshes.mesh or self.anatomy.bone else self.views
