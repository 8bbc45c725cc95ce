"""Follow bodies from frame to frame: start where they were heading, say when they are lost, find them again."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

import torch
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.geometry import full_precision, geodesic_distance, rigid_inverse, transform_points

from ..implants.implant import Implant
from ..implants.registration import checked_starts
from ..implants.settings import ImplantSettings
from ..refine.climb_settings import RegistrationSettings
from ..refine.structure import NamedStructures
from ..xray.shot import Shot
from .groups import BodyGroup, GroupFit, ImplantGroup, StructureGroup
from .prediction import predicted
from .result import Track, TrackedFrame, Verdict, of_groups
from .settings import TrackingSettings

LIKELY = 0.5  # chance of success below which a fit to a CT is a failure


@dataclass(frozen=True, eq=False)
class CineFrame:
    """The X-rays of one moment.

    Args:
        shots: One for each of V views; () where they cannot be used.
        number: Place in the run, counted from 0; frames that are missing leave gaps.
        label: What to call it.
        time: When it was taken after the first [s].
        fault: Why it cannot be used.
    """

    shots: tuple[Shot, ...]
    number: int
    label: str = ""
    time: float | None = None
    fault: str = ""


@full_precision
def track(
    frames: Iterable[CineFrame],
    bodies: Implant | Sequence[Implant] | NamedStructures,
    starts: Tensor | None = None,
    settings: TrackingSettings | None = None,
    *,
    registration: ImplantSettings | RegistrationSettings | None = None,
    cameras: Tensor | None = None,
    done: Sequence[TrackedFrame] = (),
    report: Callable[[TrackedFrame, CineFrame], None] | None = None,
) -> Track:
    """Follow implants, or the structures of a CT, through the frames of a cine run in one or several views.

    The first frame starts from what is given, or for implants from a search. Every other one starts from the motion so
    far (`predicted`). A fit that is worse than usual, or further off than bodies move, is not believed: the body is
    then looked for around the last good pose, and if that is not believed either, it is lost in this frame, without a
    pose. Only good frames say where the next one starts. Implants are followed each by itself; a CT's structures
    together.

    Args:
        frames: At the same moments in all views, in order; those after `done`.
        bodies: Implants, or the structures of a CT.
        starts: Of the first frame, camera to body, (S, K, V, 4, 4); (S, V, 4, 4) for a CT that is one body, or lies
            there as a whole. Needed for a CT.
        settings: What counts as lost; None is all defaults.
        registration: How each frame is registered; None is all defaults.
        cameras: Camera to world of the V views, (V, 4, 4), for a search of implants in several.
        done: Frames that an earlier call found.
        report: Called after every frame, with its X-rays; an exception it raises ends the work.

    Returns:
        The track of all frames, those of `done` first.

    Raises:
        InputError: No frame, frames of different views or out of order, or a body that is not found in the first frame.
        GeometryError: A start that is no rigid motion.
    """
    settings = settings or TrackingSettings()
    groups = groups_of(bodies, registration)
    places = of_groups([group.names for group in groups])
    histories = [_History(group, place, settings) for group, place in zip(groups, places, strict=True)]
    found = list(done)
    for frame in found:
        for history in histories:
            history.remember(frame)
    count = found[0].poses.shape[1] if found else 0
    for frame in frames:
        if found and frame.number <= found[-1].number:
            raise InputError(f"frames must come in order, got {frame.number} after {found[-1].number}.")
        if not found and not frame.shots:
            raise InputError(f"the first frame must be usable, got: {frame.fault}")
        if found and frame.shots and len(frame.shots) != count:
            raise InputError(f"every frame must show {count} views, got {len(frame.shots)} in {frame.label}.")
        count = count or len(frame.shots)
        first = None if found else _first_starts(starts, places, groups, count)
        said = {doubt for one in found for doubt in one.doubts}
        doubts = dict.fromkeys(doubt for shot in frame.shots for doubt in shot.doubts if doubt not in said)
        result = replace(_followed(frame, histories, first, cameras, count), doubts=tuple(doubts))
        found.append(result)
        for history in histories:
            history.remember(result)
        if report is not None:
            report(result, frame)
    if not found:
        raise InputError("a track needs one frame at least, got none.")
    pivots = torch.cat([group.pivots for group in groups]).double()
    names = tuple(name for group in groups for name in group.names)
    radii = tuple(radius for group in groups for radius in group.radii)
    return Track(names, tuple(f"view {v}" for v in range(count)), pivots, radii, tuple(found))


@dataclass(eq=False)
class _History:
    """What is known of one group so far: numbers, poses (K, V, 4, 4) and fits of its good frames."""

    group: BodyGroup
    place: slice
    settings: TrackingSettings
    numbers: list[float] = field(default_factory=list)
    poses: list[Tensor] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    was_lost: bool = False
    likely: bool = False

    def remember(self, frame: TrackedFrame) -> None:
        """Take a frame's answer into account, unless it was lost."""
        self.was_lost = frame.verdicts[self.place][0] == "lost"
        if not self.was_lost:
            chance = frame.chances[self.place][0]
            self.likely = self.likely if self.poses else chance is None or chance >= LIKELY
            self.numbers.append(frame.number)
            self.poses.append(frame.poses[self.place])
            self.scores.append(frame.scores[self.place][0])

    def against(self, fit: GroupFit | None, starts: Tensor, number: float) -> str:
        """Why a fit is not to be believed; empty where it is."""
        if fit is None:
            return "nothing fits"
        usual = median(self.scores)
        if fit.score < self.settings.level * usual:
            return f"fits {fit.score:.2f}, usual is {usual:.2f}"
        if fit.chance is not None and fit.chance < LIKELY and self.likely:
            return f"its chance of success is {fit.chance:.0%}"
        gap = number - self.numbers[-1]
        turn, shift = self._apart(fit.poses, starts)
        if turn > self.settings.most_turn * gap or shift > self.settings.most_shift * gap:
            return f"would have turned by {turn:.0f} degrees and moved by {shift:.0f} mm beside its motion so far"
        return ""

    def _apart(self, poses: Tensor, starts: Tensor) -> tuple[float, float]:
        """Turn [degrees] and way of the middle [mm] from the nearest start, of the body for which they are largest."""
        now, before = rigid_inverse(poses[:, 0]), rigid_inverse(starts[:, :, 0])
        turns = geodesic_distance(now, before)[0].amax(1)
        middles = self.group.pivots[:, None]
        shifts = (transform_points(now, middles) - transform_points(before, middles)).norm(dim=-1).amax((1, 2))
        share = torch.maximum(turns / self.settings.most_turn, shifts / self.settings.most_shift)
        nearest = int(share.argmin())
        return float(turns[nearest]), float(shifts[nearest])


def _followed(
    frame: CineFrame,
    histories: Sequence[_History],
    first: list[Tensor | None] | None,
    cameras: Tensor | None,
    views: int,
) -> TrackedFrame:
    begun = clock.process_time()
    poses, scores, chances, verdicts, reasons = [], [], [], [], []
    for n, history in enumerate(histories):
        fit, verdict, why = _found(frame, history, None if first is None else first[n], cameras)
        names = history.group.names
        lost = torch.full((len(names), views, 4, 4), torch.nan, dtype=torch.float64)
        poses.append(lost if fit is None or verdict == "lost" else fit.poses.double())
        scores += [torch.nan if fit is None else fit.score] * len(names)
        chances += [None if fit is None else fit.chance] * len(names)
        verdicts += [verdict] * len(names)
        reasons += [f"{' and '.join(names)}: {why}"] if why else []
    return TrackedFrame(
        frame.number, frame.label, frame.time, torch.cat(poses), tuple(scores), tuple(chances),
        tuple(verdicts), tuple(reasons), clock.process_time() - begun,
    )  # fmt: skip


def _found(
    frame: CineFrame, history: _History, first: Tensor | None, cameras: Tensor | None
) -> tuple[GroupFit | None, Verdict, str]:
    """What is found of one group, the verdict, and why the first answer was not believed."""
    if not history.poses:
        fit = history.group.begin(frame.shots, first, cameras)
        return fit, "found", ""
    if not frame.shots:
        return None, "lost", frame.fault
    starts = predicted(history.poses[-2:], history.numbers[-2:], frame.number)
    why = "lost before"
    if not history.was_lost:
        fit = history.group.near(frame.shots, starts)
        why = history.against(fit, starts, frame.number)
        if not why:
            return fit, "tracked", ""
    fit = history.group.wide(frame.shots, starts)
    again = history.against(fit, starts, frame.number)
    return fit, "lost" if again else "found again", again or why


def groups_of(
    bodies: Implant | Sequence[Implant] | NamedStructures, registration: ImplantSettings | RegistrationSettings | None
) -> list[BodyGroup]:
    """What is found together, and so lost together: each implant by itself, a CT's structures as one.

    Raises:
        InputError: No body, or settings of the other kind.
    """
    if isinstance(bodies, NamedStructures):
        if isinstance(registration, ImplantSettings):
            raise InputError("a CT's structures take RegistrationSettings, got what implants take.")
        return [StructureGroup(bodies, registration or RegistrationSettings())]
    implants = (bodies,) if isinstance(bodies, Implant) else tuple(bodies)
    if not implants or isinstance(registration, RegistrationSettings):
        raise InputError(f"give an implant at least, and ImplantSettings, got {len(implants)} and {registration!r}.")
    return [ImplantGroup(implant, registration or ImplantSettings()) for implant in implants]


def _first_starts(
    starts: Tensor | None, places: Sequence[slice], groups: Sequence[BodyGroup], views: int
) -> list[Tensor | None]:
    """The starts (S, K, V, 4, 4) of each group."""
    if starts is None:
        return [None] * len(groups)
    count = places[-1].stop
    if isinstance(groups[0], StructureGroup) and starts.ndim == 4:
        starts = starts[:, None].expand(-1, count, -1, -1, -1)
    full = checked_starts(starts, count, views)
    return [full[:, place] for place in places]
