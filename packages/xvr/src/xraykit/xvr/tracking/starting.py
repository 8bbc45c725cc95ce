"""What is followed, and where it starts in the first frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from xraykit.render import InputError, Volume
from xraykit.render.files import VOLUME_SUFFIXES

from ..anatomy_input import check_bones, read_anatomy
from ..bone_registration import register_bones, scaled_to_bones
from ..implants.implant import Implant, mended, mesh_doubts
from ..mesh_registration import check_polarity, earlier_answers, read_implant_files
from ..procedure import climb_settings, register_xrays
from ..procedure_settings import ProcedureSettings, StructureSettings
from ..refine.climb_settings import RegistrationSettings
from ..refine.settings import RefinementSettings
from ..refine.structure import NamedStructures
from ..start.bones import check_bone_starts
from ..start.candidates import calibrated_places
from ..start.checks import check_start, implied_starts
from ..xray.input_files import InputFiles
from ..xray.shot import Shot
from .cine import SynchronousRuns
from .following import CineFrame
from .knee import KneeAxes
from .relative import check_knee, knee_of_ct, read_knee
from .settings import TrackSettings

CT_AXES = (
    "joint coordinates count from the pose of the CT: its x is taken as the flexion axis, its z as the shafts (--knee "
    "states better axes)"
)


@dataclass(frozen=True, eq=False)
class Followed:
    """What is followed: implants, or a CT's structures, with what was assumed of their files, and what is doubtful."""

    bodies: tuple[Implant, ...] | NamedStructures
    volume: Volume | None  # of the CT, where there is one
    knee: KneeAxes | None
    registration: RegistrationSettings | None
    notes: tuple[str, ...]
    doubts: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the bodies."""
        if isinstance(self.bodies, NamedStructures):
            return self.bodies.names
        return tuple(implant.name for implant in self.bodies)

    def scaled(self, refinement: RefinementSettings, shots: Sequence[Shot], poses: Tensor | None) -> Followed:
        """The same, at scales that show the smallest bone at poses (K, V, 4, 4), where bones are followed."""
        if self.volume is not None or not isinstance(self.bodies, NamedStructures) or poses is None:
            return self
        return replace(self, registration=climb_settings(scaled_to_bones(refinement, self.bodies, shots, poses)))


def check_options(settings: TrackSettings) -> None:
    """What can be refused before anything is read.

    Raises:
        InputError: Options that do not go together.
    """
    if settings.anatomy.bone and not settings.meshes.mesh:
        check_bones(settings.anatomy, settings.ct, xrays=len(settings.all_views), joint=True)
        check_bone_starts(settings.start, len(settings.anatomy.bone), views=len(settings.all_views))
        climb_settings(settings.refinement)
        _check_cameras(settings, "--bone")
        return
    if not settings.meshes.mesh:
        if not settings.views:
            raise InputError("a CT and a run of frames must be named, got one path; with --mesh there is no CT.")
        check_start(settings.start, views=len(settings.views))
        climb_settings(settings.refinement)
        return
    if settings.ct.name.lower().endswith(VOLUME_SUFFIXES) and not settings.ct.is_dir():
        raise InputError(f"--mesh follows meshes without a CT, got {settings.ct} before the frames; leave it out.")
    if settings.anatomy != StructureSettings() or settings.refinement != RefinementSettings():
        raise InputError("--labels, --structures and refinement belong to a CT, got them with --mesh; leave them out.")
    strays = set(implied_starts(settings.start)) - {"result"}
    if settings.start.kinds or strays:
        raise InputError(
            "--mesh starts from a search or from --result, got "
            f"--start {' '.join(settings.start.kinds or sorted(strays))} or options of it; leave them out."
        )
    _check_cameras(settings, "--mesh")


def _check_cameras(settings: TrackSettings, option: str) -> None:
    if settings.views and not settings.camera:
        raise InputError(
            f"{option} in {1 + len(settings.views)} views needs the --camera of each, which says where they stand to "
            "each other, got none."
        )


def read_followed(settings: TrackSettings) -> Followed:
    """The meshes or the CT, and the axes of a knee.

    Raises:
        FileError: A file that cannot be read.
        InputError: An unknown material or label, or axes of bodies that are not followed.
    """
    knee = None if settings.results.knee is None else read_knee(settings.results.knee)
    if settings.meshes.mesh:
        implants = read_implant_files(settings.meshes)
        followed = Followed(implants, None, knee, None, mended(implants), mesh_doubts(implants))
    else:
        anatomy, are_bones = read_anatomy(settings.ct, settings.anatomy), bool(settings.anatomy.bone)
        of_ct = knee_of_ct(anatomy.structures) if knee is None and not are_bones else None
        notes = anatomy.notes if of_ct is None else (*anatomy.notes, CT_AXES)
        volume, climb = None if are_bones else anatomy.volume, climb_settings(settings.refinement)
        followed = Followed(anatomy.structures, volume, knee or of_ct, climb, notes, anatomy.doubts)
    if knee is not None:
        check_knee(knee, followed.names)
    return followed


def first_starts(
    settings: TrackSettings, followed: Followed, runs: SynchronousRuns, frame: CineFrame
) -> tuple[Tensor | None, tuple[str, ...]]:
    """Starts of the first frame for `track`, None for a search of implants, and what was assumed for them.

    A CT is registered to the first frame by the whole procedure of `register_xrays`, bones by `register_bones`.

    Raises:
        InputError: A start that does not fit.
        FileError: A start that cannot be read.
        GeometryError: Tags that are missing or contradict each other.
    """
    if not isinstance(followed.bodies, NamedStructures):
        check_polarity(frame.shots)
        return earlier_answers(settings.start, followed.bodies, len(runs.runs)), ()
    procedure = ProcedureSettings(settings.start, settings.refinement, settings.xray)
    xrays, bones = tuple(shot.source or settings.ct for shot in frame.shots), settings.anatomy.bone
    if followed.volume is None:
        found = register_bones(frame.shots, followed.bodies, procedure, files=InputFiles(xrays=xrays, bones=bones))
    else:
        files = InputFiles(settings.ct, settings.anatomy.labels, xrays)
        found = register_xrays(frame.shots, followed.volume, procedure, structures=followed.bodies, files=files)
    warnings = () if found.trust is None else found.trust.warnings
    notes = (*found.record.notes, *(f"first frame: {warning}" for warning in warnings))
    return found.record.poses[None], notes


def camera_places(frame: CineFrame) -> Tensor | None:
    """Camera of each view to that of the first, (V, 4, 4), where camera files say it."""
    return calibrated_places(frame.shots)
