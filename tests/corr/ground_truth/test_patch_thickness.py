"""The thickness of tissue in a patch's beam, against slabs and spheres whose thickness is known."""

import pytest
import torch
from support.corr_truth import F64, camera, oblique_affine, poses
from xraykit.corr.ground_truth import Support, image_projection, patch_thickness
from xraykit.render import Camera, GeometryError, InputError, carm_pose

GRID = 12


def block(shape, affine, *, weight=None):
    cells = torch.cartesian_prod(*(torch.arange(size) for size in shape))
    weights = None if weight is None else torch.full((len(cells),), weight)
    return Support(cells, affine, shape, weights)


def test_every_beam_through_a_slab_has_its_thickness():
    affine = torch.diag(torch.tensor([4.0, 4.0, 2.5, 1.0], dtype=F64))
    affine[:3, 3] = torch.tensor([-158.0, -158.0, -23.75])  # 320 x 320 x 50 mm about the origin
    view = Camera(1000.0, height=60, width=90, pixel_spacing=(3.0, 2.0), principal_point=(50.0, 25.0))
    pose = torch.eye(4, dtype=F64)
    pose[:3, :3] = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    pose[:3, 3] = torch.tensor([0.0, 0.0, 800.0])
    found = patch_thickness(block((80, 80, 20), affine), image_projection(view, pose), grid=GRID)
    assert found.shape == (1, GRID**2)
    torch.testing.assert_close(found, torch.full_like(found, 50.0), rtol=1e-4, atol=0)
    half = patch_thickness(block((80, 80, 20), affine, weight=0.5), image_projection(view, pose), grid=GRID)
    torch.testing.assert_close(half, found / 2)


def test_a_sphere_seen_from_anywhere_has_its_chords():
    radius, cells, edge = 45.0, 50, 2.0
    affine = oblique_affine(cells, edge)
    center = torch.tensor([12.0, -34.0, 560.0], dtype=F64)
    whole = block((cells,) * 3, affine)
    support = Support(whole.cells[(whole.points - center).norm(dim=1) < radius], affine, (cells,) * 3)
    views = poses(3)
    projections = image_projection(camera(zoom=1.5), views)
    found = patch_thickness(support, projections, grid=GRID)
    fine = GRID * 8  # chords of many rays a patch, along the axis of the view
    place = (torch.arange(fine, dtype=F64) + 0.5) / fine
    xy = torch.stack([*torch.meshgrid(place, place, indexing="xy"), torch.ones(fine, fine, dtype=F64)], -1)
    for view, projection in enumerate(projections):
        ray = torch.linalg.solve(projection[:, :3], xy.flatten(0, 1).mT).mT  # of depth 1
        source = -torch.linalg.solve(projection[:, :3], projection[:, 3])
        a, b = ray.square().sum(1), (ray @ (source - center))
        inside = b.square() - a * ((source - center).square().sum() - radius**2)
        chord = 2 * inside.clamp(min=0).sqrt() / a
        wanted = chord.view(GRID, 8, GRID, 8).mean((1, 3)).flatten()
        assert float(wanted.max()) > 60
        assert float((found[view].double() - wanted).abs().max()) < 2.0
        assert float(found[view].double().mean()) == pytest.approx(float(wanted.mean()), rel=0.01)


def test_what_no_patch_can_be_asked_is_refused():
    support = block((4, 4, 4), oblique_affine(4, 10.0))
    with pytest.raises(InputError, match="grid must be a whole number of patches per side from 1 to 128, got 0"):
        patch_thickness(support, image_projection(camera(), poses(1)), grid=0)
    behind = carm_pose(lao_rao=0.0, sod=800.0, isocenter=(12.0, -34.0 - 900.0, 560.0))
    with pytest.raises(GeometryError, match="in front of the source"):
        patch_thickness(support, torch.cat([image_projection(camera(), p) for p in (behind, _turned(behind))]))


def _turned(pose):
    other = pose.clone()
    other[..., :3, 1:3] *= -1
    return other
