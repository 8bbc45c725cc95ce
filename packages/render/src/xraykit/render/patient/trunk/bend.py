"""What a bent spine leaves in place: chest wall, viscera and skin follow a scoliosis less than the vertebrae do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..body.figure import Figure
from ..body.frames import TrunkFrame
from ..canvas import Chart

SHARE = 0.4
"""How much of the spine's shift to the side the soft parts take; they do not turn."""


def soft_frame(trunk: TrunkFrame) -> TrunkFrame:
    """The frame of the soft parts."""
    return replace(trunk, shift_x=SHARE * trunk.shift_x, turn=0 * trunk.turn)


def soft_chart(figure: Figure) -> Chart:
    """The canvas in the coordinates of the soft parts."""
    return Chart(figure.canvas, soft_frame(figure.skeleton.trunk))


def bend_points(figure: Figure, points: NDArray[np.float64], share: ArrayLike = 1.0) -> NDArray[np.float64]:
    """Coordinates in the trunk's frame of points (n, 3) that go with the soft parts by a share, else with the spine."""
    trunk = figure.skeleton.trunk
    x, y, z = soft_frame(trunk).to_world(points).T
    there = np.stack(trunk.to_local(x, y, z), axis=-1)
    return points + np.reshape(share, (-1, 1)) * (there - points)
