"""SO(3): closed forms, round trips, and finite gradients where formulas usually break."""

import math

import pytest
import torch
from hypothesis import given, settings
from support.motions import SPECIAL_VECTORS, random_rotations, vectors
from xraykit.render.errors import InputError
from xraykit.render.geometry import (
    PARAMETERIZATIONS,
    nearest_rotation,
    parameters_from,
    rotation_about,
    rotation_angle,
    rotation_from,
)

CONVENTIONS = ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "XYX", "XZX", "YXY", "YZY", "ZXZ", "ZYZ"]
TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-13}
DTYPES = [torch.float32, torch.float64]
CASES = [(name, "ZXY") for name in PARAMETERIZATIONS] + [("euler_angles", "ZXZ"), ("euler_angles", "XYZ")]


def matrix_exponential(vector: torch.Tensor) -> torch.Tensor:
    x, y, z = vector.unbind(-1)
    o = torch.zeros_like(x)
    return torch.linalg.matrix_exp(torch.stack([o, -z, y, z, o, -x, -y, x, o], -1).reshape(*x.shape, 3, 3))


def test_table_has_the_sizes_of_the_literature():
    assert dict(PARAMETERIZATIONS) == {
        "axis_angle": 3,
        "euler_angles": 3,
        "quaternion": 4,
        "quaternion_adjugate": 10,
        "rotation_6d": 6,
        "rotation_9d": 9,
        "rotation_10d": 10,
        "so3_log_map": 3,
    }


@pytest.mark.parametrize(("axis", "moved", "to"), [("X", 1, 2), ("Y", 2, 0), ("Z", 0, 1)])
def test_elementary_quarter_turn_is_right_handed(axis, moved, to):
    e = torch.eye(3, dtype=torch.float64)
    turned = rotation_about(axis, torch.tensor(math.pi / 2, dtype=torch.float64)) @ e[moved]
    torch.testing.assert_close(turned, e[to])


@pytest.mark.parametrize("name", ["axis_angle", "so3_log_map"])
def test_rotation_vector_is_the_matrix_exponential(name):
    vector = torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 2
    torch.testing.assert_close(rotation_from(vector, parameterization=name), matrix_exponential(vector))


@pytest.mark.parametrize("dtype", DTYPES)
def test_rotation_vector_is_accurate_where_series_and_closed_form_meet(dtype):
    lengths = torch.cat([torch.logspace(-12, 0, 60, dtype=torch.float64), torch.linspace(0.49, 0.51, 41)])
    vector = (lengths[:, None] * torch.tensor([0.48, -0.6, 0.64])).to(torch.float64)
    ours = rotation_from(vector.to(dtype), parameterization="axis_angle")
    torch.testing.assert_close(ours.double(), matrix_exponential(vector), atol=TOLERANCE[dtype], rtol=0)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_euler_angles_are_products_of_elementary_turns(convention):
    angles = torch.tensor([0.3, 0.7, -1.1], dtype=torch.float64)
    product = torch.eye(3, dtype=torch.float64)
    for axis, angle in zip(convention, angles, strict=True):
        product = product @ matrix_exponential(torch.eye(3, dtype=torch.float64)["XYZ".index(axis)] * angle)
    torch.testing.assert_close(rotation_from(angles, parameterization="euler_angles", convention=convention), product)
    back = parameters_from(product, parameterization="euler_angles", convention=convention)
    torch.testing.assert_close(back, angles)


def test_quaternion_is_scalar_first_and_needs_no_unit_norm():
    half = math.pi / 6
    quaternion = -7.0 * torch.tensor([math.cos(half), 0.0, math.sin(half), 0.0], dtype=torch.float64)
    expected = matrix_exponential(torch.tensor([0.0, math.pi / 3, 0.0], dtype=torch.float64))
    torch.testing.assert_close(rotation_from(quaternion, parameterization="quaternion"), expected)


def test_zero_quaternion_gives_the_identity_with_finite_gradient():
    zero = torch.zeros(4, requires_grad=True)
    rotation = rotation_from(zero, parameterization="quaternion")
    rotation.sum().backward()
    torch.testing.assert_close(rotation, torch.eye(3), rtol=0, atol=1e-7)
    assert bool(torch.isfinite(zero.grad).all())


def test_adjugate_takes_the_column_of_largest_norm_not_the_eigenvector():
    # Columns of norm 2.24, 5.10, 2.45, 1.73: the second one is the quaternion.
    numbers = torch.tensor([1.0, 2.0, 0.0, 0.0, 3.0, 2.0, 3.0, 1.0, 1.0, -0.5], dtype=torch.float64)
    matrix = torch.tensor([[1, 2, 0, 0], [2, 3, 2, 3], [0, 2, 1, 1], [0, 3, 1, -0.5]], dtype=torch.float64)
    quaternion = matrix[:, 1] / matrix[:, 1].norm()
    assert int(matrix.norm(dim=0).argmax()) == 1
    eigenvector = torch.linalg.eigh(matrix).eigenvectors[:, -1]
    assert float((quaternion @ eigenvector).abs()) < 0.999
    torch.testing.assert_close(
        rotation_from(numbers, parameterization="quaternion_adjugate"),
        rotation_from(quaternion, parameterization="quaternion"),
    )


def test_adjugate_parameters_are_the_upper_triangle_of_the_outer_product():
    quaternion = torch.tensor([0.5, -0.1, 0.7, 0.5], dtype=torch.float64)
    quaternion = quaternion / quaternion.norm()
    rows, columns = torch.triu_indices(4, 4)
    outer = torch.outer(quaternion, quaternion)[rows, columns]
    rotation = rotation_from(quaternion, parameterization="quaternion")
    torch.testing.assert_close(parameters_from(rotation, parameterization="quaternion_adjugate"), outer)
    torch.testing.assert_close(parameters_from(rotation, parameterization="rotation_10d"), -outer)


def test_6d_holds_the_rows_and_ignores_their_length_and_shear():
    rotation = random_rotations(1)[0]
    first, second = rotation[0], rotation[1]
    loose = torch.cat([3 * first, 0.2 * second + 5 * first])
    torch.testing.assert_close(rotation_from(loose, parameterization="rotation_6d"), rotation)
    torch.testing.assert_close(parameters_from(rotation, parameterization="rotation_6d"), rotation[:2].flatten())


def test_9d_is_the_closest_rotation_also_for_a_reflecting_matrix():
    matrix = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    matrix = matrix * -torch.linalg.det(matrix).sign()
    assert torch.linalg.det(matrix) < 0
    nearest = rotation_from(matrix.flatten(), parameterization="rotation_9d")
    torch.testing.assert_close(torch.linalg.det(nearest), torch.tensor(1.0, dtype=torch.float64))
    small = 0.05 * torch.randn(500, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    others = torch.cat([random_rotations(500), matrix_exponential(small) @ nearest])
    assert bool(((others - matrix).norm(dim=(1, 2)) >= (nearest - matrix).norm()).all())


def test_10d_takes_the_eigenvector_of_the_smallest_eigenvalue():
    basis = torch.linalg.qr(torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2)))[0]
    matrix = basis @ torch.diag(torch.tensor([2.0, -3.0, 1.0, 4.0], dtype=torch.float64)) @ basis.T
    rows, columns = torch.triu_indices(4, 4)
    torch.testing.assert_close(
        rotation_from(matrix[rows, columns], parameterization="rotation_10d"),
        rotation_from(basis[:, 1], parameterization="quaternion"),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PARAMETERIZATIONS)
def test_parameters_return_the_rotation(name, dtype):
    rotation = random_rotations(300, dtype=dtype).reshape(3, 100, 3, 3)
    parameters = parameters_from(rotation, parameterization=name)
    assert parameters.shape == (3, 100, PARAMETERIZATIONS[name])
    assert parameters.dtype == dtype
    back = rotation_from(parameters, parameterization=name)
    assert back.dtype == dtype
    torch.testing.assert_close(back, rotation, atol=TOLERANCE[dtype], rtol=0)


@pytest.mark.parametrize("convention", CONVENTIONS)
@settings(max_examples=25, deadline=None)
@given(vector=vectors)
def test_every_euler_convention_returns_the_rotation(convention, vector):
    rotation = matrix_exponential(torch.tensor(vector, dtype=torch.float64) * math.pi)
    angles = parameters_from(rotation, parameterization="euler_angles", convention=convention)
    back = rotation_from(angles, parameterization="euler_angles", convention=convention)
    torch.testing.assert_close(back, rotation, atol=1e-12, rtol=0)


@pytest.mark.parametrize("name", PARAMETERIZATIONS)
@settings(max_examples=25, deadline=None)
@given(vector=vectors)
def test_any_rotation_survives_the_round_trip(name, vector):
    rotation = matrix_exponential(torch.tensor(vector, dtype=torch.float64) * math.pi)
    back = rotation_from(parameters_from(rotation, parameterization=name), parameterization=name)
    torch.testing.assert_close(back, rotation, atol=1e-12, rtol=0)


@settings(max_examples=50, deadline=None)
@given(vector=vectors)
def test_rotation_vectors_shorter_than_half_a_turn_return_themselves(vector):
    vector = torch.tensor(vector, dtype=torch.float64) * (math.pi / math.sqrt(3) - 1e-6)
    rotation = rotation_from(vector, parameterization="axis_angle")
    torch.testing.assert_close(parameters_from(rotation, parameterization="axis_angle"), vector, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(rotation_angle(rotation), vector.norm(), atol=1e-9, rtol=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("special", SPECIAL_VECTORS)
@pytest.mark.parametrize(("name", "convention"), CASES)
def test_values_and_gradients_stay_finite_at_special_rotations(name, convention, special, dtype):
    vector = torch.tensor(SPECIAL_VECTORS[special], dtype=dtype, requires_grad=True)
    rotation = rotation_from(vector, parameterization="axis_angle")
    parameters = parameters_from(rotation, parameterization=name, convention=convention)
    back = rotation_from(parameters, parameterization=name, convention=convention)
    torch.testing.assert_close(back, rotation, atol=TOLERANCE[dtype], rtol=0)
    weights = torch.arange(9, dtype=dtype).reshape(3, 3) - 3.3
    (through,) = torch.autograd.grad((back * weights).sum(), vector, retain_graph=True)
    (first,) = torch.autograd.grad(parameters.sum(), rotation)
    assert bool(torch.isfinite(first).all())
    assert bool(torch.isfinite(through).all())


@pytest.mark.parametrize("special", ["identity", "tiny", "quarter turn x", "half turn xy", "full turn"])
@pytest.mark.parametrize("name", [name for name in PARAMETERIZATIONS if name != "euler_angles"])
def test_gradient_through_a_round_trip_is_that_of_the_rotation(name, special):
    vector = torch.tensor(SPECIAL_VECTORS[special], dtype=torch.float64, requires_grad=True)
    weights = torch.arange(9, dtype=torch.float64).reshape(3, 3) - 3.3
    rotation = rotation_from(vector, parameterization="axis_angle")
    (direct,) = torch.autograd.grad((rotation * weights).sum(), vector, retain_graph=True)
    back = rotation_from(parameters_from(rotation, parameterization=name), parameterization=name)
    (through,) = torch.autograd.grad((back * weights).sum(), vector)
    torch.testing.assert_close(through, direct, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize(("name", "convention"), CASES)
def test_rotation_from_passes_gradcheck_on_and_off_the_manifold(name, convention):
    exact = parameters_from(random_rotations(2, seed=4), parameterization=name, convention=convention)
    noise = torch.randn(exact.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(8))
    for parameters in (exact, exact + 0.1 * noise):
        assert torch.autograd.gradcheck(
            lambda p: rotation_from(p, parameterization=name, convention=convention), parameters.requires_grad_()
        )


@pytest.mark.parametrize("name", ["rotation_9d", "rotation_10d", "axis_angle"])
def test_gradient_at_the_identity_passes_gradcheck(name):
    parameters = parameters_from(torch.eye(3, dtype=torch.float64), parameterization=name).requires_grad_()
    assert torch.autograd.gradcheck(lambda p: rotation_from(p, parameterization=name), parameters)


def test_9d_gradient_is_that_of_the_svd_where_singular_values_differ():
    matrix = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(9)).requires_grad_()
    weights = torch.arange(9, dtype=torch.float64).reshape(3, 3)
    u, _, vt = torch.linalg.svd(matrix)
    flip = torch.diag(torch.stack([torch.ones(()), torch.ones(()), torch.linalg.det(u @ vt).detach()]).double())
    (expected,) = torch.autograd.grad((u @ flip @ vt * weights).sum(), matrix)
    ours = rotation_from(matrix.flatten(), parameterization="rotation_9d")
    (gradient,) = torch.autograd.grad((ours * weights).sum(), matrix)
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize(("name", "convention"), CASES)
def test_parameters_from_passes_gradcheck(name, convention):
    rotation = random_rotations(2, seed=7).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda r: parameters_from(r, parameterization=name, convention=convention), rotation
    )


def test_quaternion_has_unit_norm_and_no_negative_scalar():
    quaternion = parameters_from(random_rotations(200), parameterization="quaternion")
    torch.testing.assert_close(quaternion.norm(dim=-1), torch.ones(200, dtype=torch.float64))
    assert bool((quaternion[:, 0] >= 0).all())


def test_last_euler_angle_is_zero_in_gimbal_lock():
    rotation = rotation_from(torch.tensor([0.4, math.pi / 2, 0.3]), parameterization="euler_angles")
    angles = parameters_from(rotation, parameterization="euler_angles")
    torch.testing.assert_close(angles, torch.tensor([0.7, math.pi / 2, 0.0]), atol=1e-6, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", PARAMETERIZATIONS)
def test_compile_sees_one_graph(name):
    def there_and_back(rotation):
        return rotation_from(parameters_from(rotation, parameterization=name), parameterization=name)

    torch.compiler.reset()
    rotation = random_rotations(3)
    compiled = torch.compile(there_and_back, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(rotation), there_and_back(rotation))


def test_unknown_parameterization_lists_the_legal_ones():
    with pytest.raises(InputError, match=r"must be one of axis_angle, .*got 'rotation_7d'"):
        rotation_from(torch.zeros(7), parameterization="rotation_7d")
    with pytest.raises(InputError, match="use se3_exp and se3_log"):
        parameters_from(torch.eye(3), parameterization="se3_log_map")


@pytest.mark.parametrize("convention", ["ZZX", "XYY", "XY", "ABC", "ZXYZ"])
def test_euler_convention_must_name_three_axes(convention):
    with pytest.raises(InputError, match="three letters of X, Y, Z"):
        rotation_from(torch.zeros(3), parameterization="euler_angles", convention=convention)


def test_wrong_shapes_and_types_are_refused():
    with pytest.raises(InputError, match=r"shape \(\.\.\., 10\), got torch.float32 of shape \(2, 4\)"):
        rotation_from(torch.zeros(2, 4), parameterization="quaternion_adjugate")
    with pytest.raises(InputError, match=r"got torch\.int64"):
        rotation_from(torch.zeros(3, dtype=torch.int64), parameterization="axis_angle")
    with pytest.raises(InputError, match=r"shape \(\.\.\., 3, 3\), got torch.float32 of shape \(4, 4\)"):
        parameters_from(torch.eye(4), parameterization="quaternion")


def test_nearest_rotation_is_a_rotation_no_other_is_closer_and_rotations_stay():
    rotation = random_rotations(16).double()
    assert torch.allclose(nearest_rotation(rotation), rotation, atol=1e-14, rtol=0)
    matrix = torch.randn(16, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    found = nearest_rotation(matrix)
    assert torch.allclose(torch.linalg.det(found), torch.ones(16, dtype=torch.float64))
    away = (matrix - found).norm(dim=(1, 2))
    assert bool((away[:, None] <= (matrix[:, None] - rotation).norm(dim=(2, 3))).all())
