"""nanodrr's own cameras and poses against ours through the converter."""

import pytest
import torch
from support.later import later
from support.views import CENTER, box, camera, pixels, poses
from xraykit.render.converters import from_diffdrr, from_nanodrr, to_diffdrr, to_nanodrr
from xraykit.render.errors import GeometryError

REASON = "needs the peers group: uv sync --group peers"
nano_camera, nano_geometry = (later(f"nanodrr.{name}", reason=REASON) for name in ("camera", "geometry"))

pytestmark = pytest.mark.peer
F64 = torch.float64
DEGREES = torch.tensor([[0.0, 0, 0], [30, -15, 10], [160, 20, -60]], dtype=F64)
SHIFTS = torch.tensor([[0.0, 700, 0], [20, 750, -30], [-10, 650, 15]], dtype=F64)
DETECTOR = {"sdd": 1000.0, "height": 30, "width": 41, "delx": 2.5, "dely": 3.0, "x0": 8.0, "y0": -11.0}


def project(k_inv, rt_inv, points):
    """nanodrr's pinhole with its own point transform."""
    local = nano_geometry.transform_point(torch.linalg.inv(rt_inv), points.expand(len(rt_inv), -1, 3))
    seen = local @ torch.linalg.inv(k_inv).mT
    return seen[..., :2] / seen[..., 2:]


@pytest.mark.parametrize("orientation", ["AP", "PA", None])
def test_box_corners_fall_on_the_same_pixels(orientation):
    shift = {"AP": SHIFTS, "PA": SHIFTS * torch.tensor([1.0, -1, 1]), None: -SHIFTS[:, [0, 2, 1]]}[orientation]
    k_inv = nano_camera.make_k_inv(**DETECTOR, dtype=F64)
    rt_inv = nano_camera.make_rt_inv(DEGREES, shift, orientation=orientation, isocenter=CENTER)
    view = from_nanodrr(k_inv, DETECTOR["sdd"], rt_inv, height=30, width=41)
    assert view.mirrored is (orientation == "PA")
    ours = pixels(box(), view.camera, view.pose, mirrored=view.mirrored)
    torch.testing.assert_close(ours, project(k_inv, rt_inv, box()), atol=1e-6, rtol=0)


@pytest.mark.parametrize("orientation", ["AP", "PA", None])
def test_nanodrr_equals_diffdrr_with_a_reversed_x_axis(orientation):
    """A second way to the same pose: nanodrr's Euler angles with DiffDRR's orientation matrices."""
    rt_inv = nano_camera.make_rt_inv(DEGREES, SHIFTS, orientation=orientation, isocenter=CENTER)
    nano = from_nanodrr(nano_camera.make_k_inv(**DETECTOR, dtype=F64), DETECTOR["sdd"], rt_inv, height=30, width=41)
    mount = nano_camera.make_rt_inv(DEGREES, SHIFTS, orientation=None) * torch.tensor([-1.0, -1, 1, 1])
    diff = from_diffdrr(mount, orientation=orientation, reverse_x_axis=True, **DETECTOR, center=CENTER)
    torch.testing.assert_close(nano.pose, diff.pose)
    assert nano.mirrored is diff.mirrored
    back = to_diffdrr(nano.camera, nano.pose, orientation=orientation, mirrored=nano.mirrored, center=CENTER)
    assert (back.x0, back.y0) == pytest.approx((8.0, -11.0))


@pytest.mark.parametrize("mirrored", [False, True])
def test_our_views_handed_to_nanodrr_show_the_same_image(mirrored):
    numbers = to_nanodrr(camera(), poses(), mirrored=mirrored)
    theirs = project(numbers.k_inv, numbers.rt_inv, box())
    torch.testing.assert_close(theirs, pixels(box(), camera(), poses(), mirrored=mirrored), atol=1e-6, rtol=0)


def test_mixed_orientations_in_one_batch_are_refused():
    rt_inv = torch.cat([nano_camera.make_rt_inv(DEGREES[:1], SHIFTS[:1], orientation=o) for o in ("AP", "PA")])
    with pytest.raises(GeometryError, match="mirrored for all views or for none"):
        from_nanodrr(nano_camera.make_k_inv(**DETECTOR, dtype=F64), 1000.0, rt_inv, height=30, width=41)
