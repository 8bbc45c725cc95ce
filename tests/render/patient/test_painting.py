"""The painting kernels against their formulas written plainly, on several shapes, and what they leave alone."""

import numpy as np
import pytest
import torch
from xraykit.render.patient.body.solids import corner
from xraykit.render.patient.canvas import Canvas, Chart, Region, normalised, smooth_union
from xraykit.render.patient.leg.solids import _table, loft
from xraykit.render.patient.texture import TRABECULA, add_texture, noise


def random(*shape, seed=0, scale=1.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(np.float32)


def small_canvas():
    canvas = Canvas((0, 0, 0), (12, 9, 7), 1.5)
    canvas.hu[:] = random(*canvas.hu.shape, seed=1, scale=200)
    canvas.labels[:] = 3
    return canvas, canvas.region((2, 2, 1), (9, 8, 6))


@pytest.mark.parametrize("value", [55.0, "field"])
@pytest.mark.parametrize("label", [None, 7, 0])
def test_paint_mixes_by_share_and_labels_what_is_inside(value, label):
    canvas, region = small_canvas()
    before, distance = canvas.hu.copy(), random(*region.empty_field().shape, scale=2)
    hu = random(*distance.shape, seed=2, scale=100) if value == "field" else value
    canvas.paint(region, distance, hu, label)
    share = np.clip(0.5 - distance / 1.5, 0, 1)
    wanted = before.copy()
    wanted[region.window] += share * (hu - before[region.window])
    np.testing.assert_allclose(canvas.hu, wanted, rtol=1e-5, atol=1e-3)
    assert np.array_equal(canvas.labels[region.window] == label, (distance < 0) & (label is not None))
    canvas.labels[region.window] = 3
    assert bool((canvas.labels == 3).all())


def test_a_bone_has_a_shell_and_a_core_inside_the_clip_of_its_chart():
    class Same:
        scale = 1.0

        def to_world(self, points):
            return points

        def to_local(self, *axes):
            return axes

    canvas, region = small_canvas()
    chart = Chart(canvas, Same(), clip=lambda part: part.x - np.float32(5.2))
    before, distance = canvas.hu.copy(), random(*region.empty_field().shape, scale=2)
    cortex = np.abs(random(*distance.shape, seed=4))
    chart.paint_bone(region, distance, 9, cortex=cortex, shell=900.0, core=200.0)
    clipped = np.maximum(distance, region.x - np.float32(5.2))
    inner = np.clip(0.5 - (distance + cortex) / 1.5, 0, 1)
    wanted = before.copy()
    wanted[region.window] += np.clip(0.5 - clipped / 1.5, 0, 1) * (900 - 700 * inner - before[region.window])
    np.testing.assert_allclose(canvas.hu, wanted, rtol=1e-5, atol=2e-3)
    assert np.array_equal(canvas.labels[region.window] == 9, clipped < 0)


@pytest.mark.parametrize("shapes", [((5, 6, 7), (5, 6, 7)), ((5, 1, 7), (1, 6, 1)), ((6, 7), ()), ((3,), (3,))])
def test_smooth_union_is_its_formula_on_any_shapes(shapes):
    first, second = (random(*shape, seed=n, scale=4) for n, shape in enumerate(shapes))
    h = np.clip(0.5 + 0.5 * (second - first) / 3.0, 0, 1)
    wanted = second + h * (first - second) - 3.0 * h * (1 - h)
    found = smooth_union(first, second, 3.0)
    assert found.shape == wanted.shape and found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("radii", [(3.0, 4.0, 5.0), "fields"])
def test_a_quadric_is_its_first_order_distance(radii):
    offset = [random(1, 1, 7, scale=4), random(1, 6, 1, scale=4), random(5, 1, 1, scale=4)]
    offset[0][..., 3], offset[1][:, 2], offset[2][1] = 0, 0, 0  # the middle
    if radii == "fields":
        radii = [4.0, np.abs(random(5, 1, 1, seed=5)) + 2, 3.0]
    square, slope = (sum(np.square(o / np.power(r, n)) for o, r in zip(offset, radii, strict=True)) for n in (1, 2))
    q = np.sqrt(square)
    smallest = min(float(np.min(r)) for r in radii)
    wanted = (q - 1) * np.where(q > 1e-3, q / np.sqrt(slope + 1e-12), smallest)
    np.testing.assert_allclose(normalised(offset, radii), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rounding", [0.0, 2.0])
def test_a_loft_is_its_table_looked_up(rounding):
    sections = [(0, 0, 0, *[5.0] * 8), (8, 1, 0, 6, 5, 4, 5, 6, 7, 6, 5), (20, 2, 1, *[3.0] * 8)]
    axes = (np.linspace(-9, 9, 15), np.linspace(-8, 8, 13), np.linspace(-4, 23, 17))
    x, y, z = (axis.astype(np.float32) for axis in axes)
    region = Region((slice(0, 17), slice(0, 13), slice(0, 15)), x[None, None], y[None, :, None], z[:, None, None])
    low, step, cx, cy, radius, slope = _table(sections, 6.0)
    at = np.clip((region.z - low) / step, 0, len(cx) - 1 - 1e-3)
    k = at.astype(int)
    share = at - k
    u, v = region.x - (cx[k] + share * (cx[k + 1] - cx[k])), region.y - (cy[k] + share * (cy[k + 1] - cy[k]))
    turn = np.round(np.arctan2(v, u) * radius.shape[1] / (2 * np.pi)).astype(int) % radius.shape[1]
    outline = radius[k, turn] + share * (radius[k + 1, turn] - radius[k, turn])
    side = (np.hypot(u, v) - outline) * slope[k, turn]
    ends = np.maximum(low - region.z, region.z - (low + step * (len(cx) - 1)))
    found = loft(region, sections, smooth=6.0, rounding=rounding)
    differs = np.abs(found - corner(side, ends, rounding)) > 1e-3
    assert found.shape == (17, 13, 15) and differs.mean() < 0.01  # a direction between two angles may go either way


def test_texture_is_its_formula_and_leaves_what_it_was_given():
    hu = torch.from_numpy(random(9, 8, 7, seed=6, scale=500))
    before = hu.clone()
    found = add_texture(hu, 1.0, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    fine, coarse = noise((9, 8, 7), TRABECULA, rng), noise((9, 8, 7), 9.0, rng)

    def between(low, high, fade):
        return ((hu - low) / fade + 0.5).clamp(0, 1) * ((high - hu) / fade + 0.5).clamp(0, 1)

    change = between(100, 650, 50) * 0.30 * (hu + 50) * fine + between(-150, 110, 25) * (7 * coarse + 5 * fine)
    wanted = hu + change + between(-950, -600, 40) * (25 * coarse + 20 * fine)
    torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-3)
    assert torch.equal(hu, before) and float((found - hu).abs().max()) > 1
