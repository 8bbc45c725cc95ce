"""Supports: averages over cells, thresholds and labels, stored classes, the authors' weights, and bad input."""

import numpy as np
import pytest
import torch
from scipy.ndimage import map_coordinates
from support.corr_truth import F64, camera, oblique_affine, poses
from xraykit.corr.ground_truth import (
    Support,
    correspondences,
    grid_support,
    image_projection,
    paper_support,
    volume_support,
)
from xraykit.render import InputError, Volume
from xraykit.render.geometry import voxel_to_world


def ct(shape=(8, 12, 10), *, spacing=(2.0, 2.0, 2.0), seed=0, labels=None, names=None) -> Volume:
    generator = torch.Generator().manual_seed(seed)
    affine = torch.diag(torch.tensor([*spacing, 1.0], dtype=F64))
    affine[:3, 3] = torch.tensor([5.0, -7.0, 30.0])
    hu = 2000 * torch.rand(shape, generator=generator) - 1000
    return Volume.from_hu(hu, affine, labels=labels, label_names=names)


def filled(support: Support) -> torch.Tensor:
    grid = torch.zeros(support.shape[::-1], dtype=torch.bool)
    i, j, k = support.cells.unbind(1)
    grid[k, j, i] = True
    return grid


def test_cells_are_means_of_the_voxels_that_they_hold():
    volume = ct()
    support = volume_support(volume, tissue=-50.0, cells=6)
    assert support.shape == (5, 6, 4)
    assert volume.hu is not None
    mean = torch.nn.functional.avg_pool3d(volume.hu[None, None], 2)[0, 0]
    assert torch.equal(filled(support), mean > -50)
    expected = voxel_to_world(support.cells.double() * 2 + 0.5, volume.affine)
    torch.testing.assert_close(support.points, expected)


def test_thick_slices_give_cubes_along_the_volumes_own_axes():
    hu = torch.zeros(6, 40, 40)
    affine = oblique_affine(1, 1.0)
    affine[:3, 2] *= 5.0
    support = volume_support(Volume.from_hu(hu, affine), cells=20)
    assert support.shape == (20, 20, 15)
    edges = support.affine[:3, :3].norm(dim=0)
    torch.testing.assert_close(edges, torch.full((3,), 2.0, dtype=F64))
    torch.testing.assert_close(support.points.mean(0), Volume.from_hu(hu, affine).center)
    assert len(support.cells) == 20 * 20 * 15


def test_air_lies_outside_the_volume_and_below_minus_1024():
    hu = torch.full((3, 4, 4), -200.0)  # each cell of two layers holds one and a half of them
    assert len(volume_support(Volume.from_hu(hu, torch.eye(4)), tissue=-406.5, cells=2).cells) == 8
    with pytest.raises(InputError, match="the highest mean of a cell is -406 HU"):
        volume_support(Volume.from_hu(hu, torch.eye(4)), tissue=-405.5, cells=2)
    low = Volume.from_hu(torch.where(torch.arange(4) < 2, 0.0, -30000.0).expand(4, 4, 4), torch.eye(4))
    assert len(volume_support(low, tissue=-513.0, cells=1).cells) == 1


def test_labels_count_where_they_fill_half_a_cell():
    labels = torch.zeros(4, 4, 4, dtype=torch.uint8)
    labels[:, :, 0] = 3  # half of the cells with i = 0
    labels[0, 0, 2] = 5
    volume = ct((4, 4, 4), labels=labels, names={3: "rib_left_1", 5: "heart"})
    assert {i for i, _, _ in volume_support(volume, tissue=["ribs"], cells=2).cells.tolist()} == {0}
    assert len(volume_support(volume, tissue=["ribs", "heart"], cells=4).cells) == 17
    with pytest.raises(InputError, match=r"no cell of .* is half filled by heart; raise `cells` above 2"):
        volume_support(volume, tissue=["heart"], cells=2)


def test_named_thresholds():
    hu = torch.tensor([-1000.0, -299.0, 149.0, 151.0]).reshape(1, 1, 4)
    volume = Volume.from_hu(hu, torch.eye(4))
    assert volume_support(volume, cells=4).cells[:, 0].tolist() == [1, 2, 3]
    assert volume_support(volume, tissue="bone", cells=4).cells[:, 0].tolist() == [3]


def test_a_stored_grid_of_classes_is_the_support_that_it_was_made_from():
    volume = ct()
    soft, bone = (volume_support(volume, tissue=name, cells=12) for name in ("tissue", "bone"))
    classes = filled(soft).to(torch.uint8) + filled(bone).to(torch.uint8)
    for name, support in (("tissue", soft), ("bone", bone)):
        stored = grid_support(classes, support.affine, tissue=name)
        assert torch.equal(stored.cells, support.cells)
        assert stored.shape == support.shape


def test_the_authors_weights_are_means_of_a_logistic_of_interpolated_numbers():
    volume = ct((9, 20, 14), spacing=(1.5, 1.0, 3.0), seed=4)
    support = paper_support(volume)
    assert support.shape == (16, 16, 16) and len(support.cells) == 4096
    assert volume.hu is not None and support.weights is not None
    hu, size = volume.hu.numpy().astype(float), np.array([14, 20, 9])
    side = float((torch.tensor([14, 20, 9]) * volume.spacing).max())
    for cell in ((0, 0, 0), (8, 8, 8), (5, 9, 11), (15, 3, 7), (3, 8, 8)):
        number = int((support.cells == torch.tensor(cell)).all(dim=1).nonzero())
        fine = [(np.arange(c * 16, c * 16 + 16) + 0.5 - 128) * side / 256 for c in cell]
        index = np.stack(np.meshgrid(*fine, indexing="ij")).reshape(3, -1) / volume.spacing.numpy()[:, None]
        index += (size[:, None] - 1) / 2
        values = map_coordinates(hu, index[::-1], order=1, mode="nearest")
        outside = ((index < -0.5) | (index > size[:, None] - 0.5)).any(axis=0)
        values = np.where(outside, hu.min(), values)
        expected = (1 / (1 + np.exp(-0.005 * (values + 1000 - 850)))).mean()
        assert float(support.weights[number]) == pytest.approx(expected, abs=1e-5)
    torch.testing.assert_close(support.points.mean(0), volume.center)


def test_a_thin_lesion_changes_bone_but_not_tissue():
    """Else the truth that guides a classifier would tell it the label."""
    k, j, i = torch.meshgrid(*[torch.arange(48.0)] * 3, indexing="ij")
    radius = ((i - 24) ** 2 + (j - 24) ** 2).sqrt()
    healthy = torch.where(radius < 8, 700.0, torch.where(radius < 18, 40.0, -1000.0))
    gap = (radius < 8) & ((k - 24 + 0.3 * (i - 24)).abs() < 1.5)
    volumes = [Volume.from_hu(hu, torch.eye(4)) for hu in (healthy, torch.where(gap, 40.0, healthy))]
    projections = image_projection(camera(zoom=2.0), poses(seed=2, center=(24.0, 24.0, 24.0)))
    for tissue, same in (("tissue", True), ("bone", False)):
        matrices = [
            correspondences(volume_support(volume, tissue=tissue, cells=48), projections, grid=16, mode=mode)
            for volume in volumes
            for mode in ("share", "hard", "volume")
        ]
        assert all(torch.equal(a, b) for a, b in zip(matrices[:3], matrices[3:], strict=True)) is same


CELL = torch.zeros(1, 3, dtype=torch.int64)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: volume_support(ct(), tissue=5000.0), "no tissue above 5000 HU: the highest mean of a cell is"),
        (lambda: volume_support(ct(), cells=0), "cells must be a whole number from 1 to 512, got 0"),
        (lambda: volume_support(ct(), tissue="liver"), r"got 'liver'; write \['liver'\] for a label"),
        (lambda: volume_support(ct(), tissue=[]), "or a sequence of label names, got"),
        (lambda: volume_support(ct(), tissue=float("nan")), "the threshold must be finite"),
        (lambda: volume_support(ct(), tissue=["liver"]), "a support of liver needs a label map"),
        (lambda: volume_support(Volume(torch.ones(3, 3, 3), torch.eye(4))), "needs Hounsfield numbers"),
        (lambda: paper_support(Volume(torch.ones(3, 3, 3), torch.eye(4))), "mode 'paper' needs Hounsfield numbers"),
        (lambda: grid_support(torch.ones(2, 2, 2).byte(), torch.eye(4), tissue="bone"), "holds no bone"),
        (lambda: grid_support(torch.ones(2, 2).byte(), torch.eye(4)), r"classes must be \(K, J, I\)"),
        (lambda: grid_support(torch.ones(2, 2, 2).byte(), torch.eye(4), tissue="fat"), "must be 'tissue' or 'bone'"),
        (lambda: Support(CELL[:0], torch.eye(4), (1, 1, 1)), "needs at least one cell, got none"),
        (lambda: Support(CELL + 1, torch.eye(4), (1, 1, 1)), "cells must lie on the grid"),
        (lambda: Support(CELL.float(), torch.eye(4), (1, 1, 1)), r"cells must be \(N, 3\) int64"),
        (lambda: Support(CELL, torch.zeros(4, 4), (1, 1, 1)), "finite invertible 4x4 matrix"),
        (lambda: Support(CELL, torch.eye(4), (1, 1, 1), torch.ones(2)), "weights must be 1 fractions"),
        (lambda: Support(CELL, torch.eye(4), (1, 1, 1), torch.tensor([1.5])), r"weights must lie in \[0, 1\]"),
    ],
)
def test_bad_supports_are_refused_in_one_sentence(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        wrong()
