"""The shape annotations of the core are executed by the tests, and a wrong shape is refused."""

from types import ModuleType

import pytest
import torch
from jaxtyping import TypeCheckError
from support.shape_checks import check_module, states_shapes
from xraykit.render import Camera, carm_pose
from xraykit.render.geometry import project, rigid_matrix
from xraykit.render.geometry.rigid import transform_points
from xraykit.render.physics import illumination

MODULE = """
from __future__ import annotations
from typing import NamedTuple
from jaxtyping import Float
from torch import Tensor

def total(points: Float[Tensor, "points 3"], weights: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    return (points.sum(1) + weights).sum() if len(points) == 9 else points.sum(1) + weights

class Pair(NamedTuple):
    first: Float[Tensor, "batch 3"]
    second: Float[Tensor, " batch"]

class Cloud:
    def moved(self, by: Float[Tensor, "3"]) -> Float[Tensor, "{self.size} 3"]:
        return by.expand(4, 3)
    size = 4
"""


@pytest.fixture
def module(tmp_path):
    namespace = ModuleType("shapes_of_a_test")
    exec(compile(MODULE, "shapes_of_a_test", "exec"), vars(namespace))
    check_module(namespace)
    return namespace


def test_right_shapes_pass(module) -> None:
    assert module.total(torch.ones(2, 3), torch.ones(2)).tolist() == [4.0, 4.0]
    assert module.Cloud().moved(torch.ones(3)).shape == (4, 3)


def test_wrong_argument_is_refused_though_the_function_took_it(module) -> None:
    with pytest.raises(TypeCheckError, match="weights"):
        module.total(torch.ones(2, 3), torch.ones(1))
    with pytest.raises(TypeCheckError, match="points"):
        module.total(torch.ones(2, 4), torch.ones(2))
    with pytest.raises(TypeCheckError, match="points"):
        module.total(torch.ones(2, 3, dtype=torch.int64), torch.ones(2))


def test_shapes_that_passed_once_excuse_no_others(module) -> None:
    for _ in range(2):
        assert module.total(torch.ones(2, 3), weights=torch.ones(2)).shape == (2,)
        with pytest.raises(TypeCheckError, match="weights"):
            module.total(torch.ones(2, 3), weights=torch.ones(1))
        with pytest.raises(TypeCheckError, match="weights"):
            module.total(torch.ones(2, 3), weights=torch.ones(2, dtype=torch.int64))


def test_wrong_result_is_refused(module) -> None:
    with pytest.raises(TypeCheckError, match="return value"):
        module.total(torch.ones(9, 3), torch.ones(9))
    cloud = module.Cloud()
    cloud.size = 5
    with pytest.raises(TypeCheckError, match="return value"):
        cloud.moved(torch.ones(3))


def test_wrong_field_of_a_named_tuple_is_refused(module) -> None:
    assert module.Pair(torch.ones(2, 3), second=torch.ones(2)).second.shape == (2,)
    with pytest.raises(TypeCheckError, match="second"):
        module.Pair(torch.ones(2, 3), torch.ones(4))


def test_functions_of_the_core_are_checked() -> None:
    """`transform_points` itself takes any affine map, so only the annotation refuses three rows."""
    with pytest.raises(TypeCheckError, match="motion"):
        transform_points(torch.eye(4)[:3], torch.zeros(5, 3))
    for function in (project, rigid_matrix, illumination, carm_pose, Camera.tensors):
        assert states_shapes(function) and hasattr(function, "__wrapped__"), function


def test_compiled_code_sees_bare_functions() -> None:
    move = torch.compile(transform_points, backend="eager", fullgraph=True)
    assert move(torch.eye(4), torch.ones(5, 3)).shape == (5, 3)
