"""Where a body is likely to be next, from where it was."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render.geometry import full_precision, rigid_inverse, se3_exp, se3_log

FARTHEST = 2.0  # steps beyond the last good pose that a velocity is trusted for


@full_precision
def predicted(
    poses: Sequence[Float[Tensor, "*bodies 4 4"]], times: Sequence[float], time: float
) -> Float[Tensor, "starts *bodies 4 4"]:
    r"""Poses to start from at a time: constant velocity on SE(3), then the last pose as it was.

    With M = C^-1 the body in the camera, and V = M_2 M_1^-1 the motion from t_1 to t_2,

        M(t) = exp(s log V) M_2,    s = min(t - t_2, 2 (t_2 - t_1)) / (t_2 - t_1).

    Args:
        poses: Camera to body C of the last good moments, oldest first, (..., 4, 4) each; the last two count.
        times: Their times, rising.
        time: The time asked for, later than all.

    Returns:
        (2, ..., 4, 4) float64; (1, ..., 4, 4) where only one pose is known.
    """
    last = poses[-1].double()
    if len(poses) < 2:
        return last[None]
    now, before = rigid_inverse(last), rigid_inverse(poses[-2].double())
    step = times[-1] - times[-2]
    share = min((time - times[-1]) / step, FARTHEST)
    ahead = se3_exp(share * se3_log(now @ rigid_inverse(before))) @ now
    return torch.stack([rigid_inverse(ahead), last])
