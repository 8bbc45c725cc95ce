"""Judge a registration: measure it, turn the features into a probability, and say what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xraykit.render import Volume
from xraykit.render.geometry import full_precision

from ..refine.pose_distance import misplacement
from ..refine.structure import Structure
from ..xray.shot import Shot
from .calibration import SuccessModel, shipped_model
from .doubts import CLOSE, doubts
from .features import expected_error, measure, view_errors
from .judgement import TrustJudgement
from .target_points import points_in_view, target_points

if TYPE_CHECKING:
    from ..refine.registration import Registration

OUTSIDE = 0.05  # share of the anatomy in view behind the detector or the source, where no patient can be
IMPOSSIBLE = 0.01  # chance at most, then


@full_precision
def judge(
    registration: Registration,
    shots: Sequence[Shot],
    structures: Sequence[Volume | Structure],
    *,
    model: SuccessModel | None = None,
    judged: int | None = None,
) -> TrustJudgement:
    """Whether to believe a registration.

    Nothing needs to be known of the truth. Of several structures the one least likely to be right decides. The chance
    takes the stated cameras as right; whether they are is what `check_geometry` asks. Anatomy where no patient can be
    leaves next to none.

    Args:
        registration: What `register` returned.
        shots: The X-rays it was given.
        structures: The volumes it was given.
        model: What turns features into a probability; None is the one that comes with the package.
        judged: How many of the volumes, from the first on; None is all. The others are rendered with them.

    Returns:
        Probability that the true target registration error is at most 5 mm (the shipped model's threshold), the error
        to expect, and warnings.

    Raises:
        InputError: A structure in which nothing attenuates.
    """
    model = shipped_model() if model is None else model
    bodies = tuple(body if isinstance(body, Structure) else Structure.of(body) for body in structures)
    measured = [
        measure(registration, shots, bodies, structure=k) for k in range(len(bodies) if judged is None else judged)
    ]
    chances = [
        min(model.probability(features), IMPOSSIBLE if features["outside"] > OUTSIDE else 1.0) for features in measured
    ]
    worst = chances.index(min(chances))
    features = measured[worst]
    beam = registration.poses[worst, 0, :3, 2]
    along = beam @ registration.covariance[worst, 3:, 3:].to(beam) @ beam
    warnings = doubts(
        registration,
        shots,
        features,
        probability=chances[worst],
        depth_error=model.expected_error(float(along.clamp_min(0).sqrt())),
        rivals_apart=_rivals_apart(registration, bodies[0]),
    )
    error = max(expected_error(registration, bodies[k], k) for k in range(len(measured)))
    of_views = zip(*(view_errors(registration, bodies[k], k) for k in range(len(measured))), strict=True)
    expected = model.expected_error(error)
    return TrustJudgement(
        chances[worst],
        model.threshold,
        expected,
        warnings=warnings,
        features=features,
        view_errors=tuple(model.expected_error(max(each)) for each in of_views),
        error_limit=model.error_limit * expected,
    )


def _rivals_apart(registration: Registration, body: Structure) -> float:
    """How far the farthest candidate that fits about as well is from the one that won [mm]."""
    last = max(candidate.scale for candidate in registration.candidates)
    climbed = [candidate for candidate in registration.candidates if candidate.scale == last]
    best = max(candidate.similarity for candidate in climbed)
    rivals = [candidate.poses[0, 0] for candidate in climbed if candidate.similarity > best - CLOSE]
    points = points_in_view(target_points(body.volume), registration.cameras, registration.poses[0])
    return max((float(misplacement(pose, registration.poses[0, 0], points)) for pose in rivals), default=0.0)
