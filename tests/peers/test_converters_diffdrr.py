"""DiffDRR's own projection of points, and its rays, against ours through the converter."""

import warnings

import pytest
import torch
from support.later import later
from support.views import CENTER, box, camera, pixels, poses
from xraykit.render import Volume, render
from xraykit.render.converters import diffdrr_extrinsic, from_diffdrr, to_diffdrr
from xraykit.render.geometry import back_project, pixel_centers

REASON = "needs the peers group: uv sync --group peers"
torchio = later("torchio", reason=REASON)
data, detector, drr, pose = (later(f"diffdrr.{name}", reason=REASON) for name in ("data", "detector", "drr", "pose"))

pytestmark = pytest.mark.peer
F32 = torch.float32
# What diffdrr.data.read puts into subject.reorient.
REORIENT = {
    "AP": [[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
    "PA": [[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
    None: [[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
}
CASES = [(orientation, reverse) for orientation in ("AP", "PA", None) for reverse in (True, False)]
ANGLES = torch.tensor([[0.0, 0.0, 0.0], [0.5, -0.3, 0.2], [2.8, 0.4, -1.1]])
SHIFTS = torch.tensor([[0.0, 700.0, 0.0], [20.0, 750.0, -30.0], [-10.0, 650.0, 15.0]])
DETECTOR = {"sdd": 1000.0, "height": 30, "width": 41, "delx": 2.5, "dely": 3.0, "x0": 8.0, "y0": -11.0}


class Peer:
    """The parts of a DRR that project points: a detector, without any volume."""

    def perspective_projection(self, *arguments):
        return drr.DRR.perspective_projection(self, *arguments)

    def __init__(self, orientation, reverse_x_axis, **numbers):
        reorient = torch.tensor(REORIENT[orientation])
        self.detector = detector.Detector(reorient=reorient, reverse_x_axis=reverse_x_axis, **numbers)


def extrinsics(orientation):
    """E whose beam runs towards the origin: the source must lie on the side that the orientation looks from."""
    shift = {"AP": SHIFTS, "PA": SHIFTS * torch.tensor([1.0, -1, 1]), None: -SHIFTS[:, [0, 2, 1]]}[orientation]
    return pose.convert(ANGLES, shift, parameterization="euler_angles", convention="ZXY")


@pytest.mark.parametrize(("orientation", "reverse"), CASES)
def test_box_corners_fall_on_the_same_pixels(orientation, reverse):
    E = extrinsics(orientation)
    points = box(F32) - CENTER.to(F32)
    theirs = Peer(orientation, reverse, **DETECTOR).perspective_projection(E, points.expand(3, 8, 3))
    view = from_diffdrr(E.matrix, orientation=orientation, reverse_x_axis=reverse, **DETECTOR, center=CENTER)
    ours = pixels(box(F32), view.camera, view.pose, mirrored=view.mirrored)
    torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0)


@pytest.mark.parametrize(("orientation", "reverse"), CASES)
@pytest.mark.parametrize("size", [(4, 6), (5, 7), (4, 7)])
def test_every_ray_starts_and_ends_at_the_same_point(orientation, reverse, size):
    numbers = DETECTOR | {"height": size[0], "width": size[1]}
    E = extrinsics(orientation)
    source, target = Peer(orientation, reverse, **numbers).detector(E, None)
    view = from_diffdrr(E.matrix, orientation=orientation, reverse_x_axis=reverse, **numbers)
    centres = pixel_centers(view.camera, dtype=F32)
    centres = centres.flip(1) if view.mirrored else centres
    torch.testing.assert_close(back_project(centres.reshape(-1, 2), view.camera, view.pose), target, atol=2e-3, rtol=0)
    torch.testing.assert_close(view.pose[:, None, :3, 3], source, atol=1e-3, rtol=0)


@pytest.mark.parametrize(("orientation", "mirrored"), [(o, m) for o in ("AP", "PA", None) for m in (True, False)])
def test_our_views_handed_to_diffdrr_show_the_same_image(orientation, mirrored):
    numbers = to_diffdrr(camera(), poses(F32), orientation=orientation, mirrored=mirrored, center=CENTER)._asdict()
    E = pose.RigidTransform(numbers.pop("extrinsic"))
    peer = Peer(**numbers)
    theirs = peer.perspective_projection(E, (box(F32) - CENTER.to(F32)).expand(4, 8, 3))
    ours = pixels(box(F32), camera(), poses(F32), mirrored=mirrored)
    torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0)


@pytest.mark.parametrize("parameterization", ["euler_angles", "axis_angle", "quaternion_adjugate", "se3_log_map"])
def test_pose_parameters_mean_the_same(parameterization):
    n = 10 if parameterization == "quaternion_adjugate" else 3
    rotation = torch.randn(5, n, generator=torch.Generator().manual_seed(0))
    theirs = pose.convert(rotation, SHIFTS[:1].expand(5, 3), parameterization=parameterization, convention="ZXY").matrix
    ours = diffdrr_extrinsic(rotation, SHIFTS[:1].expand(5, 3), parameterization=parameterization)
    torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=0)


def test_the_property_x0_is_the_negative_of_what_the_constructor_takes():
    assert Peer("AP", True, **DETECTOR).detector.x0 == -DETECTOR["x0"]


@pytest.mark.parametrize(("orientation", "reverse"), [case for case in CASES if case[0]])
def test_a_rendered_image_agrees_pixel_by_pixel(orientation, reverse):
    """The whole chain on a noise volume with an LAS grid off the origin: nothing but the right view agrees."""
    affine = torch.diag(torch.tensor([-3.0, 2.5, 4.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([50.0, -20.0, 300.0])
    volume = Volume(torch.rand(10, 14, 12, generator=torch.Generator().manual_seed(1)), affine)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ijk = volume.mu.permute(2, 1, 0)[None].contiguous()
        subject = data.read(torchio.ScalarImage(tensor=ijk, affine=affine.numpy()), orientation=orientation)
        peer = drr.DRR(subject, reverse_x_axis=reverse, renderer="siddon", **DETECTOR)
    peer.density = volume.mu.permute(2, 1, 0)
    E = extrinsics(orientation)
    view = from_diffdrr(E.matrix, orientation=orientation, reverse_x_axis=reverse, **DETECTOR, center=volume.center)
    ours = render(volume, view.camera, view.pose, method="siddon", backend="torch")
    theirs = peer(E)
    torch.testing.assert_close(
        ours.flip(-1) if view.mirrored else ours, theirs, atol=1e-4 * float(theirs.max()), rtol=0
    )
    assert float(theirs.max()) > 5
