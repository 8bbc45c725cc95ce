"""What follows from geometry alone: the figure of the paper, epipolar wedges, symmetries, refinement."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.corr_truth import CENTER, F64, MODES, camera, oblique_affine, poses, random_support
from xraykit.corr.ground_truth import (
    Support,
    change_projection,
    correspondence,
    correspondences,
    image_projection,
    turn_change,
    turn_patches,
)

FAR = 1e7  # of the source, so that beams are parallel


def along(axis: int, right: int) -> torch.Tensor:
    """Nearly parallel beams along an axis onto 3 x 3 pixels: rows are z, columns another axis; cells have 1 mm."""
    matrix = torch.zeros(3, 4, dtype=F64)
    matrix[2, axis], matrix[2, 3] = 1.0, FAR
    for row, across in ((0, right), (1, 2)):
        matrix[row] = 0.5 * matrix[2]
        matrix[row, across] += FAR / 3
        matrix[row, 3] -= FAR / 3
    return matrix


def ones(cells: list[tuple[int, int, int]]) -> set[tuple[tuple[int, int], tuple[int, int]]]:
    """Which pixels ((z, y), (z, x)) a set of cells joins."""
    support = Support(torch.tensor(cells), torch.eye(4, dtype=F64), (3, 3, 3))
    matrix = correspondence(support, along(0, 1), along(1, 0), grid=3, mode="hard")
    return {((i // 3, i % 3), (j // 3, j % 3)) for i, j in matrix.nonzero().tolist()}


def test_two_cells_along_the_common_axis_are_two_matches():
    assert ones([(2, 1, 0), (2, 1, 1)]) == {((0, 1), (0, 2)), ((1, 1), (1, 2))}


def test_two_cells_along_the_first_beam_are_one_patch_with_two_matches():
    assert ones([(0, 1, 2), (1, 1, 2)]) == {((2, 1), (2, 0)), ((2, 1), (2, 1))}


def test_two_cells_along_the_second_beam_are_two_patches_with_one_match():
    assert ones([(0, 1, 2), (0, 2, 2)]) == {((2, 1), (2, 0)), ((2, 2), (2, 0))}


def test_a_full_volume_joins_all_pixels_of_a_slice():
    cells = [(x, y, z) for x in range(3) for y in range(3) for z in range(3)]
    found = ones(cells)
    assert found == {((z, y), (z, x)) for x in range(3) for y in range(3) for z in range(3)}
    assert len(found) == 27


@given(seed=st.integers(0, 10**6))
def test_matching_patches_lie_in_each_others_epipolar_wedge(seed):
    """x2' F x1 vanishes somewhere between two rectangles only if it takes both signs at their corners."""
    grid, support = 8, random_support(cells=9, edge=6.0, seed=seed % 7)
    first, second = image_projection(camera(), poses(seed=seed))
    found = correspondence(support, first, second, grid=grid, mode="hard") > 0
    source = torch.linalg.svd(first)[2][-1]
    e = second @ source
    cross = torch.stack([torch.linalg.cross(axis, e) for axis in torch.eye(3, dtype=F64)]).mT
    fundamental = -cross @ second @ torch.linalg.pinv(first)
    i, j = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    corners = torch.stack([
        torch.stack([(j + right) / grid, (i + down) / grid, torch.ones_like(i)], dim=-1).reshape(-1, 3)
        for down in (0, 1) for right in (0, 1)
    ], dim=1).double()  # fmt: skip
    form = torch.einsum("bdi,ij,acj->abcd", corners, fundamental, corners).flatten(2) / fundamental.norm()
    allowed = (form.amin(-1) <= 1e-9) & (form.amax(-1) >= -1e-9)
    assert bool(allowed[found].all())
    assert allowed.float().mean() < 0.9  # or the claim would be empty


@pytest.mark.parametrize("mode", MODES)
def test_exchanged_views_transpose(mode):
    support, (first, second) = random_support(seed=1), image_projection(camera(), poses(seed=1))
    forth = correspondence(support, first, second, grid=6, mode=mode)
    assert torch.equal(correspondence(support, second, first, grid=6, mode=mode), forth.mT)


@pytest.mark.parametrize("mode", MODES)
def test_more_cells_never_lower_an_entry(mode):
    whole, projections = random_support(seed=2), image_projection(camera(), poses(seed=2))
    part = Support(whole.cells[::2], whole.affine, whole.shape)
    less, more = (correspondences(support, projections, grid=6, mode=mode) for support in (part, whole))
    assert bool((less <= more + 1e-6).all())
    assert bool((less < more - 1e-3).any())


def test_a_row_is_zero_where_the_beam_meets_no_tissue_that_the_other_view_sees():
    support, projections = random_support(cells=7, edge=7.0), image_projection(camera(zoom=2.0), poses(seed=3))
    matrix = correspondences(support, projections, grid=6, mode="hard")[0]
    homogeneous = torch.cat([support.points, torch.ones(len(support.points), 1, dtype=F64)], dim=1)
    seen = [(lambda q: q[:, :2] / q[:, 2:])(homogeneous @ projection.mT) for projection in projections]
    inside = [((each >= 0) & (each < 1)).all(dim=1) for each in seen]
    both = (seen[0][inside[0] & inside[1]] * 6).floor().long()
    expected = torch.zeros(36, dtype=torch.bool)
    expected[both[:, 1] * 6 + both[:, 0]] = True
    assert torch.equal(matrix.sum(dim=1) > 0, expected)
    assert 0 < int(expected.sum()) < 36


def test_a_view_matches_itself_patch_by_patch():
    support, (view, _) = random_support(cells=12, edge=4.0), image_projection(camera(), poses(seed=4))
    hard = correspondence(support, view, view, grid=6, mode="hard")
    assert torch.equal(hard, torch.diag(hard.diagonal()))
    share = correspondence(support, view, view, grid=6)
    patch = torch.arange(36)
    apart = torch.maximum((patch[:, None] // 6 - patch // 6).abs(), (patch[:, None] % 6 - patch % 6).abs())
    assert bool((share[apart > 1] == 0).all())
    assert bool((share.diagonal() >= 0.25 * hard.diagonal()).all())


TURNS = [(turns, mirror) for turns in range(4) for mirror in (False, True)]


@pytest.mark.parametrize("turn", TURNS)
def test_the_change_of_a_turn_moves_points_as_torch_moves_pixels(turn):
    turns, mirror = turn
    image = torch.arange(36.0).reshape(6, 6)
    moved = torch.rot90(image.flip(1) if mirror else image, turns)
    centre = (torch.arange(6, dtype=F64) + 0.5) / 6
    y, x = torch.meshgrid(centre, centre, indexing="ij")
    new = torch.stack([x, y, torch.ones_like(x)], dim=-1) @ turn_change(turns, mirror=mirror).mT * 6
    column, row = new[..., 0].floor().long(), new[..., 1].floor().long()
    assert torch.equal(moved[row, column], image)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("turn", TURNS)
def test_turned_and_mirrored_images_permute_the_matrix(mode, turn):
    support, projections = random_support(seed=8), image_projection(camera(), poses(seed=8))
    other = TURNS[(TURNS.index(turn) * 3 + 1) % 8]
    plain = correspondences(support, projections, grid=6, mode=mode)[0]
    changes = torch.stack([turn_change(turns, mirror=mirror) for turns, mirror in (turn, other)])
    turned = correspondences(support, change_projection(projections, changes), grid=6, mode=mode)[0]
    torch.testing.assert_close(turned, turn_patches(plain, first=turn, second=other), atol=1e-6, rtol=0)


@pytest.mark.parametrize("mode", ["share", "hard"])
def test_a_crop_is_the_matrix_of_the_patches_within(mode):
    """Half the image on half the grid: the same patches, without those that were cut away."""
    support, projections = random_support(cells=8, edge=7.0), image_projection(camera(), poses(seed=6))
    whole = correspondences(support, projections, grid=8, mode=mode)[0].reshape(8, 8, 8, 8)
    crop = torch.tensor([[2.0, 0.0, -0.5], [0.0, 2.0, -0.5], [0.0, 0.0, 1.0]])  # the middle of the image
    part = correspondences(support, change_projection(projections, crop), grid=4, mode=mode)[0]
    torch.testing.assert_close(part, whole[2:6, 2:6, 2:6, 2:6].reshape(16, 16), atol=1e-6, rtol=0)


@pytest.mark.parametrize("mode", MODES)
def test_volume_and_pose_may_move_together(mode):
    support, pose = random_support(seed=5), poses(seed=5)
    shift = torch.tensor([100.0, -250.0, 1000.0], dtype=F64)
    affine, moved = support.affine.clone(), pose.clone()
    affine[:3, 3] += shift
    moved[:, :3, 3] += shift
    there = Support(support.cells, affine, support.shape)
    torch.testing.assert_close(
        correspondences(there, image_projection(camera(), moved), grid=6, mode=mode),
        correspondences(support, image_projection(camera(), pose), grid=6, mode=mode),
        atol=1e-6, rtol=0,
    )  # fmt: skip


def ball(cells: int) -> Support:
    """A ball of 50 mm on a grid over 120 mm."""
    centre = (torch.arange(cells, dtype=F64) + 0.5) * 120 / cells - 60
    k, j, i = torch.meshgrid(centre, centre, centre, indexing="ij")
    chosen = (i**2 + j**2 + k**2 < 50**2).nonzero().flip(1)
    return Support(chosen, oblique_affine(cells, 120 / cells), (cells,) * 3)


def test_cells_that_are_divided_only_add_entries():
    coarse, projections = ball(12), image_projection(camera(zoom=0.5), poses(seed=1))
    offsets = torch.cartesian_prod(*[torch.arange(3)] * 3)
    fine = Support((coarse.cells[:, None] * 3 + offsets).flatten(0, 1), oblique_affine(36, 120 / 36), (36,) * 3)
    less, more = (correspondences(support, projections, grid=8, mode="hard")[0] for support in (coarse, fine))
    assert bool((less <= more).all())
    assert int(more.sum()) > int(less.sum())


def test_thresholded_shares_tend_to_hard_entries():
    projections, apart = image_projection(camera(zoom=0.5), poses(seed=1)), []
    for cells in (16, 48):
        support = ball(cells)
        share, hard = (correspondences(support, projections, grid=8, mode=mode)[0] for mode in ("share", "hard"))
        apart.append(float(((share > 0.5).float() - hard).abs().sum() / hard.sum()))
    assert apart[1] < 0.5 * apart[0]
    assert apart[1] < 0.15


def test_isocenter_is_where_the_tests_think():
    point = torch.tensor([*CENTER, 1.0], dtype=F64)
    x, y, z = (image_projection(camera(), poses(1)) @ point)[0].unbind()
    assert float(x / z) == pytest.approx(19.25 / 41)
    assert float(y / z) == pytest.approx(16.5 / 30)
