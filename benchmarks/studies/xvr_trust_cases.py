"""Registrations good and bad whose truth is known: right, partial, coarse and wrong CTs, right and wrong cameras.

Each is kept as it comes, so that it can be measured again without registering again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from xraykit.render.geometry import rigid_inverse, rigid_matrix, transform_points
from xraykit.xvr import Registration, RegistrationSettings, Shot, Structure
from xraykit.xvr.refine import misplacement
from xraykit.xvr.refine.freed_sdd import freed_sdd
from xraykit.xvr.refine.structure import NamedStructures
from xraykit.xvr.refine.surroundings import register_among, structures_among
from xraykit.xvr.start import StartErrors
from xraykit.xvr.trust.other_ways import inverted, mirrored
from xraykit.xvr.trust.target_points import points_in_view, target_points

from .xvr_trust_patients import VARIANTS, Who, ct_of, strangers, volume_of
from .xvr_trust_xrays import OTHERS, OWN, TrueXray, has_moved, taken, with_camera

LEVELS = (0.3, 1.0, 1.0, 2.0, 4.0, 8.0)  # times the paper's initial errors
THROUGH = (0.3, 0.95)  # of the sdd: where the patient's centre may lie
STRANGER = "another patient's CT"
CAMERAS = {
    "sdd 2 % longer": {"sdd": 1.02}, "sdd 2 % shorter": {"sdd": 0.98}, "sdd 5 % longer": {"sdd": 1.05},
    "spacing 10 % larger": {"spacing": 1.1}, "spacing 10 % smaller": {"spacing": 0.9},
    "spacing at the patient": {"spacing": 0.73},
}  # fmt: skip
MIRRORED, INVERTED, ELSEWHERE = "mirrored", "inverted", "another region"
NEVER = (STRANGER, MIRRORED, INVERTED, ELSEWHERE)  # no answer is right


@dataclass(frozen=True, eq=False)
class Case:
    """A registration: of which X-ray to which CT, what it found, with the SDD free, and how wrong it is [mm]."""

    row: dict[str, Any]
    shot: Shot
    body: tuple[Who, str]
    found: Registration
    freed: Registration
    start: Tensor


def settings_for() -> RegistrationSettings:
    """How it is registered: as the command does, without its coarsest scale and in fewer iterations."""
    return RegistrationSettings(scales=(64, 128, 256), iterations=(30, 20, 12))


@lru_cache(maxsize=8)
def bodies_of(who: Who, variant: str) -> NamedStructures:
    """What is registered to the X-ray."""
    volume = ct_of(who, variant)
    if variant == "bones among the rest" and volume.labels is not None:
        return structures_among(volume, {"bones": volume.find_labels("bones")})
    return NamedStructures({"CT": Structure.of(volume)})


def cases(people: list[Who], count: int, kept: Path) -> Iterator[Case]:
    """All cases that are not yet in the folder `kept`, with `count` X-rays for each patient, a pair of each in turn."""
    for pair in range(0, count, 2):
        for who, number in ((one, n) for one in people for n in range(pair, min(pair + 2, count))):
            path = _file_of(kept, who.name, number)
            if path.exists():
                continue
            begun = time.process_time()
            found = list(_of_xray(who, number, strangers(who, people)))
            found += elsewhere(who, number, people)
            kept.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            torch.save([vars(case) for case in found], part)
            part.rename(path)
            _tell(who, number, found, time.process_time() - begun)
            yield from found


def read_cases(kept: Path) -> Iterator[list[Case]]:
    """The cases of each X-ray in the folder."""
    for path in sorted(kept.glob("*.pt")):
        yield _read(path)


def cases_of(kept: Path, patient: str, xray: int) -> list[Case]:
    """The cases of one X-ray."""
    return _read(_file_of(kept, patient, xray))


def _file_of(kept: Path, patient: str, xray: int) -> Path:
    return kept / f"{patient} {xray}.pt"


def _read(path: Path) -> list[Case]:
    return [Case(**values) for values in torch.load(path, weights_only=False)]


def _tell(who: Who, number: int, found: list[Case], seconds: float) -> None:
    ends = ", ".join(f"{case.row['kind']} {case.row['error']:.1f}" for case in found)
    print(f"{who.name} {number} ({seconds:.1f} s): {ends}", flush=True)


def _of_xray(who: Who, number: int, others: list[Who]) -> Iterator[Case]:
    rng = np.random.default_rng([who.seed, number, 17])
    xray, base = _xray_of(who, number)
    shot, pose = xray.shot, xray.pose
    names = [name for name in VARIANTS if name != "whole"]
    first, second = rng.permutation(names)[:2]
    levels = rng.permutation(LEVELS)
    plan: list[tuple[str, Who, str, Shot, float]] = [
        ("right", who, "whole", shot, 0.5),
        ("right", who, "whole", shot, float(levels[0])),
        ("right", who, str(first), shot, float(levels[1]) if levels[1] < 4 else 1.0),
        ("right", who, str(second), shot, 1.0),
    ]
    wrong = [others[i] for i in rng.permutation(len(others))[:2]]
    plan += [
        (STRANGER, one, "whole" if n == 0 else str(rng.choice(names)), shot, 0.5 if n == 0 else 1.0)
        for n, one in enumerate(wrong)
    ]
    for kind in rng.choice(list(CAMERAS), 2, replace=False):
        plan.append((str(kind), who, "whole", with_camera(shot, **CAMERAS[str(kind)]), 1.0))
    if rng.random() < 0.5:
        kind, seen = (MIRRORED, mirrored(shot)) if rng.random() < 0.5 else (INVERTED, inverted(shot))
        plan.append((kind, who, "whole", seen, 1.0))
    generator = torch.Generator().manual_seed(1000 * who.seed + number)
    for kind, whose, variant, seen, level in plan:
        yield _registered({**base, "kind": kind, "ct": variant, "level": level}, seen, whose, who, pose, generator)


def elsewhere(who: Who, number: int, people: list[Who]) -> list[Case]:
    """The first X-ray of a held-out patient, registered to a CT of another patient's other region."""
    rng = np.random.default_rng([who.seed, number, 23])
    others = [one for one in people if one.region != who.region and one.held_out and one.file is None]
    if number or not who.held_out or not others:
        return []
    xray, base = _xray_of(who, number)
    other = others[int(rng.integers(len(others)))]
    row = {**base, "kind": ELSEWHERE, "ct": "whole", "level": 1.0}
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    return [_registered(row, xray.shot, other, who, xray.pose, generator)]


def _xray_of(who: Who, number: int) -> tuple[TrueXray, dict[str, Any]]:
    """An X-ray, and what every row of its cases says."""
    renderer = OWN if not who.held_out or number % 2 == 0 else OTHERS[number // 2 % 2]
    xray = taken(who, number, renderer)
    return xray, {"patient": who.name, "region": who.region, "held_out": who.held_out, "real": who.file is not None,
                  "xray": number, "renderer": renderer, "size": xray.shot.camera.width,
                  "moved": has_moved(who, number)}  # fmt: skip


def _registered(
    row: dict[str, Any], shot: Shot, whose: Who, who: Who, pose: Tensor, generator: torch.Generator
) -> Case:
    named, settings = bodies_of(whose, row["ct"]), settings_for()
    away = rigid_matrix(torch.eye(3, dtype=torch.float64), ct_center(whose) - ct_center(who))
    truth = away @ pose
    start = start_near(truth, ct_center(whose), row["level"], generator, shot)
    found = register_among((shot,), named, start[None], settings)
    freed = freed_sdd(found, (shot,), named.rendered, settings)
    points = points_in_view(target_points(named.bodies[0].volume), (shot.camera,), truth)
    error = math.inf if row["kind"] in NEVER else float(misplacement(found.poses[0, 0], truth[0], points))
    row |= {"error": error, "seconds": found.seconds, "seconds_freed": freed.seconds}
    return Case(row, shot, (whose, row["ct"]), _without_path(found), _without_path(freed), start)


def ct_center(who: Who) -> Tensor:
    """The middle of the patient, where another patient's would be taken to be."""
    return volume_of(who).center


def _without_path(found: Registration) -> Registration:
    """The registration with the last step of each scale alone."""
    last = {step.scale: step for step in found.history}
    return replace(found, history=tuple(last.values()))


def start_near(pose: Tensor, center: Tensor, level: float, generator: torch.Generator, shot: Shot) -> Tensor:
    """A start with errors of that level, drawn again while the patient would be outside the C-arm."""
    sdd = shot.camera.sdd_mm
    while True:
        start = StartErrors(level).perturb(pose, center, generator)
        depth = float(transform_points(rigid_inverse(start), center[None])[0, 0, 2])
        if THROUGH[0] * sdd < depth < THROUGH[1] * sdd:
            return start
