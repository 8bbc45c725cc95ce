"""The projectors against closed forms, at their order of convergence, and in the properties that they promise."""

import math

import pytest
import torch
from support.grids import each_once
from support.scenes import METHODS, gaussian_blob, gaussian_line_integrals, random_scene
from torch.autograd import gradcheck
from xraykit.render import Camera, Volume, carm_pose, label_masks, render
from xraykit.render.geometry import project, se3_exp
from xraykit.render.rendering import label_bits
from xraykit.render.volumes.phantom import Box, Cylinder, Ellipsoid, line_integrals, voxelise

BACKENDS = ("torch", "numba")


def cube(size: int = 16, value: float = 0.02) -> Volume:
    """A homogeneous cube of 2 mm voxels around the origin."""
    affine = torch.diag(torch.tensor([2.0, 2.0, 2.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = -(size - 1.0)
    return Volume(torch.full((size, size, size), value), affine)


CAMERA = Camera(sdd=1020.0, height=21, width=24, pixel_spacing=2.5)
POSE = carm_pose(lao_rao=31.0, cra_cau=-12.0, roll=5.0, sod=850.0, isocenter=(0.3, -0.2, 0.1))


@pytest.mark.parametrize("backend", BACKENDS)
def test_siddon_of_a_box_equals_its_chords_in_every_pixel(backend):
    exact = line_integrals([Box(center=(0.0, 0.0, 0.0), size=(32.0, 32.0, 32.0), mu=0.02)], CAMERA, POSE)
    image = render(cube(), CAMERA, POSE, method="siddon", backend=backend)
    assert (image - exact).abs().max() <= 1e-5 * exact.max()
    assert ((image > 0) == (exact > 0)).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_ray_through_the_centre_of_a_cube_has_the_length_of_its_edge(method, backend):
    camera = Camera(sdd=1000.0, height=1, width=1, pixel_spacing=1.0)
    pose = carm_pose(sod=700.0, isocenter=(0.1, 0.0, 0.1))
    image = render(cube(), camera, pose, method=method, samples=4000, backend=backend)
    assert image.item() == pytest.approx(32 * 0.02, rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "solid",
    [
        Ellipsoid(center=(1.0, -2.0, 3.0), radii=(14.0, 9.0, 11.0), mu=0.02),
        Cylinder(center=(-1.0, 2.0, 0.5), radius=8.0, length=26.0, mu=0.02),
    ],
    ids=["ellipsoid", "cylinder"],
)
def test_voxelised_solids_approach_their_closed_form(solid, method):
    exact = line_integrals([solid], CAMERA, POSE)
    errors = []
    for spacing in (2.0, 1.0):
        volume = voxelise([solid], spacing=spacing)
        image = render(volume, CAMERA, POSE, method=method, samples=200)
        errors.append(float((image - exact).abs().mean() / exact.max()))
    assert errors[0] < 0.01
    assert errors[1] < 0.6 * errors[0]


@pytest.mark.parametrize("method", ["trilinear", "joseph"])
def test_interpolating_projectors_are_of_second_order_in_the_voxel_size(method):
    camera = Camera(sdd=1020.0, height=8, width=8, pixel_spacing=3.0)
    exact = gaussian_line_integrals(camera, POSE)
    errors = [
        float((render(gaussian_blob(h), camera, POSE, method=method, samples=800, backend="torch") - exact).abs().max())
        for h in (4.0, 2.0, 1.0)
    ]
    assert errors[0] / errors[1] == pytest.approx(4.0, abs=0.5)
    assert errors[1] / errors[2] == pytest.approx(4.0, abs=0.5)


def test_siddon_is_of_second_order_in_the_voxel_size_where_mu_is_smooth():
    camera = Camera(sdd=1020.0, height=8, width=8, pixel_spacing=3.0)
    exact = gaussian_line_integrals(camera, POSE)
    errors = [
        float((render(gaussian_blob(h), camera, POSE, method="siddon", backend="torch") - exact).abs().mean())
        for h in (4.0, 1.0)
    ]
    assert errors[1] < errors[0] / 8


def test_midpoint_sampling_is_of_second_order_in_the_step():
    volume, camera, pose = random_scene(dtype=torch.float64)
    smooth = torch.nn.functional.avg_pool3d(volume.mu[None, None], 3, stride=1, padding=1)[0, 0]
    volume = volume.with_mu(smooth)
    fine = render(volume, camera, pose, samples=16000, backend="torch")
    error = [float((render(volume, camera, pose, samples=n, backend="torch") - fine).abs().mean()) for n in (200, 800)]
    assert error[0] / error[1] == pytest.approx(16.0, rel=0.35)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
def test_a_beads_image_is_where_the_bead_projects(method, backend):
    volume = gaussian_blob(1.0, sigma=2.0, extent=24.0)
    volume = volume.with_mu(volume.mu.float())
    camera = Camera(sdd=1020.0, height=40, width=44, pixel_spacing=(0.8, 0.7), principal_point=(20.3, 21.9))
    bead = torch.tensor([[1.1, -0.7, 0.4]], dtype=torch.float64)
    image = render(volume, camera, POSE, method=method, samples=300, backend=backend)[0, 0].double()
    u = torch.arange(camera.width, dtype=torch.float64) + 0.5
    v = torch.arange(camera.height, dtype=torch.float64) + 0.5
    centroid = torch.stack([(image.sum(0) * u).sum(), (image.sum(1) * v).sum()]) / image.sum()
    assert (centroid - project(bead, camera, POSE).uv.reshape(2)).norm() < 0.05


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
def test_backprojection_is_the_adjoint_of_projection(method, backend):
    volume, camera, pose = random_scene(views=2, dtype=torch.float64 if backend == "torch" else torch.float32)
    x = volume.mu.clone().requires_grad_()
    image = render(volume.with_mu(x), camera, pose, method=method, samples=40, backend=backend)
    y = torch.rand(image.shape, dtype=image.dtype, generator=torch.Generator().manual_seed(1))
    (transposed,) = torch.autograd.grad(image, x, y)
    left, right = float((image.detach().double() * y).sum()), float((x.detach().double() * transposed).sum())
    assert left == pytest.approx(right, rel=1e-12 if backend == "torch" else 1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("labels", [None, "hard", "soft"])
@pytest.mark.parametrize("method", METHODS)
def test_a_batch_equals_its_loop_bitwise(method, labels, backend):
    volume, camera, pose = random_scene(views=3)
    options = {"method": method, "samples": 37, "labels": labels, "backend": backend}
    together = render(volume, camera, pose, **options)
    alone = torch.cat([render(volume, camera, p, **options) for p in pose])
    assert torch.equal(together, alone)


@pytest.mark.parametrize("method, labels", each_once(METHODS, [None, "hard", "soft"]))
def test_chunks_do_not_change_a_bit(method, labels):
    volume, camera, pose = random_scene(views=2)
    options = {"method": method, "samples": 70, "labels": labels, "backend": "torch"}
    whole = render(volume, camera, pose, **options)
    for chunk in (1, 5, 64):
        assert torch.equal(render(volume, camera, pose, chunk=chunk, **options), whole)


def test_chunks_do_not_change_gradients():
    volume, camera, pose = random_scene(dtype=torch.float64)
    pose.requires_grad_()
    grads = [
        torch.autograd.grad(render(volume, camera, pose, backend="torch", samples=30, chunk=n).sin().sum(), pose)[0]
        for n in (None, 11)
    ]
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-12, atol=1e-12)


def test_numba_gives_the_same_bits_on_one_thread_and_on_two():
    volume, camera, pose = random_scene(views=2)
    x = volume.mu.clone().requires_grad_()
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            image = render(volume.with_mu(x), camera, pose, backend="numba", labels="soft", samples=30)
            results.append((image.detach(), torch.autograd.grad(image.square().sum(), x)[0]))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("method", METHODS)
def test_several_volumes_give_each_pose_its_own(method):
    first, camera, pose = random_scene(views=2)
    second = random_scene(seed=5, shape=(11, 8, 7)).volume
    images = render([first, second], camera, pose, method=method, samples=30)
    torch.testing.assert_close(images[:1], render(first, camera, pose[:1], method=method, samples=30), rtol=0, atol=0)
    torch.testing.assert_close(images[1:], render(second, camera, pose[1:], method=method, samples=30), rtol=0, atol=0)


def test_cameras_of_a_batch_give_each_pose_its_own():
    volume, camera, pose = random_scene(views=2)
    sdd = torch.tensor([103.0, 140.0], dtype=torch.float64)
    both = render(volume, Camera(sdd=sdd, height=7, width=9, pixel_spacing=3.0), pose)
    for n in range(2):
        one = render(volume, Camera(sdd=float(sdd[n]), height=7, width=9, pixel_spacing=3.0), pose[n])
        torch.testing.assert_close(both[n : n + 1], one, rtol=0, atol=0)
    assert camera.height == 7


@pytest.mark.parametrize("method", METHODS)
def test_projection_is_linear_in_mu(method):
    volume, camera, pose = random_scene(dtype=torch.float64)
    other = torch.rand_like(volume.mu)
    a, b, both = (
        render(volume.with_mu(mu), camera, pose, method=method, backend="torch", samples=25)
        for mu in (volume.mu, other, 2 * volume.mu - 3 * other)
    )
    torch.testing.assert_close(both, 2 * a - 3 * b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_turning_camera_and_patient_together_changes_nothing(method):
    volume, camera, pose = random_scene(dtype=torch.float64)
    motion = se3_exp(torch.tensor([10.0, -20.0, 5.0, 0.4, -0.9, 0.3], dtype=torch.float64))
    moved = Volume(volume.mu, motion @ volume.affine)
    options = {"method": method, "backend": "torch", "samples": 50}
    torch.testing.assert_close(
        render(moved, camera, motion @ pose, **options), render(volume, camera, pose, **options), rtol=1e-8, atol=1e-9
    )


@pytest.mark.parametrize("method", METHODS)
def test_thin_volumes_of_one_layer_are_projected(method):
    affine = torch.eye(4, dtype=torch.float64)
    volume = Volume(torch.rand(1, 6, 7, generator=torch.Generator().manual_seed(0)), affine)
    camera = Camera(sdd=60.0, height=6, width=7, pixel_spacing=2.0)
    pose = carm_pose(lao_rao=12.0, cra_cau=40.0, sod=40.0, isocenter=volume.center + 0.1)
    images = [render(volume, camera, pose, method=method, samples=80, backend=b) for b in BACKENDS]
    assert images[0].max() > 0
    torch.testing.assert_close(*images, rtol=1e-4, atol=1e-5)


INPUTS = ("mu", "motion", "sdd", "pixel_spacing", "principal_point", "affine")


@pytest.mark.parametrize("labels", [None, "soft"])
@pytest.mark.parametrize("wanted, method", each_once(INPUTS, METHODS))
def test_gradcheck_of_every_differentiable_input(method, labels, wanted):
    volume, _, pose = random_scene(shape=(3, 4, 5), dtype=torch.float64)
    values = {
        "mu": volume.mu,
        "motion": torch.tensor([0.3, -0.2, 0.1, 0.02, -0.03, 0.01], dtype=torch.float64),
        "sdd": torch.tensor(103.0, dtype=torch.float64),
        "pixel_spacing": torch.tensor([3.1, 2.7], dtype=torch.float64),
        "principal_point": torch.tensor([1.6, 1.3], dtype=torch.float64),
        "affine": volume.affine[:3],
    }
    value = values[wanted].clone().requires_grad_()

    def image(x):
        now = values | {wanted: x}
        affine = torch.cat([now["affine"], torch.tensor([[0.0, 0.0, 0.0, 1.0]], dtype=torch.float64)])
        seen = Camera(
            sdd=now["sdd"],
            height=2,
            width=3,
            pixel_spacing=now["pixel_spacing"],
            principal_point=now["principal_point"],
        )
        moved = Volume(now["mu"], affine, labels=volume.labels)
        return render(
            moved, seen, pose @ se3_exp(now["motion"]), method=method, labels=labels, samples=9, backend="torch"
        )

    assert image(values[wanted]).max() > 0
    assert gradcheck(image, value, eps=1e-6, atol=1e-5, rtol=1e-4)


def test_gradients_reach_non_contiguous_and_expanded_inputs():
    volume, camera, pose = random_scene(dtype=torch.float64)
    grads = []
    for mu in (volume.mu, volume.mu.transpose(0, 2).contiguous().transpose(0, 2)):
        motion = torch.zeros(6, dtype=torch.float64, requires_grad=True)
        poses = (pose @ se3_exp(motion)).expand(2, 4, 4)
        render(volume.with_mu(mu), camera, poses, backend="torch", samples=20).square().sum().backward()
        grads.append(motion.grad)
    assert grads[0].abs().max() > 0
    torch.testing.assert_close(grads[0], grads[1])


@pytest.mark.parametrize("labels", ["hard", "soft"])
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
def test_label_channels_add_up_to_the_image(method, backend, labels):
    volume, camera, pose = random_scene(views=2)
    image = render(volume, camera, pose, method=method, samples=60, backend=backend)
    channels = render(volume, camera, pose, method=method, samples=60, backend=backend, labels=labels)
    assert channels.shape == (2, 3, 7, 9)
    torch.testing.assert_close(channels.sum(1, keepdim=True), image, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("method", METHODS)
def test_soft_channels_are_projections_of_the_masked_volume(method, backend):
    volume, camera, pose = random_scene()
    channels = render(volume, camera, pose, method=method, samples=60, backend=backend, labels="soft")
    for label in range(3):
        masked = volume.with_mu(volume.mu * (volume.labels == label))
        alone = render(masked, camera, pose, method=method, samples=60, backend=backend)
        torch.testing.assert_close(channels[:, label], alone[:, 0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_masks_are_where_siddon_meets_the_label(backend):
    volume, camera, pose = random_scene(views=2)
    volume = Volume(torch.ones_like(volume.mu), volume.affine, labels=(volume.labels == 2).to(torch.int16) * 70)
    masks = label_masks(volume, camera, pose, backend=backend)
    channels = render(volume, camera, pose, method="siddon", labels="hard", backend=backend)
    assert masks.shape == (2, 71, 7, 9)
    assert torch.equal(masks, channels > 0)
    assert masks[:, 70].any() and not masks[:, 1:70].any()
    assert label_bits(volume, camera, pose, backend=backend).shape == (2, 3, 7, 9)


def test_a_mask_of_bit_31_survives_the_sign():
    volume, camera, pose = random_scene()
    volume = Volume(volume.mu, volume.affine, labels=torch.full(volume.shape, 31, dtype=torch.int32))
    for backend in BACKENDS:
        masks = label_masks(volume, camera, pose, backend=backend)
        assert masks[:, 31].any() and not masks[:, :31].any()


def test_longer_rays_are_not_shorter_than_the_box_diagonal_allows():
    volume = cube(value=1.0)
    image = render(volume, CAMERA, POSE, method="siddon")
    assert image.max() <= 32 * math.sqrt(3)
