"""The Triton kernels of meshes: the bits of the numba kernels, which have those of the torch reference.

Gradients agree to 4e-16 of the largest where seen (interpreted); they differ only in the order of sums.
"""

from importlib.util import find_spec

import pytest
import torch
from support.meshes import cuboid
from support.triton_worker import thickness_with_gradients
from xraykit.render import Camera, Mesh, carm_pose
from xraykit.render.geometry import rigid_matrix, se3_exp
from xraykit.render.kernels import mesh_ops
from xraykit.render.meshes.mesh_thickness import Sight, see_meshes
from xraykit.render.projectors.fixed_point import step_of, steps_of

pytestmark = pytest.mark.skipif(find_spec("triton") is None, reason="needs triton: pip install xraykit-render[triton]")

MOTION = se3_exp(torch.tensor([3.0, -2.0, 5.0, 0.4, -0.7, 0.3], dtype=torch.float64))
CENTRE = (1.3, 0.4, 2.1)
# Few triangles, for the interpreter's sake.
WEDGE = Mesh(
    torch.tensor([[-19.0, -16.0, -9.0], [21.0, -13.0, -7.0], [3.0, 23.0, -11.0], [1.0, 2.0, 18.0]]).double(),
    torch.tensor([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]]),
)
OCTAHEDRON = Mesh(
    torch.cat([torch.eye(3), -torch.eye(3)]).double(),
    torch.tensor([[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]),
)
TOOLS = [WEDGE, OCTAHEDRON.with_vertices(OCTAHEDRON.vertices * 15.0 + 9.0)]


def view(sod: float = 400.0, lao: float = 33.0) -> torch.Tensor:
    return carm_pose(lao_rao=lao, cra_cau=-21.0, roll=11.0, sod=sod, isocenter=CENTRE)


def camera(height: int = 7, width: int = 13, pitch: float = 6.1) -> Camera:
    """One strip of rows by two of columns, since each strip of each triangle is a program of its own."""
    return Camera(sdd=600.0, height=height, width=width, pixel_spacing=(pitch, 1.1 * pitch))


def lattice() -> Sight:
    """Rays exactly through the vertices and along the edges of a box and an octahedron seen face on."""
    slopes = torch.arange(-4, 5, dtype=torch.float64)[None] / 8
    box, solid = cuboid((2.0, 2.0, 1.0)), OCTAHEDRON
    points = torch.cat([box.vertices, solid.vertices]) + torch.tensor([0.0, 0.0, 4.0])
    faces = torch.cat([box.faces, solid.faces + len(box.vertices)])
    mesh = torch.tensor([0] * len(box.faces) + [1] * len(solid.faces))
    return Sight(points[None], faces, mesh, slopes, slopes, torch.tensor([16.0], dtype=torch.float64))


SIGHTS = {
    "two views, two tools": see_meshes(TOOLS, camera(), torch.cat([view(), view(lao=-60.0)]), None),
    "source inside": see_meshes(TOOLS, camera(), view(sod=4.0), MOTION.expand(2, 4, 4)),
    "detector inside": see_meshes(TOOLS, camera(), view(sod=598.0), None),
    "many rows": see_meshes([WEDGE], camera(27, 9, pitch=2.3), view(), None),
    "one row": see_meshes([WEDGE], camera(1, 9), view(), None),
    "one column": see_meshes([WEDGE], camera(9, 1), view(), None),
    "through vertices": lattice(),
}
SEEN = pytest.mark.parametrize("sight", SIGHTS.values(), ids=SIGHTS.keys())


def meshes_in(sight: Sight) -> int:
    return int(sight.mesh.max()) + 1


def expected(function: str, *args):
    return getattr(mesh_ops.triangles("numba"), function)(*args)


def upstream(sight: Sight) -> torch.Tensor:
    shape = (len(sight.points), meshes_in(sight), sight.down.shape[1], sight.across.shape[1])
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@SEEN
def test_depth_has_the_bits_of_the_reference(kernels, sight):
    depth = expected("depth", *sight, meshes_in(sight))
    assert depth.abs().max() > 1
    assert torch.equal(kernels("triangles.depth", *sight, meshes_in(sight)), depth)


@SEEN
@pytest.mark.parametrize("function", ["depth_gradient", "ray_gradient"])
def test_gradients_equal_those_of_numba(kernels, sight, function):
    grad = upstream(sight)
    gradient = expected(function, grad, *sight)
    size = float(gradient.abs().max())
    assert size > 0
    assert float((kernels(f"triangles.{function}", grad, *sight) - gradient).abs().max()) < 1e-12 * size


@SEEN
def test_hits_are_those_of_numba(kernels, sight):
    here = (sight.points[0], sight.faces, sight.across[0], sight.down[0])
    hits = torch.stack([part.double() for part in kernels("triangles.find_hits", *here)])
    wanted = torch.stack([part.double() for part in expected("find_hits", *here)])
    assert wanted.shape[1] > 2
    assert torch.equal(hits.unique(dim=1), wanted.unique(dim=1))
    assert hits.shape == wanted.shape


def test_order_of_triangles_and_size_of_the_batch_change_no_bit(kernels):
    sight = SIGHTS["two views, two tools"]
    depth, grad = expected("depth", *sight, 2), upstream(sight)
    turned = sight._replace(faces=sight.faces.flip(0).roll(1, dims=1), mesh=sight.mesh.flip(0))
    assert torch.equal(kernels("triangles.depth", *turned, 2), depth)
    second = Sight(sight.points[1:], sight.faces, sight.mesh, sight.across[1:], sight.down[1:], sight.far[1:])
    both = kernels("triangles.depth_gradient", grad, *sight)
    assert torch.equal(kernels("triangles.depth_gradient", grad[1:], *second), both[1:])


def test_no_views_give_an_empty_image(kernels):
    sight = see_meshes([WEDGE], camera(), view(), None)
    none = Sight(sight.points[:0], sight.faces, sight.mesh, sight.across[:0], sight.down[:0], sight.far[:0])
    assert kernels("triangles.depth", *none, 1).shape == (0, 1, 7, 13)


def test_out_of_view_there_are_no_hits(kernels):
    sight = see_meshes([WEDGE], camera(), view(), rigid_matrix(torch.eye(3), torch.tensor([900.0, 0.0, 0.0]))[None])
    assert not kernels("triangles.depth", *sight, 1).any()
    found = kernels("triangles.find_hits", sight.points[0], sight.faces, sight.across[0], sight.down[0])
    assert [len(part) for part in found] == [0, 0, 0, 0]


def test_thickness_displacement_and_every_gradient_equal_torch(kernels):
    pose = torch.cat([view(), view(lao=-60.0)])
    weight = torch.randn((2, 1, 6, 7), dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    numbers = (torch.tensor(600.0).double(), torch.tensor([9.1, 8.7]).double())
    inputs = (WEDGE.vertices, WEDGE.faces, pose.double(), MOTION[None], *numbers, weight)
    seen = kernels("thickness_with_gradients", *inputs, backend="triton")
    reference = thickness_with_gradients(*inputs, backend="torch")
    assert len(seen) == len(reference) == 7
    for one, other in zip(seen, reference, strict=True):
        assert float((one - other).abs().max()) < 1e-9 * float(other.abs().max())


def test_gradient_of_rays_refuses_deterministic_algorithms(kernels):
    sight = see_meshes([WEDGE], camera(), view(), None)
    with pytest.raises((RuntimeError, ValueError), match=r"deterministic .* use backend='torch'"):
        kernels("deterministically", "triangles.ray_gradient", upstream(sight), *sight)


def test_steps_of_many_are_those_of_each():
    far = torch.tensor([1020.0, 1024.0, 1023.9999999999999, 1024.0000000000002, 1.0, 0.37, 1e-3, 3e9]).double()
    assert steps_of(far).tolist() == [step_of(number) for number in far.tolist()]


@pytest.mark.parametrize(
    "kernel",
    ["depth_kernel", "hit_kernel", *(pytest.param(k, marks=pytest.mark.slow) for k in ("corner_kernel", "ray_kernel"))],
)
def test_kernels_compile_for_a_gpu_that_is_not_there_and_fuse_nothing(kernel):
    """A fused multiply-add rounds once where the reference rounds twice; edges would no longer meet in one point."""
    import triton
    from triton.backends.compiler import GPUTarget
    from xraykit.render.kernels.triton_gpu import triangles

    function = getattr(triangles, kernel)
    integers = dict.fromkeys(("faces", "owner", "total", "place", "found"), "*i64")
    numbers = dict.fromkeys(("points", "across", "down", "far", "steps", "grad", "shares", "result"), "*fp64")
    sizes = dict.fromkeys(("n_points", "n_faces", "meshes", "height", "width", "strips", "hits"), "i32")
    fixed = {**triangles.TILE, "LIST": True}
    types = {**integers, **numbers, **sizes, **dict.fromkeys(fixed, "constexpr")}
    names = function.arg_names
    source = triton.compiler.ASTSource(
        function,
        signature={name: types[name] for name in names},
        constexprs={(names.index(name),): value for name, value in fixed.items() if name in names},
    )
    ptx = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=triangles.COMPILER).asm["ptx"]
    assert "div.rn.f64" in ptx
    assert "fma.rn.f64" not in ptx
