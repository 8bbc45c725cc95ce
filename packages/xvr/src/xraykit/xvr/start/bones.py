"""Starts of bones that have a CT, and so a world, of their own each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import InputError

from ..refine.structure import NamedStructures
from ..xray.settings import XraySettings
from ..xray.shot import Shot
from .checks import check_start, flag, implied_starts
from .finding import StartRequest, find_starts
from .given import GivenStarts
from .settings import StartKind, StartSettings

KINDS: tuple[StartKind, ...] = ("result", "landmarks", "fixed")
"""Starts that say where a single bone lies; a search over views of a body does not."""


def check_bone_starts(settings: StartSettings, bones: int, *, views: int) -> None:
    """What can be refused before anything is read.

    Raises:
        InputError: No start, one that cannot place a single bone, or not one for each bone.
    """
    kinds = settings.kinds or implied_starts(settings)
    if not kinds or set(kinds) - set(KINDS) or ("fixed" in kinds and not settings.stated.pose):
        raise InputError(
            f"--bone needs to know where each bone begins, from --result, --pose or landmarks, got "
            f"{' '.join(map(flag, kinds)).replace('--', '--start ') or 'no start'}; register each alone first (with "
            "--landmarks-ct and --landmarks-xray, or by hand in xraykit xvr app) and give its --result."
        )
    if len(settings.landmarks.xray) not in (0, 1, views):
        raise InputError(
            f"--landmarks-xray must be given once, for the first X-ray, or once for each of {views} X-rays, got "
            f"{len(settings.landmarks.xray)}."
        )
    for number in range(bones):
        check_start(start_of_bone(settings, number, bones), views=views)


def find_bone_starts(
    settings: StartSettings,
    bones: NamedStructures,
    shots: Sequence[Shot],
    *,
    paths: Sequence[Path] = (),
    reading: XraySettings | None = None,
) -> tuple[GivenStarts, tuple[str, ...]]:
    """Candidates for all bones together, (S, K, V, 4, 4), and what was assumed for them.

    Each bone is placed by itself, see `find_starts`. The first candidate has the best of each; every further one of a
    bone is tried with the best of all others.

    Args:
        settings: One earlier result that holds all bones by their names, or one for each; likewise one pose.json of
            the first X-ray, or one file of landmarks in the CT, for each.
        bones: The K bones.
        shots: The V X-rays of one moment.
        paths: Their files.
        reading: How they were read.

    Raises:
        InputError: A start that does not fit.
        FileError: A start that cannot be read.
    """
    reading, count, kind, notes = reading or XraySettings(), len(bones.names), "", ()
    each: list[Tensor] = []
    for number, (name, body) in enumerate(bones.by_name.items()):
        own = start_of_bone(settings, number, count)
        request = StartRequest(own, shots, body.volume, body.pivot, paths, reading, around=False, structure=name)
        found, kind, said = find_starts(request)
        each.append(found)
        notes = (*notes, *(line for line in said if line not in notes))
    best = torch.stack([found[0] for found in each])
    starts = [best]
    for number, found in enumerate(each):
        for rival in found[1:]:
            starts.append(best.clone())
            starts[-1][number] = rival
    return GivenStarts(torch.stack(starts), kind), notes


def start_of_bone(settings: StartSettings, number: int, count: int) -> StartSettings:
    """The settings of one bone: of what is given for each of `count`, only its own.

    Raises:
        InputError: Something is given for another number of bones.
    """
    result, pose, points = settings.result, settings.stated.pose, settings.landmarks.ct
    for name, given, one in (("result", result, True), ("pose", pose, False), ("landmarks_ct", points, False)):
        if len(given) not in (0, count, 1 if one else count):
            what = "once, or once for each" if one else "once for each"
            raise InputError(f"{flag(name)} must be given {what} of {count} bones, got {len(given)}.")
    return replace(
        settings,
        result=result if len(result) < 2 else result[number : number + 1],
        stated=replace(settings.stated, pose=pose[number : number + 1]),
        landmarks=replace(settings.landmarks, ct=points[number : number + 1]),
    )
