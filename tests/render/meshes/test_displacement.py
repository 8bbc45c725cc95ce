"""Tissue inside tools, taken out of a projection."""

from itertools import pairwise

import pytest
import torch
from support.meshes import cuboid, icosphere
from xraykit.render import Camera, InputError, Mesh, Volume, carm_pose, render
from xraykit.render.geometry import rigid_matrix, se3_exp
from xraykit.render.meshes import displaced, thickness, volume_field
from xraykit.render.volumes import Box, Ellipsoid, line_integrals

BACKENDS = ("torch", "numba")
CAMERA = Camera(sdd=600.0, height=17, width=19, pixel_spacing=(4.1, 3.7))
POSE = carm_pose(
    lao_rao=33.0, cra_cau=-21.0, roll=11.0, sod=400.0, isocenter=torch.tensor([1.0, 0, 2], dtype=torch.float64)
)
MOTION = se3_exp(torch.tensor([3.0, -2.0, 5.0, 0.4, -0.7, 0.3], dtype=torch.float64))[None]
METAL = 0.3


def water(size: int = 80, mu: float = 0.02) -> Volume:
    affine = torch.eye(4, dtype=torch.float64)
    affine[:3, 3] = -(size - 1) / 2
    return Volume(torch.full((size,) * 3, mu), affine)


def ramp() -> Volume:
    """mu = 0.02 + 0.001 (x + 2 y - z) around the origin, where trilinear interpolation is exact."""
    at = torch.arange(41, dtype=torch.float64) - 20
    z, y, x = torch.meshgrid(at, at, at, indexing="ij")
    affine = torch.eye(4, dtype=torch.float64)
    affine[:3, 3] = -20.0
    return Volume(0.2 + 0.001 * (x + 2 * y - z), affine)


@pytest.mark.parametrize("backend", BACKENDS)
def test_metal_ball_in_a_water_box_has_its_closed_form(backend: str) -> None:
    """Water box minus water ball plus metal ball, against the exact chords of box and ball."""
    ball = icosphere(11.0, subdivisions=5)
    left = render(water(), CAMERA, POSE, method="siddon") - displaced(water(), [ball], CAMERA, POSE, backend=backend)
    seen = left + METAL * thickness([ball], CAMERA, POSE, backend=backend)
    solids = [Box((80.0, 80.0, 80.0), mu=0.02), Ellipsoid((11.0,) * 3, mu=METAL - 0.02)]
    error = (seen - line_integrals(solids, CAMERA, POSE)).abs()
    # The ball is a polyhedron of 20480 faces: its error is largest at the silhouette.
    assert error.mean() < 1e-4 * METAL * 22 and error.max() < 0.02 * METAL * 22


@pytest.mark.parametrize("backend", BACKENDS)
def test_constant_tissue_gives_its_mu_times_the_path_length(backend: str) -> None:
    box = cuboid((20.0, 34.0, 11.0))
    gone = displaced(water(), [box], CAMERA, POSE, poses=MOTION, backend=backend)
    length = thickness([box], CAMERA, POSE, poses=MOTION, backend=backend)
    assert length.max() > 20 and torch.allclose(gone, 0.02 * length, rtol=1e-6, atol=1e-9)


def test_linear_tissue_is_integrated_exactly_by_any_step() -> None:
    box = cuboid((9.0, 14.0, 11.0))
    coarse, fine = (displaced(ramp(), [box], CAMERA, POSE, poses=MOTION, step=step) for step in (5.0, 0.1))
    assert coarse.max() > 1 and torch.allclose(coarse, fine, rtol=1e-9, atol=1e-12)


def test_curved_tissue_converges_with_the_square_of_the_step() -> None:
    box = cuboid((9.0, 14.0, 11.0))

    def field(points):
        return torch.cos(points[:, :1].T / 4)

    exact = displaced(field, [box], CAMERA, POSE, step=0.02)
    errors = [float((displaced(field, [box], CAMERA, POSE, step=s) - exact).abs().sum()) for s in (2.0, 1.0, 0.5)]
    assert all(3.5 < a / b < 4.7 for a, b in pairwise(errors)), errors


def test_overlapping_tools_displace_tissue_once() -> None:
    one, two = cuboid((20.0, 20.0, 20.0)), cuboid((20.0, 20.0, 20.0))
    shift = rigid_matrix(torch.eye(3).double(), torch.tensor([[0.0, 0, 0], [10.0, 0, 0]]).double())
    union = cuboid((30.0, 20.0, 20.0))
    middle = rigid_matrix(torch.eye(3).double(), torch.tensor([[5.0, 0, 0]]).double())
    both = displaced(ramp(), [one, two], CAMERA, POSE, poses=shift)
    assert torch.allclose(both, displaced(ramp(), [union], CAMERA, POSE, poses=middle), atol=1e-9)
    assert torch.allclose(displaced(ramp(), [one, one], CAMERA, POSE), displaced(ramp(), [one], CAMERA, POSE))


def test_tissue_in_a_cavity_stays() -> None:
    outer, inner = icosphere(12.0), icosphere(7.0)
    hollow = Mesh(torch.cat([outer.vertices, inner.vertices]), torch.cat([outer.faces, inner.faces.flip(1) + 162]))
    parts = [displaced(ramp(), [mesh], CAMERA, POSE) for mesh in (hollow, outer, inner)]
    assert torch.allclose(parts[0], parts[1] - parts[2], atol=2e-5) and parts[2].max() > 2


def test_source_inside_a_tool_displaces_from_the_source_on() -> None:
    box, pose = cuboid((60.0, 74.0, 41.0)), POSE.clone()
    pose[:, :3, 3] = 1.0
    gone = displaced(water(), [box], CAMERA, pose)
    assert gone.min() > 0.1 and torch.allclose(gone, 0.02 * thickness([box], CAMERA, pose), rtol=1e-6)


def test_tool_outside_the_view_displaces_nothing() -> None:
    away = rigid_matrix(torch.eye(3), torch.tensor([[900.0, 0, 0]]))
    gone = displaced(water(), [icosphere(9.0)], CAMERA, POSE, poses=away)
    assert gone.shape == (1, 1, 17, 19) and not gone.any()


def test_field_of_several_materials_and_a_batch_of_views() -> None:
    box = cuboid((20.0, 34.0, 11.0))
    pose = torch.cat([POSE, POSE @ se3_exp(torch.tensor([0.0, 9, 3, 0, 0, 0.5], dtype=torch.float64))])

    def field(points):
        return torch.stack([torch.ones(len(points)), 2 * torch.ones(len(points))])

    gone, length = displaced(field, [box], CAMERA, pose), thickness([box], CAMERA, pose)
    assert torch.allclose(gone, torch.cat([length, 2 * length], dim=1))


def test_result_does_not_depend_on_the_size_of_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    box = cuboid((20.0, 34.0, 11.0))
    parameters = torch.zeros(6, dtype=torch.float64, requires_grad=True)

    def both():
        gone = displaced(ramp(), [box], CAMERA, POSE, poses=se3_exp(parameters)[None])
        return gone.detach(), torch.autograd.grad(gone.sum(), parameters)[0]

    whole = both()
    monkeypatch.setattr("xraykit.render.meshes.displacement._SAMPLES_AT_ONCE", 1000)
    assert all(torch.allclose(a, b, rtol=1e-12, atol=1e-12) for a, b in zip(whole, both(), strict=True))


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_tool_camera_and_tissue_pass_gradcheck(backend: str) -> None:
    camera = Camera(sdd=600.0, height=3, width=3, pixel_spacing=7.0)
    tissue = ramp()
    tool, carm, scale = (torch.zeros(n, dtype=torch.float64, requires_grad=True) for n in (6, 6, 1))

    def image(tool, carm, scale):
        volume = tissue.with_mu(tissue.mu * (1 + scale))
        poses = (MOTION[0] @ se3_exp(tool))[None]
        return displaced(
            volume, [cuboid((9.0, 14.0, 11.0))], camera, POSE @ se3_exp(carm), poses=poses, backend=backend
        )

    assert torch.autograd.gradcheck(image, (tool, carm, scale), atol=1e-5, eps=1e-5)


def test_gradients_add_up_to_the_change_while_samples_come_and_go() -> None:
    """Coarse samples of curved tissue: the mean slope over a move of several steps is the change."""
    camera = Camera(sdd=600.0, height=3, width=3, pixel_spacing=7.0)

    def total(stretch):
        box = cuboid((9.0, 14.0, 11.0))
        box = box.with_vertices(box.vertices.double() * (1 + stretch))
        return displaced(lambda p: torch.cos(p[:, :1].T / 2), [box], camera, POSE, poses=MOTION, step=2.0).sum()

    places = ((torch.arange(200, dtype=torch.float64) + 0.5) / 400).requires_grad_()
    slopes = torch.autograd.grad(sum(total(place) for place in places), places)[0]
    change = float(total(torch.tensor(0.5)) - total(torch.tensor(0.0)))
    assert abs(change) > 1 and float(slopes.mean()) / 2 == pytest.approx(change, rel=1e-3)


def test_volume_field_is_zero_outside_and_mu_at_voxel_centres() -> None:
    volume = ramp()
    seen = volume_field(volume)(torch.tensor([[-20.0, 3.0, 7.0], [100.0, 0, 0]], dtype=torch.float64))
    assert torch.allclose(seen, torch.stack([volume.mu[27, 23, 0], torch.zeros(()).double()])[None])


@pytest.mark.parametrize("step", [0.0, -1.0, float("nan")])
def test_step_must_be_positive(step: float) -> None:
    with pytest.raises(InputError, match="step must be a positive length in mm"):
        displaced(water(), [icosphere(9.0)], CAMERA, POSE, step=step)
