"""Whether the patient was found as far from the source as the tags say."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from ..refine.registration import Registration
from ..refine.structure import Structure
from ..xray.shot import Shot
from .target_points import depth_of, points_in_view, target_points

APART = 0.08  # of the distance: what is looked at lies within some centimetres of what the C-arm turns about


def contradicted_distance(
    found: Registration, shots: Sequence[Shot], body: Structure, stated: Tensor, isocenter: Tensor
) -> tuple[str, ...]:
    """A sentence for each view whose distance from source to what it shows is far from the tags'; () where none is.

    One view alone tells distance over focal length: a pixel spacing, or an SDD in pixels, that is wrong by ten percent
    fits as well and puts the patient ten percent too near or too far. What the positioner measured does not.

    Args:
        found: The answer for K structures in V views.
        shots: The X-rays.
        body: The first structure.
        stated: Camera to world as the tags say, (V, 4, 4).
        isocenter: What the C-arm turns about, world RAS [mm], (3,).
    """
    sentences, points = [], target_points(body.volume)
    for shot, camera, ours, theirs in zip(shots, found.cameras, found.poses[0], stated, strict=True):
        seen = points_in_view(points, (camera,), ours[None])
        depth, said = float(depth_of(seen, ours[None]).mean()), float(depth_of(isocenter[None], theirs[None])[0])
        if said > 0 and not (depth > 0 and abs(math.log(depth / said)) < APART):
            sentences.append(
                f"{shot.name}: the tags say that the patient is {said:.0f} mm from the source, the answer says "
                f"{depth:.0f} mm; check --sdd and --pixel-spacing (is the spacing the one at the detector?)"
            )
    return tuple(sentences)
