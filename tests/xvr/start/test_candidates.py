"""Joined, distinct and spread candidates."""

import pytest
import torch
from xraykit.render import GeometryError, InputError, carm_pose
from xraykit.render.geometry import compose, rigid_inverse
from xraykit.xvr.start import distinct_starts, joined_starts, spread_to_views

BOX = torch.tensor([[x, y, z] for x in (-100.0, 100.0) for y in (-100.0, 100.0) for z in (-100.0, 100.0)])


def starts(*lao: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return carm_pose(lao_rao=torch.tensor(lao, dtype=dtype), sod=700.0)[:, None]


def test_joined_starts_keep_the_order_and_become_float64():
    joined = joined_starts([starts(10.0, dtype=torch.float32), starts(20.0, 30.0)])
    assert joined.dtype == torch.float64 and joined.shape == (3, 1, 4, 4)
    assert torch.allclose(joined, starts(10.0, 20.0, 30.0), atol=1e-4)


@pytest.mark.parametrize("given", [[], [starts(0.0)[0]], [starts(0.0), starts(0.0).expand(1, 2, 4, 4)]])
def test_starts_that_do_not_fit_each_other_are_refused(given):
    with pytest.raises(GeometryError, match="one number of views"):
        joined_starts(given)


def test_a_reflection_among_the_starts_is_refused():
    with pytest.raises(GeometryError, match="reflection"):
        joined_starts([starts(0.0) @ torch.diag(torch.tensor([-1.0, 1, 1, 1], dtype=torch.float64))])


def test_nearly_equal_starts_count_once_and_the_better_stays():
    # 1 degree moves the box's corners by 2.5 mm at most, 20 degrees by dozens.
    kept = distinct_starts(starts(0.0, 1.0, 20.0, 21.0), BOX, tolerance=5.0)
    assert torch.equal(kept, starts(0.0, 20.0))


def test_distance_between_starts_is_what_the_points_move_before_the_camera():
    nearer = carm_pose(sod=torch.tensor([700.0, 709.0], dtype=torch.float64))[:, None]
    assert len(distinct_starts(nearer, BOX, tolerance=9.01)) == 1
    assert len(distinct_starts(nearer, BOX, tolerance=8.99)) == 2


def test_most_stops_the_list():
    assert len(distinct_starts(starts(0.0, 40.0, 80.0), BOX, most=2)) == 2


def test_spread_starts_keep_the_views_places_relative_to_each_other():
    views = carm_pose(lao_rao=torch.tensor([180.0, 90.0], dtype=torch.float64), sod=700.0)
    relative = compose(rigid_inverse(views[:1]), views)
    spread = spread_to_views(starts(180.0, 150.0), relative)
    assert spread.shape == (2, 2, 4, 4)
    assert torch.allclose(spread[0], views)
    assert torch.allclose(compose(rigid_inverse(spread[:, 0]), spread[:, 1]), relative[1].expand(2, 4, 4), atol=1e-9)


def test_relative_poses_that_do_not_begin_with_the_first_view_are_refused():
    with pytest.raises(InputError, match="identity"):
        spread_to_views(starts(0.0), starts(5.0)[0])
    with pytest.raises(InputError, match="first view alone"):
        spread_to_views(starts(0.0).expand(1, 2, 4, 4), torch.eye(4)[None])
