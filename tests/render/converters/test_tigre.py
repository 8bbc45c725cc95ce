"""TIGRE's geometry, by its published formulas written out for single pixels."""

import math

import pytest
import torch
from support.views import CENTER, assert_same_view, box, camera, pixels, poses
from xraykit.render.converters import from_tigre, to_tigre
from xraykit.render.errors import GeometryError
from xraykit.render.geometry import back_project, rotation_about

F64 = torch.float64
PLAIN = {"dsd": 1000.0, "dso": 700.0, "n_detector": (30, 41), "d_detector": (0.6, 0.5)}


def tigre_pixel(row: int, column: int, angles: tuple[float, float, float], **geo) -> tuple[torch.Tensor, torch.Tensor]:
    """Source and centre of a pixel from the volume's centre, step by step as TIGRE's projector moves them."""
    a = geo["d_detector"][1] * (column - (geo["n_detector"][1] - 1) / 2)
    b = geo["d_detector"][0] * (row - (geo["n_detector"][0] - 1) / 2)
    roll, pitch, yaw = (torch.tensor(x, dtype=F64) for x in geo["rot_detector"])
    tilt = rotation_about("Z", roll) @ rotation_about("Y", pitch) @ rotation_about("X", yaw)
    point = tilt @ torch.tensor([0.0, a, b], dtype=F64)
    v, u = geo["off_detector"]
    point = point + torch.tensor([geo["dso"] - geo["dsd"], u, v], dtype=F64)
    alpha, theta, psi = (torch.tensor(x, dtype=F64) for x in angles)
    turn = rotation_about("Z", alpha) @ rotation_about("Y", theta) @ rotation_about("Z", psi)
    off = torch.tensor(geo["off_origin"][::-1], dtype=F64)
    cor = geo["cor"] * torch.tensor([-math.sin(angles[0]), math.cos(angles[0]), 0.0], dtype=F64)
    return turn @ torch.tensor([geo["dso"], 0, 0], dtype=F64) - off + cor, turn @ point - off + cor


def test_plain_geometry_has_its_source_on_the_x_axis():
    view = from_tigre([0.0, math.pi / 2], **PLAIN)
    assert view.mirrored
    assert view.pose[0, :3, 3].tolist() == pytest.approx([700.0, 0.0, 0.0])
    assert view.pose[1, :3, 3].tolist() == pytest.approx([0.0, 700.0, 0.0], abs=1e-9)
    assert view.pose[0, :3, 2].tolist() == pytest.approx([-1.0, 0.0, 0.0])


@pytest.mark.parametrize("angles", [(0.4, 0.0, 0.0), (0.4, 0.3, -1.1)])
def test_every_pixel_lies_where_tigre_puts_it(angles):
    geo = {
        **PLAIN, "off_origin": (3.0, -5.0, 7.0), "off_detector": (4.0, -6.0), "rot_detector": (0.02, -0.03, 0.05),
        "cor": 1.5,
    }  # fmt: skip
    view = from_tigre(torch.tensor([angles], dtype=F64), **geo, center=CENTER)
    for row, column in ((0, 0), (29, 0), (7, 40)):
        source, point = tigre_pixel(row, column, angles, **geo)
        torch.testing.assert_close(view.pose[0, :3, 3], source + CENTER)
        uv = torch.tensor([[41 - (column + 0.5), row + 0.5]], dtype=F64)  # our image is theirs flipped left to right
        seen = back_project(uv, view.camera, view.pose, depth=view.camera.sdd_mm)[0, 0]
        torch.testing.assert_close(seen, point + CENTER)


def test_round_trip_keeps_every_number():
    there = to_tigre(camera(), poses(), center=CENTER)
    view = from_tigre(**there._asdict(), center=CENTER)
    assert view.mirrored
    assert_same_view(view, (camera(), poses()))
    torch.testing.assert_close(
        pixels(box(), view.camera, view.pose, mirrored=True), pixels(box(), camera(), poses(), mirrored=True)
    )


def test_bad_geometry_says_what_is_wrong():
    with pytest.raises(GeometryError, match="dsd must be larger than dso"):
        from_tigre([0.0], **{**PLAIN, "dso": 1200.0})
    with pytest.raises(GeometryError, match="off_detector must be 2 finite numbers, or as many for each of 2 angles"):
        from_tigre([0.0, 1.0], **PLAIN, off_detector=(1.0, 2.0, 3.0))
    with pytest.raises(GeometryError, match="angles must be"):
        from_tigre(torch.zeros(2, 2), **PLAIN)
    with pytest.raises(GeometryError, match="center must lie between source and detector"):
        to_tigre(camera(), poses(), center=(0.0, 0.0, 9000.0))
