"""Scenes hold what fits together, and `tool_pose` puts a mesh where it says."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.cubes import block, cube, moved
from xraykit.render import GeometryError, InputError
from xraykit.render.geometry import check_pose
from xraykit.render.meshes.plausible_size import implausible_size
from xraykit.render.simulation.scene import Body, PlacedTool, Scene, tool_pose

NUMBER = st.floats(-1, 1)


@given(st.tuples(NUMBER, NUMBER, NUMBER), st.floats(-360, 360))
def test_the_z_axis_points_along_the_direction(direction, turn):
    length = math.hypot(*direction)
    if length < 1e-3:
        return
    pose = tool_pose((1.0, -2.0, 3.0), direction=direction, turn=turn)
    check_pose(pose[None])
    unit = torch.tensor(direction, dtype=torch.float64) / length
    torch.testing.assert_close(pose[:3, 2], unit, atol=1e-6, rtol=0)
    assert pose[:3, 3].tolist() == [1.0, -2.0, 3.0]


@pytest.mark.parametrize("tilt", [1e-3, 1e-5, 1e-7, 1e-9])
def test_almost_straight_down_is_as_exact_as_any_other_direction(tilt):
    """1 + z loses every digit there, and with it the direction."""
    pose = tool_pose((0, 0, 0), direction=(0.6 * tilt, 0.8 * tilt, -0.9375))
    unit = torch.tensor([0.6 * tilt, 0.8 * tilt, -0.9375], dtype=torch.float64)
    torch.testing.assert_close(pose[:3, 2], unit / unit.norm(), atol=1e-14, rtol=0)
    check_pose(pose[None])


def test_straight_up_and_straight_down_are_plain():
    torch.testing.assert_close(tool_pose((0, 0, 0)), torch.eye(4, dtype=torch.float64))
    down = tool_pose((0, 0, 0), direction=(0, 0, -5))
    torch.testing.assert_close(down[:3, :3], torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)))
    quarter = tool_pose((0, 0, 0), turn=90.0)
    torch.testing.assert_close(quarter[:3, 0], torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64))


def test_a_tool_takes_name_and_material_of_its_mesh_unless_told():
    plain, named = PlacedTool(cube()), PlacedTool(cube(), name="marker", material="gold", density=10.0)
    assert (plain.name, plain.material.name, plain.mass_density) == ("cube", "titanium", 4.506)
    assert (named.name, named.material.name, named.mass_density) == ("marker", "gold", 10.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Scene(), "at least one body or tool"),
        (lambda: Scene(tools=(PlacedTool(cube()), PlacedTool(cube(), moved(5)))), "got 'cube' twice"),
        (lambda: Scene((block(), block())), "got 'patient' twice"),
        (lambda: PlacedTool(cube(), material="unobtainium"), "material must be one of"),
        (lambda: PlacedTool(cube(), density=-1.0), "density of cube must be positive"),
        (lambda: PlacedTool(cube(), density=float("nan")), "density of cube must be positive"),
        (lambda: replace(block(), density_scale={"bone": 1.0}), "density_scale of 'patient' must name one of"),
        (
            lambda: replace(block(), density_scale={"soft_tissue": -0.5}),
            "density_scale of soft_tissue must be 0 or more",
        ),
        (lambda: Body(block().volume, block(voxels=7).materials), "must have materials on the grid of its volume"),
        (lambda: tool_pose((0, 0, 0), direction=(0, 0, 0)), "position and direction must be three finite numbers"),
        (lambda: tool_pose((0, 0, float("inf"))), "position and direction must be three finite numbers"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_tool_needs_a_rigid_pose():
    with pytest.raises(GeometryError, match="pose of cube"):
        PlacedTool(cube(), torch.diag(torch.tensor([2.0, 2.0, 2.0, 1.0])))
    with pytest.raises(GeometryError, match=r"pose of cube must be \(4, 4\)"):
        PlacedTool(cube(), torch.eye(3))


def test_a_tool_in_metres_is_a_warning_unless_its_reader_was_told_the_unit():
    with pytest.warns(UserWarning, match=r"cube: meshes are in mm, the bounding box is 0.01 x .* looks like metres"):
        PlacedTool(cube(0.01))
    PlacedTool(cube(0.01).with_doubts(str(implausible_size(cube(0.01).size))))
