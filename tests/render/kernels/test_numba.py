"""The numba kernels against the torch truth, and as custom ops."""

import subprocess
import sys

import pytest
import torch
from support.grids import each_once
from support.op_promises import QUICK, TRACED
from support.scenes import METHODS, random_scene
from xraykit.render import Camera, InputError, Volume, carm_pose, render
from xraykit.render.geometry import se3_exp
from xraykit.render.geometry.rays import voxel_rays
from xraykit.render.kernels import ops
from xraykit.render.rendering import label_bits

pytest.importorskip("numba", reason="needs numba")
FORWARD, GRADIENT = 1e-4, 1e-3


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a.double() - b.double()).abs().max() / b.abs().max())


def image_and_gradients(scene, *, backend, method, labels, samples=33):
    volume, camera, pose = scene
    mu = volume.mu.clone().requires_grad_()
    motion = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    sdd = torch.tensor(float(camera.sdd), dtype=torch.float64, requires_grad=True)
    seen = Camera(sdd=sdd, height=camera.height, width=camera.width, pixel_spacing=camera.pixel_spacing)
    image = render(
        volume.with_mu(mu), seen, pose @ se3_exp(motion), method=method, labels=labels, samples=samples, backend=backend
    )
    weight = torch.rand(image.shape, generator=torch.Generator().manual_seed(3))
    return image.detach(), *torch.autograd.grad((image * weight).sum(), (mu, motion, sdd))


@pytest.mark.parametrize("labels", [None, "hard", "soft"])
@pytest.mark.parametrize("method", METHODS)
def test_image_and_every_gradient_agree_with_torch(method, labels):
    scene = random_scene(views=3)
    truth = image_and_gradients(scene, backend="torch", method=method, labels=labels)
    fast = image_and_gradients(scene, backend="numba", method=method, labels=labels)
    assert relative(fast[0], truth[0]) < FORWARD
    for a, b in zip(fast[1:], truth[1:], strict=True):
        assert relative(a, b) < GRADIENT


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("angles", [(0.0, 0.0), (90.0, 0.0), (0.0, 90.0), (180.0, 45.0)])
def test_views_along_the_grid_agree_with_torch(angles, method):
    generator = torch.Generator().manual_seed(0)
    volume = Volume(torch.rand(9, 11, 10, generator=generator), torch.eye(4, dtype=torch.float64))
    pose = carm_pose(lao_rao=angles[0], cra_cau=angles[1], sod=60.0, isocenter=volume.center + 0.13)
    camera = Camera(sdd=100.0, height=40, width=6, pixel_spacing=(1.3, 2.9))  # tall: many rays miss
    scene = (volume, camera, pose)
    truth = image_and_gradients(scene, backend="torch", method=method, labels=None)
    fast = image_and_gradients(scene, backend="numba", method=method, labels=None)
    assert (truth[0] == 0).any()
    assert relative(fast[0], truth[0]) < FORWARD
    for a, b in zip(fast[1:], truth[1:], strict=True):
        assert relative(a, b) < GRADIENT


@pytest.mark.parametrize("method", METHODS)
def test_a_source_inside_the_volume_agrees_with_torch(method):
    volume, camera, _ = random_scene()
    pose = carm_pose(lao_rao=20.0, sod=1.0, isocenter=volume.center)
    images = [render(volume, camera, pose, method=method, samples=40, backend=b) for b in ("numba", "torch")]
    assert relative(*images) < FORWARD


@pytest.mark.parametrize("method, storage", each_once(METHODS, [torch.float16, torch.bfloat16, torch.int16]))
def test_narrow_storage_is_read_as_torch_reads_it(method, storage):
    volume, camera, pose = random_scene(views=2)
    narrow = volume.stored_as(storage)
    motion = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    results = []
    for backend in ("numba", "torch"):
        image = render(narrow, camera, pose @ se3_exp(motion), method=method, samples=33, backend=backend)
        results.append((image.detach(), torch.autograd.grad(image.square().sum(), motion)[0]))
    assert relative(results[0][0], results[1][0]) < FORWARD
    assert relative(results[0][1], results[1][1]) < GRADIENT
    exact = render(volume, camera, pose, method=method, samples=33)
    assert relative(results[0][0], exact) < {torch.float16: 1e-3, torch.bfloat16: 1e-2, torch.int16: 1e-4}[storage]


@pytest.mark.parametrize("storage", [pytest.param(torch.float16, marks=pytest.mark.slow), torch.bfloat16])
def test_half_precision_voxels_have_a_gradient_of_their_own_type(storage):
    volume, camera, pose = random_scene()
    mu = volume.mu.to(storage).requires_grad_()
    render(volume.with_mu(mu), camera, pose, samples=20, backend="numba").sum().backward()
    assert mu.grad.dtype == storage and mu.grad.abs().max() > 0


@pytest.mark.parametrize("labels", [None, "soft"])
@pytest.mark.parametrize("method", METHODS)
def test_padded_rows_change_nothing(method, labels):
    volume, camera, pose = random_scene()
    depth, height, width = volume.shape
    wide = torch.zeros(depth, height + 1, width + 5)
    wide[:, :height, :width] = volume.mu
    options = {"method": method, "labels": labels, "samples": 30, "backend": "numba"}
    padded = render(volume.with_mu(wide[:, :height, :width]), camera, pose, **options)
    assert torch.equal(padded, render(volume, camera, pose, **options))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
def test_label_maps_of_any_integer_type_give_the_same_masks(dtype):
    volume, camera, pose = random_scene()
    typed = Volume(volume.mu, volume.affine, labels=volume.labels.to(dtype))
    options = {"camera": camera, "pose": pose}
    assert torch.equal(label_bits(typed, backend="numba", **options), label_bits(volume, backend="torch", **options))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # opcheck's own look
@pytest.mark.parametrize("promises", [QUICK, pytest.param(TRACED, marks=pytest.mark.slow)])
@pytest.mark.parametrize("jacobian", [False, True])
def test_the_op_keeps_its_promises_to_torch(jacobian, promises):
    volume, camera, pose = random_scene()
    rays = voxel_rays(camera, pose, volume.affine)[0].requires_grad_()
    mu = volume.mu.clone().requires_grad_()
    arguments = (mu, None, rays, "numba", "trilinear", camera.height, camera.width, 20, 1, False, jacobian)
    torch.library.opcheck(ops.project, arguments, test_utils=promises)


def test_labels_op_keeps_its_promises_to_torch():
    volume, camera, pose = random_scene()
    rays = voxel_rays(camera, pose, volume.affine)[0]
    torch.library.opcheck(ops.label_bits, (volume.labels, rays, "numba", camera.height, camera.width, 1))


@pytest.mark.filterwarnings("ignore:Guards may run slower on Python 3.13.0")
def test_torch_compile_passes_through_in_one_graph():
    volume, camera, pose = random_scene()

    def loss(motion):
        image = render(volume, camera, pose @ se3_exp(motion), samples=20, backend="numba")
        return image.square().sum()

    motion = torch.tensor([0.1, 0.2, 0.0, 0.01, 0.02, 0.0], dtype=torch.float64, requires_grad=True)
    eager = torch.autograd.grad(loss(motion), motion)[0]
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(torch.autograd.grad(compiled(motion), motion)[0], eager)


@pytest.mark.filterwarnings("ignore:no ray meets any attenuating voxel")  # true of the outer face
def test_rays_that_graze_a_face_stay_finite_and_bounded():
    volume = Volume(torch.ones(4, 4, 4), torch.eye(4, dtype=torch.float64))
    camera = Camera(sdd=20.0, height=1, width=1, pixel_spacing=1.0)
    for offset in (-0.5, 0.5, 3.5, 1.5):  # source and pixel in the plane between voxels, or on the outer face
        pose = carm_pose(sod=10.0, isocenter=(offset, 1.5, offset))
        for method in METHODS:
            image = render(volume, camera, pose, method=method, samples=50, backend="numba")
            assert 0 <= image.item() <= 4.001


@pytest.mark.parametrize("labels", [None, "soft"])
@pytest.mark.parametrize("wanted", ["pose", "mu"])
def test_a_second_derivative_is_refused_rather_than_wrong(labels, wanted):
    volume, camera, pose = random_scene()
    leaf = (pose if wanted == "pose" else volume.mu).clone().requires_grad_()
    seen = (volume, leaf) if wanted == "pose" else (volume.with_mu(leaf), pose)
    image = render(seen[0], camera, seen[1], labels=labels, samples=20, backend="numba")
    (first,) = torch.autograd.grad(image.square().sum(), leaf, create_graph=True)
    with pytest.raises(InputError, match="differentiate once"):
        first.square().sum().backward()


@pytest.mark.slow
def test_kernels_compile_where_nothing_can_be_kept_on_disk():
    program = """
from numba.core import caching
caching.CacheImpl._locator_classes = []
import torch
from xraykit.render import Camera, Volume, carm_pose, render
volume = Volume(torch.ones(6, 6, 6), torch.eye(4))
camera, pose = Camera(sdd=60.0, height=2, width=2), carm_pose(sod=40.0, isocenter=volume.center)
print(float(render(volume, camera, pose, method="siddon", backend="numba").max()) > 3)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True", done.stderr
