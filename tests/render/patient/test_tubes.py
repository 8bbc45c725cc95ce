"""Tubes of a painted body against the closed form at every voxel, in straight, turned and bent coordinates."""

import numpy as np
import pytest
from xraykit.render.patient.body.frames import AffineFrame, TrunkFrame, stretch, turn_about
from xraykit.render.patient.canvas import Canvas, Chart, normalised, tube

LINE = np.array([(-14.0, -6.0, -20.0), (3.0, 5.0, -8.0), (6.0, -4.0, 9.0), (-8.0, 2.0, 22.0)])
RADIUS = np.array([2.0, 5.0, 3.0, 4.0])


def canvas():
    return Canvas((-40.0, -35.0, -45.0), (40.0, 35.0, 45.0), 1.5)


def bent():
    z = np.linspace(-60, 60, 7)
    curves = (1.1 + 0.001 * z, 0.9 - 0.001 * z, 0.002 * z**2, -0.15 * z, 0.004 * z)
    return TrunkFrame(z, 1.1 * z, *curves)


FRAMES = {"turned": AffineFrame(turn_about("x", 30) @ turn_about("z", 50) @ stretch(-1.0, 1.0, 1.2)), "bent": bent()}


def closest(region, start, end):
    """Share along a segment and the offset from it, the offset's components stacked last."""
    point = np.stack(np.broadcast_arrays(*region.axes), axis=-1).astype(np.float64)
    share = np.clip(((point - start) @ (end - start)) / np.sum((end - start) ** 2), 0, 1)
    return share, point - start - share[..., None] * (end - start)


def round_tube(region):
    """The closed form: the least of the distances to tapered capsules."""
    parts = []
    for n in range(len(LINE) - 1):
        share, offset = closest(region, LINE[n], LINE[n + 1])
        parts.append(np.linalg.norm(offset, axis=-1) - (RADIUS[n] + share * (RADIUS[n + 1] - RADIUS[n])))
    return np.min(parts, axis=0)


@pytest.mark.parametrize("frame", ["plain", *FRAMES])
def test_a_tube_has_the_distances_of_its_capsules_wherever_it_is_painted(frame):
    chart = canvas() if frame == "plain" else Chart(canvas(), FRAMES[frame])
    region, distance = tube(chart, LINE, RADIUS)
    truth = round_tube(chart.whole())
    outside = np.ones(truth.shape, bool)
    outside[region.window] = False
    assert truth[outside].min() > chart.spacing  # nothing of it was left out
    here = truth[region.window]
    near = here < chart.spacing
    assert near.sum() > 400
    # In float32, and near the axis the distance is a small difference of squares: 2e-4 on x86-64, November 2026.
    np.testing.assert_allclose(distance[near], here[near], atol=1e-3)
    assert (distance >= here - 1e-3).all()


@pytest.mark.parametrize("flat", [(0.0, 1.0, 0.0), (0.6, 0.3, 0.7)])
def test_a_flat_tube_is_an_oval_across_its_direction(flat):
    start, end = np.array([-10.0, 0.0, -12.0]), np.array([12.0, 3.0, 10.0])
    region, distance = tube(canvas(), [start, end], [2.0, 3.0], flat=[flat] * 2, wide=[6.0, 9.0])
    share, offset = closest(region, start, end)
    along = (end - start) / np.linalg.norm(end - start)
    thin = np.array(flat) - (np.array(flat) @ along) * along
    thin /= np.linalg.norm(thin)
    u, v = offset @ thin, offset @ np.cross(along, thin)
    over = offset @ along
    truth = normalised([u, v, over], [2.0 + share, 6.0 + 3.0 * share, 2.0 + share])
    near = (truth < 1.5) & (truth > -1.9)
    assert near.sum() > 400
    np.testing.assert_allclose(distance[near], truth[near], atol=2e-3)


def test_a_tube_beside_the_grid_paints_nothing():
    region, distance = tube(canvas(), LINE + np.array([200.0, 0.0, 0.0]), RADIUS)
    assert distance.min() > 0
    assert region.empty_field().shape == distance.shape
