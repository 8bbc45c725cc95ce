"""Candidates of single views joined to candidates that several calibrated views agree on."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render.geometry import rigid_inverse, rigid_matrix, rotation_angle

from .implant import Implant
from .search import RoughPlaces

ALIKE = 40.0  # orientations may differ by this much between views [degrees]


def joined(places: list[RoughPlaces], implant: Implant, between: Tensor, *, most: int) -> Tensor:
    """Candidates (S, V, 4, 4) from those of V views: orientation from one, place from where two rays nearly meet.

    Args:
        places: Of each view.
        implant: What was looked for.
        between: Camera v to the first camera, (V, 4, 4).
        most: Candidates to return.

    Returns:
        Camera to mesh, the best sum of scores first; may be empty where no two views agree.
    """
    if len(places) == 1:
        return places[0].poses[:most, None]
    found: list[tuple[float, Tensor]] = []
    for a, own in enumerate(places):
        for b, other in enumerate(places):
            if a == b or len(own.poses) == 0 or len(other.poses) == 0:
                continue
            moved = other.poses @ (rigid_inverse(between[b]) @ between[a])  # of camera a, from what view b found
            found += _pairs(own, RoughPlaces(moved, other.score), between[[a, b]], implant, a, between)
    found.sort(key=lambda pair: -pair[0])
    return torch.stack([pose for _, pose in found[:most]]) if found else between[:0, None].expand(0, len(places), 4, 4)


def _pairs(
    own: RoughPlaces, other: RoughPlaces, pair: Tensor, implant: Implant, a: int, between: Tensor
) -> list[tuple[float, Tensor]]:
    source = (rigid_inverse(pair[0]) @ pair[1])[:3, 3]  # of the other view, in this camera
    found = []
    for pose, score in zip(own.poses, own.score.tolist(), strict=True):
        to_camera = rigid_inverse(pose)
        ray = _seen(to_camera, implant)
        best: tuple[float, Tensor] | None = None
        for rival, worth in zip(other.poses, other.score.tolist(), strict=True):
            apart = rotation_angle(rigid_inverse(rival)[:3, :3] @ to_camera[:3, :3].mT)
            place, gap = _crossing(ray, source, _seen(rigid_inverse(rival), implant) - source)
            if gap > implant.radius / 2 or torch.rad2deg(apart) > ALIKE or not place[2] > implant.radius:
                continue
            if best is None or worth > best[0]:
                best = (worth, place)
        if best is not None:
            rotation = to_camera[:3, :3]
            placed = rigid_inverse(rigid_matrix(rotation, best[1] - rotation @ implant.pivot))
            found.append((score + best[0], placed @ (rigid_inverse(between[a]) @ between)))
    return found


def _seen(to_camera: Tensor, implant: Implant) -> Tensor:
    return to_camera[:3, :3] @ implant.pivot + to_camera[:3, 3]


def _crossing(first: Tensor, source: Tensor, second: Tensor) -> tuple[Tensor, float]:
    """The middle between a ray from the origin and one from `source` where they are closest, and the gap [mm]."""
    both = torch.stack([first, -second], dim=1)
    along = torch.linalg.lstsq(both, source[:, None]).solution[:, 0]
    near, far = along[0] * first, source + along[1] * second
    return (near + far) / 2, float((near - far).norm())
