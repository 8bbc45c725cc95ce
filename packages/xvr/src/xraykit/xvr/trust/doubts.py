"""What speaks against a registration, in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..xray.shot import Shot
from .judgement import percent
from .target_points import depth_of

if TYPE_CHECKING:
    from ..refine.registration import Registration

LITTLE = 0.15  # share of the compared pixels that the anatomy covers
BESIDE = 0.5  # share of the anatomy that the compared pixels do not show
PART = 0.9  # share of what the compared rays pass through that lies inside the CT
LARGELY = 0.6  # correlation of whole images: most other patients' CTs of the same region reach it
CLOSE = 0.03  # similarity by which a rival candidate falls short of the best
APART = 10.0  # mm between candidates that are not the same
LOOSE = 5.0  # mm of predicted error, or of depth
INTRINSICS_MOVED = 0.05  # of the sdd


def doubts(
    registration: Registration,
    shots: Sequence[Shot],
    features: Mapping[str, float],
    *,
    probability: float,
    depth_error: float,
    rivals_apart: float,
) -> tuple[str, ...]:
    """Warnings, the gravest first; empty where nothing speaks against the result.

    Anatomy that covers little of the X-ray is doubtful where most of it lies beside the pixels compared, as with wrong
    labels or a lost start. A single bone covers little wherever it lies, and a CT of the trunk goes on beyond every
    field; neither tells anything by itself.

    Args:
        registration: What was found.
        shots: The X-rays.
        features: As `measure` gives them.
        probability: Of success.
        depth_error: Predicted standard deviation along the first beam [mm].
        rivals_apart: Distance to the farthest candidate that is about as similar [mm], 0 where there is none.
    """
    found = []
    if probability < 0.5:
        reason = _likely_reason(registration.terms["ncc"])
        found.append(f"this looks like a failure (chance of success {percent(probability)}): {reason}")
        found += dict.fromkeys(guess for shot in shots for guess in shot.guesses)
    if not registration.converged:
        found.append("the refinement had not come to rest when its iterations ended; allow more, or start closer")
    if features["coverage"] < LITTLE and features["shown"] < 1 - BESIDE:
        found.append(
            f"the anatomy covers only {features['coverage']:.0%} of the pixels compared, and "
            f"{1 - features['shown']:.0%} of it lies beside them; check labels and start"
        )
    if features["known"] < PART:
        found.append(
            f"the CT ends inside the field: about {1 - features['known']:.0%} of what is seen along the compared rays "
            "lies beyond its end; what it does not show was left out of the judgement"
        )
    if rivals_apart > APART:
        found.append(f"another start ended {rivals_apart:.0f} mm away and fits about as well; look at the pictures")
    if depth_error > LOOSE:
        found.append(
            f"the distance along the beam is known to about {depth_error:.0f} mm only; add a view from another side"
        )
    found += _impossible(registration)
    return tuple(found + _moved_cameras(registration, shots))


def _likely_reason(ncc: float) -> str:
    """What the correlation of whole images (`ncc`) makes of a failure."""
    if ncc >= LARGELY:
        return (
            f"X-ray and CT are alike in the large (NCC {ncc:.2f}) but not in their details, as when the CT is of "
            "another patient, or a start led to a wrong place nearby"
        )
    return (
        f"X-ray and CT are not even alike in the large (NCC {ncc:.2f}), as when the start was too far off, or the CT "
        "is not of this part of the body"
    )


def _impossible(registration: Registration) -> list[str]:
    """Structure where no patient can be."""
    found = []
    for view, camera in enumerate(registration.cameras):
        sdd = camera.sdd_mm
        depths = depth_of(registration.pivot, registration.poses[:, view])
        if bool((depths <= 0).any()) or bool((depths >= sdd).any()):
            found.append(f"in view {view + 1} the anatomy lies behind the source or behind the detector")
    return found


def _moved_cameras(registration: Registration, shots: Sequence[Shot]) -> list[str]:
    found = []
    for shot, camera in zip(shots, registration.cameras, strict=True):
        before, after = (c.sdd_mm for c in (shot.camera, camera))
        if abs(math.log(after / before)) > INTRINSICS_MOVED:
            found.append(f"{shot.name}: sdd went from {before:.0f} to {after:.0f} mm, far from what was stated")
    return found
