"""The isosurface lies where the threshold is, is closed, faces outward, and keeps to its budget."""

import numpy as np
import pytest
import torch
import trimesh
from support.scenes import oblique_affine
from xraykit.render import InputError, Volume
from xraykit.render.viewer.isosurface import hounsfield, isosurface

RADIUS = 22.0


def distances(affine: torch.Tensor, shape: tuple[int, int, int], center: torch.Tensor) -> torch.Tensor:
    depth, height, width = shape
    k, j, i = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (depth, height, width)), indexing="ij")
    points = torch.stack([i, j, k], dim=-1) @ affine[:3, :3].T + affine[:3, 3]
    return (points - center).norm(dim=-1)


def ball(affine: torch.Tensor, shape: tuple[int, int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Values that fall by 10 a millimetre outward, 0 at RADIUS from the middle of the grid."""
    depth, height, width = shape
    middle = affine.new_tensor([width - 1, height - 1, depth - 1]) / 2
    center = affine[:3, :3] @ middle + affine[:3, 3]
    return 10 * (RADIUS - distances(affine, shape, center)), center


def as_mesh(surface) -> trimesh.Trimesh:
    return trimesh.Trimesh(surface.vertices, surface.faces, process=False)


GRIDS = {
    "RAS": (torch.diag(torch.tensor([1.0, 1.0, 1.0, 1.0], dtype=torch.float64)), (56, 58, 60)),
    "LAS, thick slices": (torch.diag(torch.tensor([-0.8, 0.8, 3.0, 1.0], dtype=torch.float64)), (20, 70, 72)),
    "sheared, left-handed": (oblique_affine(), (36, 60, 58)),
}


@pytest.fixture(params=GRIDS, scope="module")
def sphere(request):
    affine, shape = GRIDS[request.param]
    values, center = ball(affine, shape)
    return isosurface(values, affine, threshold=0.0), center.numpy()


def test_vertices_of_a_sphere_lie_at_its_radius(sphere):
    surface, center = sphere
    off = np.linalg.norm(surface.vertices - center, axis=1) - RADIUS
    assert np.abs(off).max() < 0.35  # worst 0.29 mm on 3 mm slices, where a cell's mean point cuts the curve
    assert abs(off.mean()) < 0.1


def test_sphere_is_closed_and_faces_outward(sphere):
    surface, center = sphere
    mesh = as_mesh(surface)
    assert mesh.is_watertight
    assert mesh.euler_number == 2
    assert np.einsum("ij,ij->i", mesh.face_normals, mesh.triangles_center - center).min() > 0
    assert mesh.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.02)


def test_what_the_volume_cuts_off_is_closed_at_its_rim():
    values = torch.full((6, 7, 8), 50.0)
    affine = torch.diag(torch.tensor([2.0, 3.0, 4.0, 1.0], dtype=torch.float64))
    mesh = as_mesh(isosurface(values, affine, threshold=0.0))
    assert mesh.is_watertight
    assert mesh.volume > 0
    low, high = mesh.bounds
    assert np.all(low > np.array([-2.0, -3.0, -4.0])) and np.all(high < np.array([16.0, 21.0, 24.0]))


def test_triangles_keep_to_the_budget_and_the_shape_survives():
    affine, shape = GRIDS["RAS"]
    values, center = ball(affine, shape)
    fine, coarse = (isosurface(values, affine, threshold=0.0, triangles=n) for n in (50_000, 1500))
    assert len(coarse.faces) <= 1500 < len(fine.faces) <= 50_000
    assert coarse.spacing > fine.spacing
    off = np.linalg.norm(coarse.vertices - center.numpy(), axis=1) - RADIUS
    assert np.abs(off).max() < 0.15 * coarse.spacing


def test_noise_is_closed_too_and_bounded():
    values = torch.rand((30, 31, 32), generator=torch.Generator().manual_seed(3))
    surface = isosurface(values, torch.eye(4, dtype=torch.float64), threshold=0.5, triangles=4000)
    edges = np.sort(surface.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert len(surface.faces) <= 4000
    assert np.all(np.unique(edges, axis=0, return_counts=True)[1] % 2 == 0)


def test_nothing_above_the_threshold_gives_no_triangles():
    surface = isosurface(torch.zeros(5, 5, 5), torch.eye(4, dtype=torch.float64), threshold=1.0)
    assert surface.vertices.shape == (0, 3)
    assert surface.faces.shape == (0, 3)


def test_too_small_a_budget_is_refused():
    with pytest.raises(InputError, match="at least 100 triangles"):
        isosurface(torch.zeros(5, 5, 5), torch.eye(4, dtype=torch.float64), threshold=1.0, triangles=10)


def test_volume_without_hounsfield_numbers_gets_them_from_its_attenuation():
    hu = torch.tensor([[[-1000.0, -500.0, 0.0, 400.0]]])
    volume = Volume.from_hu(hu, torch.eye(4, dtype=torch.float64))
    bare = Volume(volume.mu, volume.affine)
    assert torch.allclose(hounsfield(bare), hu, atol=0.5)
    assert torch.allclose(hounsfield(bare.stored_as(torch.int16)), hu, atol=0.5)
    assert hounsfield(volume) is volume.hu
