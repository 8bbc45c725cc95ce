"""DeepDRR's frame transforms, in closed form."""

import pytest
import torch
from support.motions import random_poses
from support.views import assert_same_view, box, camera, pixels, poses
from xraykit.render.converters import from_deepdrr, to_deepdrr
from xraykit.render.errors import GeometryError, InputError
from xraykit.render.geometry import swap_ras_lps_points, transform_points

PLACEMENT = random_poses(1, seed=9)[0]


@pytest.mark.parametrize("anatomical", ["RAS", "LPS"])
@pytest.mark.parametrize("placement", [None, PLACEMENT])
def test_anatomy_in_the_world_appears_where_the_camera_sees_it(anatomical, placement):
    numbers = to_deepdrr(camera(), poses(), world_from_anatomical=placement, anatomical=anatomical)
    points = swap_ras_lps_points(box()) if anatomical == "LPS" else box()
    in_world = points if placement is None else transform_points(placement, points)
    seen = transform_points(numbers.camera3d_from_world, in_world) @ numbers.index_from_camera2d.mT
    torch.testing.assert_close(seen[..., :2] / seen[..., 2:], pixels(box(), camera(), poses()))


@pytest.mark.parametrize("anatomical", ["RAS", "LPS"])
@pytest.mark.parametrize("placement", [None, PLACEMENT])
@pytest.mark.parametrize("known", [{"sdd": 1020.0}, {"pixel_spacing": (3.0, 2.5)}])
def test_round_trip_keeps_every_number(anatomical, placement, known):
    where = {"world_from_anatomical": placement, "anatomical": anatomical}
    numbers = to_deepdrr(camera(), poses(), **where)
    view = from_deepdrr(numbers.index_from_camera2d, numbers.camera3d_from_world, height=30, width=41, **known, **where)
    assert_same_view(view, (camera(), poses()))


def test_bad_arguments_say_what_is_wrong():
    K, extrinsic, *_ = to_deepdrr(camera(), poses())
    size = {"height": 30, "width": 41, "sdd": 1020.0}
    with pytest.raises(InputError, match="anatomical must be RAS or LPS, got 'IJK'"):
        from_deepdrr(K, extrinsic, **size, anatomical="IJK")
    with pytest.raises(GeometryError, match=r"camera3d_from_world.* a reflection"):
        from_deepdrr(K, extrinsic * torch.tensor([-1.0, 1, 1, 1]), **size)
    with pytest.raises(GeometryError, match=r"world_from_anatomical.* a scaling by 2"):
        from_deepdrr(K, extrinsic, **size, world_from_anatomical=torch.diag(torch.tensor([2.0, 2, 2, 1])))
    with pytest.raises(GeometryError, match="index_from_camera2d must be floating point"):
        from_deepdrr(K[:, :2], extrinsic, **size)
