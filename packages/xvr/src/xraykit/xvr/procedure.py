"""The whole registration of X-rays: find starts, refine, judge, try again from neighbours, record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from xraykit.render import Volume
from xraykit.render.storage import to_plain

from .procedure_settings import ProcedureSettings
from .refine.climb_settings import RegistrationSettings
from .refine.registration import RefinementStep, Registration, similarities
from .refine.settings import RefinementSettings
from .refine.structure import NamedStructures, Structure
from .refine.surroundings import first_structures, register_among
from .result.record import ResultRecord, record_result
from .start.finding import StartRequest, find_starts
from .start.given import GivenStarts
from .start.spread import spread_starts
from .trust.judge_registration import judge
from .trust.judgement import TrustJudgement, percent
from .trust.other_ways import other_ways
from .trust.stated_distance import contradicted_distance
from .trust.stated_geometry import check_geometry
from .xray.input_files import InputFiles
from .xray.shot import Shot

WHOLE = "CT"  # what the structure is called where nobody names any
CLOSE = frozenset({"result", "landmarks"})  # kinds of starts that are close, and begin at a fine scale
CONTRADICTED = 0.2  # chance at most where the X-rays contradict the stated camera by more than success allows
MORE_ALIKE = 1e-3  # similarity: less is the same answer once more
AGAIN = "The first try was not trusted; neighbours of its starts led here."


@dataclass(frozen=True, eq=False)
class XrayRegistration:
    """What a whole registration found.

    Args:
        record: Everything that result.json holds.
        refined: The refinement that the record tells of, with its history; None where nothing was refined.
        trust: The judgement of it.
    """

    record: ResultRecord
    refined: Registration | None = None
    trust: TrustJudgement | None = None

    @property
    def history(self) -> tuple[RefinementStep, ...]:
        """The climb from the start that won; () where nothing was refined."""
        return () if self.refined is None else self.refined.history


def register_xrays(
    shots: Sequence[Shot],
    volume: Volume,
    settings: ProcedureSettings | None = None,
    *,
    structures: NamedStructures | None = None,
    starts: Tensor | GivenStarts | None = None,
    files: InputFiles | None = None,
    report: Callable[[RefinementStep], None] | None = None,
    tell: Callable[[str], None] | None = None,
) -> XrayRegistration:
    """Find one pose for X-rays that belong together, and say whether to trust it.

    Starts come from what the settings name, else from the files' positioner tags, else from a search. They are refined,
    and the result is judged; where it is not trusted, the neighbours of the starts are refined too, and the answer that
    makes X-rays and renderings more alike stays. What was taken as exact is then freed, the places of several views
    relative to each other and the SDD, and what contradicts it is said, see `check_geometry`. Starts of kind "result"
    and "landmarks" are close and begin at 128 pixels, their neighbours at the coarsest scale.

    Args:
        shots: The V X-rays; several are views of one patient who did not move.
        volume: The CT.
        settings: How, None is all defaults; what is given for each X-ray is in the order of `shots`.
        structures: Rigid structures to register; None is the whole CT, and the C-arm turns about its middle.
        starts: Candidates in place of what the settings say, (S, V, 4, 4) camera to world, or (S, K, V, 4, 4) where
            each of K structures has its own.
        files: As the user named them, for the record and for starts that look into the X-rays' files.
        report: Called after every step of the refinements; an exception it raises ends the work.
        tell: Called with a sentence when a new part of the work begins; may raise as well.

    Returns:
        The record, and the refinement behind it.

    Raises:
        InputError: Settings that do not fit the X-rays, or an X-ray in which nothing can be compared.
        FileError: A file that a start needs cannot be read.
        GeometryError: Tags that are missing or contradict each other, or starts that are no rigid motions.
    """
    shots, settings = tuple(shots), settings or ProcedureSettings()
    named = structures or NamedStructures({WHOLE: Structure.of(volume)}, volume.center)
    isocenter, notes = named.turning_point, ()
    if starts is None:
        paths, around = () if files is None else files.xrays, not settings.init_only
        request = StartRequest(settings.start, shots, volume, isocenter, paths, settings.xray, around)
        poses, kind, notes = find_starts(request)
    else:
        given = starts if isinstance(starts, GivenStarts) else GivenStarts(starts)
        poses, kind = given.poses, given.kind
    origin = {"start_kind": kind, "inputs": {} if files is None else to_plain(files), "settings": to_plain(settings)}
    if settings.init_only:
        return XrayRegistration(start_record(shots, named.names, poses[0], notes=notes, **origin))
    found, trust, again = _refined(shots, named, (poses, kind), settings.refinement, report, tell)
    if settings.refinement.check_geometry:
        found, trust = _checked(found, trust, shots, named, climb_settings(settings.refinement))
    if trust.verdict == "failed":
        trust = _explained(trust, shots, named, poses, climb_settings(settings.refinement))
    elif "dicom" in kind.split("+"):
        apart = contradicted_distance(found, shots, named.bodies[0], poses[0], isocenter)
        trust = replace(trust, warnings=(*apart, *trust.warnings))
    found = first_structures(found, len(named.bodies))
    notes = (*notes, AGAIN) if again else notes
    record = record_result(found, shots, structures=named.names, trust=trust, notes=notes, **origin)
    return XrayRegistration(record, found, trust)


def start_record(
    shots: Sequence[Shot],
    structures: Sequence[str],
    poses: Tensor,
    *,
    start_kind: str,
    start: Tensor | None = None,
    inputs: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> ResultRecord:
    """The record of poses (V, 4, 4) that nothing refined, the same for every structure.

    Args:
        shots: The X-rays.
        structures: Names of the structures.
        poses: Camera to world; (K, V, 4, 4) where each has its own.
        start_kind: Where they come from.
        start: What they began with, (V, 4, 4); None is the poses themselves.
        inputs: Files as the user named them.
        settings: What the record holds of the settings.
        notes: What was assumed, besides the notes of the shots.
    """
    return ResultRecord(
        structures=tuple(structures),
        views=tuple(shot.name for shot in shots),
        poses=poses.expand(len(structures), -1, -1, -1),
        start=poses if start is None else start,
        cameras=tuple(shot.camera for shot in shots),
        start_kind=start_kind,
        inputs=dict(inputs or {}),
        settings=dict(settings or {}),
        notes=(*(note for shot in shots for note in shot.notes), *notes),
    )


def climb_settings(refinement: RefinementSettings) -> RegistrationSettings:
    """How `register` climbs, as the settings of the procedure say.

    Raises:
        InputError: Scales that do not grow.
    """
    return RegistrationSettings(
        optimizer=refinement.optimizer,
        scales=refinement.scales,
        iterations=refinement.iterations,
        intrinsics=refinement.intrinsics,
        similarity=refinement.similarity,
    )


def _refined(
    shots: tuple[Shot, ...],
    named: NamedStructures,
    given: tuple[Tensor, str],
    refinement: RefinementSettings,
    report: Callable[[RefinementStep], None] | None,
    tell: Callable[[str], None] | None,
) -> tuple[Registration, TrustJudgement, bool]:
    """The refinement of all that is rendered, or, not trusted, from neighbours where that fits better (True)."""
    (starts, kind), climb, count = given, climb_settings(refinement), len(named.bodies)
    is_close = CLOSE.issuperset(kind.split("+"))
    found = register_among(shots, named, starts, climb.fine() if is_close else climb, report=report)
    trust = judge(found, shots, named.rendered, judged=count)
    if not refinement.spread or trust.verdict == "trusted":
        return found, trust, False
    if tell is not None:
        tell(f"not trusted (chance of success {percent(trust.success_probability)}): trying neighbours of the start")
    wider = register_among(shots, named, _neighbours(starts, named), climb, report=report)
    first, second = similarities(shots, named.rendered, (found, wider), climb).tolist()
    if second > first + MORE_ALIKE:
        return wider, judge(wider, shots, named.rendered, judged=count), True
    return found, trust, False


def _neighbours(starts: Tensor, named: NamedStructures) -> Tensor:
    """The starts and their neighbours; structures with starts of their own turn each about its own middle."""
    if starts.ndim == 4:
        return spread_starts(starts, named.turning_point)
    return torch.stack([spread_starts(starts[:, k], body.pivot) for k, body in enumerate(named.bodies)], dim=1)


def _checked(
    found: Registration,
    trust: TrustJudgement,
    shots: tuple[Shot, ...],
    named: NamedStructures,
    climb: RegistrationSettings,
) -> tuple[Registration, TrustJudgement]:
    """The answer and its judgement once the stated geometry was freed; what failed anyway is left as it is."""
    if trust.verdict == "failed":
        return found, trust
    checked = check_geometry(found, shots, named.rendered, climb)
    if checked.registration is not found:
        trust = judge(checked.registration, shots, named.rendered, judged=len(named.bodies))
    chance = min(trust.success_probability, CONTRADICTED if checked.shift > trust.threshold else 1.0)
    trust = replace(trust, success_probability=chance, warnings=(*checked.doubts, *trust.warnings))
    return checked.registration, trust


def _explained(
    trust: TrustJudgement, shots: tuple[Shot, ...], named: NamedStructures, starts: Tensor, climb: RegistrationSettings
) -> TrustJudgement:
    """The judgement of a failure with what explains it: a picture that is the other way."""
    bodies = named.bodies if named.surroundings is None else (named.surroundings.whole,)
    ways = other_ways(shots, bodies, starts, climb)
    return replace(trust, warnings=(*trust.warnings[:1], *ways, *trust.warnings[1:]))
