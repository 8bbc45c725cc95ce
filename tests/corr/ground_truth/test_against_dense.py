"""All modes against dense outer products; the Joseph columns against the core's projector on one voxel at a time."""

import pytest
import torch
from support.corr_truth import MODES, camera, dense, poses, random_support
from xraykit.corr.ground_truth import correspondence, correspondences, image_projection

pytestmark = pytest.mark.filterwarnings("ignore:no ray meets")
GRID = 6


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_mode_equals_dense_outer_products(mode, seed):
    support, pose = random_support(seed=seed), poses(seed=seed)
    ours = correspondences(support, image_projection(camera(), pose), grid=GRID, mode=mode)[0]
    assert int((ours > 0).sum()) > 10
    torch.testing.assert_close(ours.double(), dense(support, camera(), pose, grid=GRID, mode=mode), atol=1e-6, rtol=0)


@pytest.mark.parametrize("mode", MODES)
def test_weights_count_once(mode):
    support, pose = random_support(seed=5, weighted=True), poses(seed=5)
    ours = correspondences(support, image_projection(camera(), pose), grid=GRID, mode=mode)[0]
    torch.testing.assert_close(ours.double(), dense(support, camera(), pose, grid=GRID, mode=mode), atol=1e-6, rtol=0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("edge", [3.0, 30.0])
def test_cells_far_smaller_and_larger_than_a_patch(mode, edge):
    support, pose = random_support(edge=edge, cells=4), poses(seed=7)
    ours = correspondences(support, image_projection(camera(), pose), grid=GRID, mode=mode)[0]
    torch.testing.assert_close(ours.double(), dense(support, camera(), pose, grid=GRID, mode=mode), atol=1e-6, rtol=0)


@pytest.mark.parametrize("mode", MODES)
def test_a_camera_that_sees_a_part_loses_nothing_else(mode):
    support, pose = random_support(seed=9), poses(seed=9)
    ours = correspondences(support, image_projection(camera(zoom=2.5), pose), grid=GRID, mode=mode)[0]
    expected = dense(support, camera(zoom=2.5), pose, grid=GRID, mode=mode)
    assert 0 < int((expected > 0).sum())
    torch.testing.assert_close(ours.double(), expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("mode", MODES)
def test_no_bit_depends_on_the_chunk(mode):
    support, projections = random_support(seed=3, weighted=True), image_projection(camera(), poses(3, seed=3))
    whole = correspondences(support, projections, grid=GRID, mode=mode)
    for chunk in (1, 7, 33, 10**6):
        assert torch.equal(correspondences(support, projections, grid=GRID, mode=mode, chunk=chunk), whole)


@pytest.mark.parametrize("mode", MODES)
def test_views_at_once_have_the_bits_of_pairs_one_by_one(mode):
    support, projections = random_support(seed=4), image_projection(camera(), poses(4, seed=4))
    together = correspondences(support, projections, grid=GRID, mode=mode)
    order = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    for (a, b), matrix in zip(order, together, strict=True):
        alone = correspondence(support, projections[a], projections[b], grid=GRID, mode=mode)
        assert torch.equal(matrix, alone)
    chosen = correspondences(support, projections, grid=GRID, mode=mode, pairs=[(2, 0), (1, 1)])
    assert torch.equal(chosen[0], together[1].mT)


@pytest.mark.parametrize("mode", MODES)
def test_values_are_finite_shares(mode):
    support = random_support(cells=8, edge=4.0, seed=6, weighted=True)
    matrices = correspondences(support, image_projection(camera(), poses(5, seed=6)), grid=16, mode=mode)
    assert matrices.dtype == torch.float32
    assert bool(torch.isfinite(matrices).all())
    assert 0 <= float(matrices.min()) and float(matrices.max()) <= 1
