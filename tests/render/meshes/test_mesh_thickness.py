"""Path lengths through meshes: closed forms first, then edges, order, parity and gradients."""

import math
from itertools import pairwise

import pytest
import torch
from support.meshes import convex_chord, cuboid, icosphere, prism
from support.motions import random_rotations
from support.op_promises import QUICK
from xraykit.render import BackendUnavailableError, Camera, GeometryError, InputError, Mesh, carm_pose, instrument
from xraykit.render.geometry import rigid_matrix, rotation_about, se3_exp
from xraykit.render.kernels import mesh_ops
from xraykit.render.meshes import thickness
from xraykit.render.meshes.mesh_thickness import see_meshes
from xraykit.render.volumes import Box, Cylinder, Ellipsoid, line_integrals

BACKENDS = ("torch", "numba")
CAMERA = Camera(sdd=600.0, height=23, width=31, pixel_spacing=(3.1, 2.7), principal_point=(14.2, 12.6))
MOTION = se3_exp(torch.tensor([3.0, -2.0, 5.0, 0.4, -0.7, 0.3], dtype=torch.float64))


def view(sod: float = 400.0, lao: float = 33.0) -> torch.Tensor:
    isocenter = torch.tensor([1.3, 0.4, 2.1], dtype=torch.float64)
    return carm_pose(lao_rao=lao, cra_cau=-21.0, roll=11.0, sod=sod, isocenter=isocenter)


def placed(count: int, *, seed: int) -> torch.Tensor:
    return rigid_matrix(
        random_rotations(count, seed=seed), torch.linspace(-9.0, 9.0, 3 * count).double().reshape(-1, 3)
    )


def closed_form(solid, camera=CAMERA, pose=None) -> torch.Tensor:
    return line_integrals([solid], camera, view() if pose is None else pose)


@pytest.mark.parametrize("backend", BACKENDS)
def test_tilted_box_has_its_exact_chords(backend: str) -> None:
    size = (20.0, 34.0, 11.0)
    seen = thickness([cuboid(size)], CAMERA, view(), poses=MOTION[None], backend=backend)
    expected = closed_form(Box(size, mu=1.0, center=MOTION[:3, 3], rotation=MOTION[:3, :3]))
    assert seen.dtype == torch.float64 and expected.max() > 20
    assert torch.allclose(seen, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("backend", BACKENDS)
def test_convex_polyhedra_have_their_exact_chords(backend: str) -> None:
    for mesh in (icosphere(17.0), prism(9.0, 40.0, sides=50)):
        seen = thickness([mesh], CAMERA, view(), poses=MOTION[None], backend=backend)[:, 0]
        expected = convex_chord(mesh, MOTION, CAMERA, view())
        assert expected.max() > 17 and torch.allclose(seen, expected, rtol=0, atol=1e-10)


def test_fine_cylinder_is_within_1e_4_of_its_size() -> None:
    radius, length = 8.0, 60.0
    seen = thickness([prism(radius, length, sides=4096)], CAMERA, view(), poses=MOTION[None])
    solid = Cylinder(radius, length, mu=1.0, center=MOTION[:3, 3], rotation=MOTION[:3, :3])
    assert (seen - closed_form(solid)).abs().max() < 1e-4 * length


def test_sphere_converges_with_the_square_of_the_edge() -> None:
    exact = closed_form(Ellipsoid((17.0,) * 3, mu=1.0))
    errors = []
    for subdivisions in (2, 3, 4, 5):
        mesh = icosphere(17.0, subdivisions=subdivisions)
        errors.append(float((thickness([mesh], CAMERA, view()) - exact).abs().mean()))
    orders = [math.log2(a / b) for a, b in pairwise(errors)]
    assert all(1.8 < order < 2.2 for order in orders), (errors, orders)


@pytest.mark.parametrize("backend", BACKENDS)
def test_rays_aimed_at_every_vertex_and_edge_have_no_cracks(backend: str) -> None:
    mesh = icosphere(20.0)
    edges = torch.cat([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    edges = edges[edges[:, 0] < edges[:, 1]]
    targets = torch.cat([mesh.vertices, mesh.vertices[edges].mean(dim=1)])
    pose = view().expand(len(targets), -1, -1)
    local = (targets - pose[0, :3, 3]) @ pose[0, :3, :3]
    # One pixel whose centre (1/2, 1/2) lies where the target is seen.
    point = 0.5 - local[:, :2] / local[:, 2:] * 600.0
    camera = Camera(sdd=600.0, height=1, width=1, principal_point=point)
    seen = thickness([mesh], camera, pose, backend=backend)[:, 0]
    assert torch.allclose(seen, convex_chord(mesh, torch.eye(4).double(), camera, pose), rtol=0, atol=1e-6)
    assert len(targets) == 162 + 480 and seen.max() > 39


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(4))
def test_rays_exactly_through_lattice_vertices_count_once(backend: str, seed: int) -> None:
    """A frustum whose front and back vertices all lie on rays, in numbers that floats hold exactly."""
    count = 9
    at = torch.arange(count, dtype=torch.float64) - 4
    y, x = torch.meshgrid(at, at, indexing="ij")
    front = torch.stack([x * 0.5, y * 0.5, torch.full_like(x, 512.0)], dim=-1).reshape(-1, 3)
    vertices = torch.cat([front, front * 1.25])
    generator = torch.Generator().manual_seed(seed)
    faces = []
    for row in range(count - 1):
        for column in range(count - 1):
            a, b, c, d = (row * count + column + n for n in (0, 1, count + 1, count))
            for first, turn in ((0, 1), (count**2, -1)):
                flip = bool(torch.randint(0, 2, (1,), generator=generator))
                two = [(a, b, c), (a, c, d)] if flip else [(a, b, d), (b, c, d)]
                faces += [tuple(first + v for v in face)[::-turn] for face in two]
    rim = [*range(count), *range(2 * count - 1, count**2, count)]
    rim += [*range(count**2 - 2, count**2 - count - 1, -1), *range(count**2 - 2 * count, 0, -count)]
    for a, b in zip(rim, rim[1:] + rim[:1], strict=True):
        faces += [(a, b, a + count**2), (b, b + count**2, a + count**2)]
    mesh = Mesh(vertices, torch.tensor(faces))
    camera = Camera(sdd=1024.0, height=count, width=count, pixel_spacing=1.0)
    seen = thickness([mesh], camera, torch.eye(4).double(), backend=backend)[0, 0]
    slope = (1 + (x / 1024) ** 2 + (y / 1024) ** 2).sqrt()
    assert torch.equal(seen[1:-1, 1:-1], (128 * slope)[1:-1, 1:-1])
    edge = seen / (128 * slope)
    assert torch.equal(edge, (edge > 0.5).double())  # grazing rays are wholly in or out


@pytest.mark.parametrize("backend", BACKENDS)
def test_inner_shell_is_subtracted(backend: str) -> None:
    outer, inner = icosphere(20.0), icosphere(13.0)
    hollow = Mesh(torch.cat([outer.vertices, inner.vertices]), torch.cat([outer.faces, inner.faces.flip(1) + 162]))
    each = thickness([outer, inner, hollow], CAMERA, view(), backend=backend)[0]
    assert torch.allclose(each[2], each[0] - each[1], rtol=0, atol=1e-10) and each[1].max() > 25


def test_ray_along_the_bore_of_a_cannulated_screw_meets_no_metal() -> None:
    screw = instrument("cannulated_screw", seed=3)
    pose = rigid_matrix(torch.eye(3).double(), torch.tensor([0.0, 0.0, -300.0]).double())[None]
    seen = thickness([screw], Camera(sdd=600.0, height=41, width=41, pixel_spacing=0.5), pose)[0, 0]
    assert seen[20, 20] == 0 and seen[20].max() > 20


@pytest.mark.parametrize("backend", BACKENDS)
def test_order_of_triangles_and_corners_changes_no_bit(backend: str) -> None:
    mesh = instrument("hip_stem", seed=2)
    pose = carm_pose(lao_rao=20.0, cra_cau=10.0, roll=5.0, sod=700.0, isocenter=(20.0, 0.0, 90.0))
    camera = Camera(sdd=1000.0, height=40, width=40, pixel_spacing=6.0)
    generator = torch.Generator().manual_seed(0)
    shuffled = mesh.faces[torch.randperm(len(mesh.faces), generator=generator)]
    turn = torch.randint(0, 3, (len(shuffled), 1), generator=generator)
    shuffled = shuffled.gather(1, (torch.arange(3) + turn) % 3)
    first = thickness([mesh], camera, pose, backend=backend)
    second = thickness([Mesh(mesh.vertices, shuffled)], camera, pose, backend=backend)
    assert torch.equal(first, second) and first.max() > 25


def test_numba_gives_the_bits_of_torch() -> None:
    tools = [instrument(name, seed=4).to("cpu") for name in ("clamp", "plate", "pedicle_screw")]
    poses = placed(6, seed=1).reshape(2, 3, 4, 4)
    pose = torch.cat([view(), view(lao=-70.0)])
    camera = Camera(sdd=600.0, height=37, width=41, pixel_spacing=(5.1, 5.7))
    both = [thickness(tools, camera, pose, poses=poses, backend=backend) for backend in BACKENDS]
    assert torch.equal(*both) and both[0].dtype == torch.float32 and both[0].amax(dim=(2, 3)).min() > 0.5


def test_number_of_threads_changes_no_bit() -> None:
    mesh, before = instrument("plate", seed=1), torch.get_num_threads()
    pose = carm_pose(lao_rao=80.0, cra_cau=10.0, roll=5.0, sod=700.0, isocenter=(0.0, 0.0, 40.0))
    camera, images = Camera(sdd=1000.0, height=64, width=64, pixel_spacing=2.0), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            images.append(thickness([mesh], camera, pose, backend="numba"))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*images) and images[0].max() > 3


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("sod", [0.0, 8.0, -4.0, 590.0, 605.0])
def test_source_or_detector_inside_a_box_cut_it_off(backend: str, sod: float) -> None:
    size = (60.0, 74.0, 41.0)
    pose = view(sod=max(sod, 0.1))
    pose = pose if sod > 0 else pose + torch.nn.functional.pad(pose[:, :3, 2:3] * (0.1 - sod), (3, 0, 0, 1))
    seen = thickness([cuboid(size)], CAMERA, pose, poses=MOTION[None], backend=backend)
    expected = closed_form(Box(size, mu=1.0, center=MOTION[:3, 3], rotation=MOTION[:3, :3]), pose=pose)
    assert expected.max() > 10 and torch.allclose(seen, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_mesh_behind_the_source_or_out_of_view_has_no_thickness(backend: str) -> None:
    away = rigid_matrix(torch.eye(3), torch.tensor([[0.0, 0, 5000.0], [900.0, 0, 0]]))
    behind = view() @ rigid_matrix(rotation_about("Y", torch.tensor(math.pi).double()), torch.zeros(3).double())
    seen = thickness([icosphere(9.0)] * 2, CAMERA, view(), poses=away, backend=backend)
    assert not seen.any() and not thickness([icosphere(9.0)], CAMERA, behind, backend=backend).any()


def test_batch_equals_its_loop_bit_for_bit() -> None:
    mesh = icosphere(17.0, dtype=torch.float32)
    pose, poses = torch.cat([view(lao=lao) for lao in (0.0, 50.0, 100.0)]), placed(3, seed=5)
    together = thickness([mesh], CAMERA, pose, poses=poses[:, None])
    alone = [thickness([mesh], CAMERA, pose[b], poses=poses[b : b + 1]) for b in range(3)]
    assert torch.equal(together, torch.cat(alone)) and together.max() > 20


def test_turning_mesh_and_camera_together_changes_nothing() -> None:
    seen = thickness([icosphere(17.0)], CAMERA, view(), poses=MOTION[None])
    again = thickness([icosphere(17.0)], CAMERA, MOTION @ view(), poses=(MOTION @ MOTION)[None])
    assert torch.allclose(seen, again, rtol=0, atol=1e-9)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_pass_gradcheck(backend: str) -> None:
    mesh = cuboid((20.0, 34.0, 11.0))
    start = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    sdd = torch.tensor(600.0, dtype=torch.float64, requires_grad=True)
    spacing = torch.tensor([7.1, 6.7], dtype=torch.float64, requires_grad=True)
    centre = torch.tensor([2.4, 2.9], dtype=torch.float64, requires_grad=True)
    vertices = mesh.vertices.clone().requires_grad_()

    def image(tool, carm, vertices, sdd, spacing, centre):
        camera = Camera(sdd=sdd, height=5, width=5, pixel_spacing=spacing, principal_point=centre)
        poses, pose = MOTION @ se3_exp(tool)[None], view() @ se3_exp(carm)
        return thickness([mesh.with_vertices(vertices)], camera, pose, poses=poses, backend=backend)

    second = start.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(image, (start, second, vertices, sdd, spacing, centre), atol=1e-5, eps=1e-5)


def test_detector_inside_the_mesh_passes_gradcheck() -> None:
    mesh, sdd = cuboid((90.0, 94.0, 61.0)), torch.tensor(600.0, dtype=torch.float64, requires_grad=True)

    def image(sdd, backend="numba"):
        return thickness(
            [mesh], Camera(sdd=sdd, height=3, width=3, pixel_spacing=5.0), view(sod=600.0), backend=backend
        )

    assert torch.autograd.gradcheck(image, (sdd,), atol=1e-5)
    assert torch.autograd.gradcheck(lambda s: image(s, "torch"), (sdd,), atol=1e-5)


@pytest.mark.parametrize("mesh", [cuboid((20.0, 34.0, 11.0)), prism(9.0, 40.0, sides=12), instrument("plate", seed=1)])
def test_float32_gradients_of_the_kernel_agree_with_central_differences(mesh: Mesh) -> None:
    """Differences in float64: their steps must be too small for a ray to change its triangle, where slopes jump."""
    camera = Camera(sdd=600.0, height=92, width=124, pixel_spacing=(0.79, 0.68))
    rows, columns = torch.linspace(-1, 1, 92).double(), torch.linspace(-1, 1, 124).double()
    weight = (1 + rows[:, None]) * torch.cos(columns + 0.3)
    single = mesh.with_vertices(mesh.vertices.float())
    double = mesh.with_vertices(single.vertices.double())

    def score(mesh, tool, carm):
        poses = (MOTION @ se3_exp(tool))[None]
        return (thickness([mesh], camera, view() @ se3_exp(carm), poses=poses, backend="numba") * weight).sum()

    start = [torch.full((6,), 0.01, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    gradients = torch.autograd.grad(score(single, *start), start)
    for which, n in [(w, n) for w in range(2) for n in range(6)]:
        step, ends = 1e-6 if n < 3 else 1e-8, []
        for sign in (1, -1):
            moved = [s.detach().clone() for s in start]
            moved[which][n] += sign * step
            ends.append(score(double, *moved))
        slope = float(ends[0] - ends[1]) / (2 * step)
        part = gradients[which][:3] if n < 3 else gradients[which][3:]
        assert abs(slope - float(gradients[which][n])) < 1e-4 * float(part.norm())


def test_kernel_gradients_agree_with_autograd_through_the_reference() -> None:
    tool, gradients = instrument("hip_stem", seed=1), []
    for backend in BACKENDS:
        inputs = [torch.zeros(6, dtype=torch.float64, requires_grad=True) for _ in range(2)]
        pose = carm_pose(lao_rao=20.0, cra_cau=10.0, roll=5.0, sod=700.0, isocenter=(20.0, 0.0, 90.0)).double()
        camera = Camera(sdd=1000.0, height=32, width=32, pixel_spacing=7.0)
        seen = thickness([tool], camera, pose @ se3_exp(inputs[0]), poses=se3_exp(inputs[1])[None], backend=backend)
        gradients.append(torch.cat(torch.autograd.grad(seen.square().sum(), inputs)))
    assert torch.allclose(*gradients, rtol=1e-6) and gradients[0].abs().min() > 0


def test_reference_is_twice_differentiable() -> None:
    camera = Camera(sdd=600.0, height=3, width=3, pixel_spacing=7.0)

    def image(parameters):
        return thickness([cuboid((20.0, 34.0, 11.0))], camera, view(), poses=se3_exp(parameters)[None], backend="torch")

    start = torch.full((6,), 0.1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(image, (start,), atol=1e-3, eps=1e-5)


def test_kernel_refuses_a_second_derivative() -> None:
    parameters = torch.full((6,), 0.1, dtype=torch.float64, requires_grad=True)
    camera = Camera(sdd=600.0, height=3, width=3, pixel_spacing=7.0)
    poses = se3_exp(parameters)[None]
    seen = thickness([cuboid((20.0, 34.0, 11.0))], camera, view(), poses=poses, backend="numba")
    (slope,) = torch.autograd.grad(seen.square().sum(), parameters, create_graph=True)
    with pytest.raises(InputError, match="differentiate once, got a second derivative; use backend='torch'"):
        slope.sum().backward()


def test_custom_op_is_sound() -> None:
    camera = Camera(sdd=600.0, height=3, width=4, pixel_spacing=7.0)
    sight = see_meshes([cuboid((20.0, 34.0, 11.0))] * 2, camera, view(), None)
    points = sight.points.clone().requires_grad_()
    torch.library.opcheck(mesh_ops.mesh_depth, (points, *sight[1:], 2, "numba"), test_utils=QUICK)


def test_errors_say_what_to_do() -> None:
    mesh = icosphere(9.0)
    with pytest.raises(InputError, match="at least one mesh, got none"):
        thickness([], CAMERA, view())
    with pytest.raises(GeometryError, match=r"poses must be \(1, 4, 4\) or \(B, 1, 4, 4\), one per mesh"):
        thickness([mesh], CAMERA, view(), poses=MOTION.expand(2, 4, 4))
    with pytest.raises(GeometryError, match=r"poses\[0\] must be a rigid motion.*a scaling by 2"):
        thickness([mesh], CAMERA, view(), poses=torch.diag(torch.tensor([2.0, 2.0, 2.0, 1.0]))[None])
    with pytest.raises(GeometryError, match="batch sizes must agree or be 1"):
        thickness([mesh], CAMERA, view().expand(2, 4, 4), poses=MOTION.expand(3, 1, 4, 4))
    with pytest.raises(GeometryError, match=r"pose must be \(B, 4, 4\)"):
        thickness([mesh], CAMERA, torch.eye(3))
    with pytest.raises(BackendUnavailableError, match="triton needs volumes and meshes on cuda, got cpu"):
        thickness([mesh], CAMERA, view(), backend="triton")
    with pytest.raises(InputError, match="on one device, got several"):
        thickness([mesh, mesh.to("meta")], CAMERA, view())


def test_poses_per_view_need_no_pose_per_view() -> None:
    poses = torch.stack([MOTION, rigid_matrix(rotation_about("X", torch.tensor(0.3).double()), MOTION[:3, 3])])[:, None]
    seen = thickness([cuboid((20.0, 34.0, 11.0))], CAMERA, view(), poses=poses)
    one = thickness([cuboid((20.0, 34.0, 11.0))], CAMERA, view(), poses=poses[1])
    assert seen.shape == (2, 1, 23, 31) and torch.equal(seen[1:], one) and not torch.equal(seen[:1], one)
