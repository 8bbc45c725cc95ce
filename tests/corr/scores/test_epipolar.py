"""The epipolar band holds every pair of patches that see a common point, and no other."""

import pytest
import torch
from support.corr_pairs import pairs, projection
from xraykit.corr.scores import epipolar_band, fundamental_matrix
from xraykit.render import InputError

GRID = 6
L = GRID**2


CASES = [
    (projection(0), projection(90)),
    (projection(10, 20, roll=30), projection(75, -10, roll=200, share=6.0)),
    (projection(0, mirrored=True), projection(60, 25, distance=600.0)),
    (projection(0, share=1.0), projection(40, 5, share=1.2)),
    (projection(0, share=0.6), projection(-125, 35, share=0.7, roll=80)),  # the epipole is in the image
]


def image_of(matrix, points):
    image = torch.cat([points, torch.ones_like(points[:, :1])], dim=1) @ matrix.mT
    return image[:, :2] / image[:, 2:], image[:, 2]


@pytest.mark.parametrize(("first", "second"), CASES)
def test_images_of_a_point_satisfy_the_fundamental_matrix(first, second):
    points = 100 * torch.randn(50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    f = fundamental_matrix(first, second)
    one, two = (torch.cat([image_of(p, points)[0], torch.ones(50, 1, dtype=torch.float64)], 1) for p in (first, second))
    residual = torch.einsum("ni,ij,nj->n", two, f, one)
    assert float(residual.abs().max()) < 1e-10 * float(f.abs().max())
    assert torch.linalg.matrix_rank(f / f.abs().max(), rtol=1e-9) == 2


@pytest.mark.parametrize(("first", "second"), CASES)
def test_patches_that_see_a_common_point_are_in_the_band(first, second):
    draw = torch.Generator().manual_seed(1)
    points = (torch.rand(20_000, 3, generator=draw, dtype=torch.float64) - 0.5) * 800
    band = epipolar_band(first, second, GRID)
    (a, za), (b, zb) = image_of(first, points), image_of(second, points)
    seen = (za > 0) & (zb > 0) & ((a >= 0) & (a < 1) & (b >= 0) & (b < 1)).all(1)
    assert int(seen.sum()) > 50
    (xa, ya), (xb, yb) = ((image[seen] * GRID).long().unbind(1) for image in (a, b))
    assert bool(band[ya * GRID + xa, yb * GRID + xb].all())


@pytest.mark.parametrize(("first", "second"), CASES[:4])
def test_band_is_what_epipolar_lines_of_many_points_cross(first, second):
    band = epipolar_band(first, second, GRID)
    f = fundamental_matrix(first, second)
    steps = torch.linspace(0.001, 0.999, 14, dtype=torch.float64)
    corner = torch.tensor([[0, 0], [0, 1], [1, 1], [1, 0]], dtype=torch.float64)
    cells = torch.stack(torch.meshgrid(torch.arange(GRID), torch.arange(GRID), indexing="xy"), -1).reshape(L, 1, 2)
    within = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), -1).reshape(1, -1, 2)
    points, corners = (cells + within) / GRID, (cells + corner) / GRID
    ones = torch.ones(L, 1, dtype=torch.float64)
    lines = torch.cat([points, ones.expand(L, points.shape[1])[..., None]], -1) @ f.mT
    side = torch.einsum("ikc,jqc->ikjq", lines, torch.cat([corners, ones.expand(L, 4)[..., None]], -1))
    crossed = ((side.amax(-1) > 0) & (side.amin(-1) < 0)).any(1)
    assert bool((band | ~crossed).all())
    assert int((band & ~crossed).sum()) <= 0.02 * int(band.sum())  # lines may fall between the points


def test_band_of_exchanged_images_is_transposed():
    first, second = CASES[1]
    assert torch.equal(epipolar_band(second, first, GRID), epipolar_band(first, second, GRID).mT)


def test_band_of_views_about_a_common_vertical_axis_keeps_rows_together():
    band = epipolar_band(projection(0, distance=1e6, share=8e3), projection(90, distance=1e6, share=8e3), 8)
    rows = torch.arange(64) // 8
    assert not band[(rows[:, None] - rows[None]).abs() > 1].any()
    assert band[rows[:, None] == rows[None]].all()


def test_batches_are_the_bands_of_each():
    first, second = (torch.stack([case[n] for case in CASES]) for n in (0, 1))
    bands = epipolar_band(first, second, GRID)
    assert all(torch.equal(bands[n], epipolar_band(*CASES[n], GRID)) for n in range(len(CASES)))


def test_coinciding_sources_tell_nothing():
    first = projection(0)
    assert epipolar_band(first, projection(0, roll=40), GRID).all()


def test_what_is_no_projection_is_refused():
    with pytest.raises(InputError, match=r"image projection must be \(..., 3, 4\), got \(4, 4\)"):
        fundamental_matrix(torch.eye(4), torch.eye(4))
    with pytest.raises(InputError, match="patch grid must be 1 or more, got 0"):
        epipolar_band(*CASES[0], 0)


def test_true_correspondence_lies_within_the_band():
    _, truth, views = pairs(6, grid=GRID)
    bands = epipolar_band(views[:, 0], views[:, 1], GRID)
    assert int((truth > 0).sum()) > 100
    assert bool((bands | (truth == 0)).all())
