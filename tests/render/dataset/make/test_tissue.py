"""Cells of tissue: averages of Hounsfield numbers where they lie in the world, small on the disk, safe to read."""

import zlib
from itertools import product

import numpy as np
import pytest
import torch
from xraykit.render import FileError, Volume, generate_patient
from xraykit.render.dataset.format.tissue_grid import TissueGrid, decode_tissue, encode_tissue
from xraykit.render.dataset.make.tissue import tissue_grid_of
from xraykit.render.patient import PatientSettings


def volume(hu, spacing=(1.0, 1.0, 1.0), turn=0.0) -> Volume:
    """A CT about the world's origin, turned about z [radians]."""
    affine = np.eye(4)
    c, s = np.cos(turn), np.sin(turn)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.diag(spacing)
    affine[:3, 3] = -affine[:3, :3] @ (np.array(hu.shape[::-1]) - 1) / 2
    return Volume.from_hu(torch.as_tensor(hu, dtype=torch.float32), torch.from_numpy(affine))


def test_two_voxels_a_cell_are_averaged():
    hu = np.full((8, 8, 8), -1000.0)
    hu[2:4, 4:6, 6:8] = 40.0  # one whole cell
    hu[0, 0:2, 0:2] = 500.0  # half of a cell: -250
    hu[6, 6, 6] = 3000.0  # an eighth: -500
    hu[6:8, 0:2, 0:2] = 151.0
    grid = tissue_grid_of(volume(hu), 4)
    expected = np.zeros((4, 4, 4))
    expected[1, 2, 3], expected[0, 0, 0], expected[3, 0, 0] = 1, 1, 2
    np.testing.assert_array_equal(grid.classes, expected)
    assert grid.affine.tolist() == [[2, 0, 0, -3], [0, 2, 0, -3], [0, 0, 2, -3], [0, 0, 0, 1]]


def test_what_scanners_write_outside_their_field_counts_as_air():
    hu = np.full((8, 8, 8), -8000.0)
    hu[:, :, ::2] = 500.0  # with air: -262
    assert bool((tissue_grid_of(volume(hu), 8 // 2).classes == 1).all())


def test_cells_are_cubes_about_the_middle_of_any_grid():
    hu = np.full((5, 12, 20), 40.0)
    grid = tissue_grid_of(volume(hu, spacing=(1.5, 1.0, 4.0), turn=0.3), 8)
    assert tuple(grid.classes.shape) == (6, 4, 8)  # 20, 12 and 30 mm in cells of 3.75
    inner = torch.zeros(6, 4, 8, dtype=torch.bool)
    inner[1:5, 1:3] = True  # the outer cells stick out: 2/3 filled along z is -315 HU, 0.6 along y is -386
    assert torch.equal(grid.classes == 1, inner)
    axes = grid.affine[:3, :3]
    torch.testing.assert_close(axes.T @ axes, torch.eye(3).double() * 3.75**2)
    middle = grid.affine @ torch.tensor([3.5, 1.5, 2.5, 1.0]).double()
    torch.testing.assert_close(middle[:3], torch.zeros(3).double(), atol=1e-9, rtol=0)


def test_averages_are_those_of_a_plain_sum_over_overlaps():
    hu = np.random.default_rng(0).uniform(-900, 400, (5, 7, 9))
    grid = tissue_grid_of(volume(hu), 4)
    side, expected = 9 / 4, np.zeros(tuple(grid.classes.shape))
    starts = [[(n - c * side) / 2 + side * m for m in range(c)] for n, c in zip(hu.shape, expected.shape, strict=True)]
    for cell in product(*map(range, expected.shape)):
        total = weight = 0.0
        for voxel in product(*map(range, hu.shape)):
            lows = [starts[a][cell[a]] for a in range(3)]
            share = np.prod([max(0, min(lo + side, v + 1) - max(lo, v)) for lo, v in zip(lows, voxel, strict=True)])
            total, weight = total + share * (hu[voxel] + 1024), weight + share
        assert weight <= side**3 + 1e-9
        mean = total / side**3 - 1024  # air outside
        expected[cell] = (mean > -300) + (mean > 150)
    np.testing.assert_array_equal(grid.classes, expected)


def test_a_patient_of_64_cells_takes_less_than_ten_kilobytes_and_comes_back():
    grid = tissue_grid_of(generate_patient(seed=1, region="thorax", settings=PatientSettings(size=64)).volume, 64)
    content, entry = encode_tissue(grid)
    assert len(content) < 10_000
    back = decode_tissue(content, entry, "here")
    assert bool((back.classes == grid.classes).all()) and bool((back.affine == grid.affine).all())
    assert {0, 1, 2} == set(back.classes.unique().tolist())


def packed(classes=None, **edit):
    grid = TissueGrid(torch.ones(2, 3, 5, dtype=torch.uint8) if classes is None else classes, torch.eye(4).double())
    content, entry = encode_tissue(grid)
    return edit.pop("content", content), entry | edit


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        ({"shape": [2, 3]}, "must have a shape of three whole numbers"),
        ({"shape": [2, 3, 5.0]}, "must have a shape of three whole numbers"),
        ({"shape": [True, 3, 5]}, "must have a shape of three whole numbers"),
        ({"shape": [2, 3, 10**9]}, "must have 1 to 256 cells along each side"),
        ({"shape": [0, 3, 5]}, "must have 1 to 256 cells along each side"),
        ({"shape": [2, 3, 6]}, "must hold 36 cells in 9 bytes"),
        ({"affine": [[1, 2], [3, 4]]}, "must have an affine that is finite and invertible"),
        ({"affine": "x"}, "must have an affine that is finite and invertible"),
        ({"affine": np.zeros((4, 4)).tolist()}, "must have an affine that is finite and invertible"),
        ({"affine": np.diag([1.0, 1, 0, 1]).tolist()}, "must have an affine that is finite and invertible"),
        ({"content": b"abc"}, "must be packed by zlib"),
        ({"content": zlib.compress(bytes(10**7))}, "must hold 30 cells in 8 bytes"),
        ({"content": zlib.compress(b"\x55" * 7 + b"\x05")[:-5]}, "must hold 30 cells in 8 bytes"),
        ({"content": zlib.compress(b"\x55" * 7 + b"\x05") + b"more"}, "must hold 30 cells in 8 bytes"),
        ({"content": zlib.compress(b"\xff" * 7 + b"\x05")}, "must hold the classes 0, 1 and 2"),
        ({"content": zlib.compress(b"\x55" * 8)}, "must hold the classes 0, 1 and 2"),
    ],
)
def test_a_damaged_grid_is_refused(edit, sentence):
    content, entry = packed(**edit)
    with pytest.raises(FileError, match=sentence):
        decode_tissue(content, entry, "here")
