"""The published networks' frame against diffdrr itself: pose formulas, and where eight corners are projected."""

import pytest
import torch
from support.later import later
from support.pose_networks import SIZES, random_state, reference_extrinsic
from xraykit.render import Volume
from xraykit.render.geometry import box_corners, project
from xraykit.render.weights import fill_module
from xraykit.xvr import NetworkFrame, PoseNetwork

REASON = "needs the peers group: uv sync --group peers"
detector, drr, pose = (later(f"diffdrr.{name}", reason=REASON) for name in ("detector", "drr", "pose"))
pytestmark = pytest.mark.peer
REORIENT = {  # what diffdrr.data.read puts into subject.reorient
    "AP": [[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
    "PA": [[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
}


def filled(model, state, *, source):
    """The network with these weights, as its readers fill it."""
    return fill_module(model, state, source=source, wanted=model.described())


class Peer:
    """The parts of a DRR that project points: a detector, without any volume."""

    def perspective_projection(self, *arguments):
        return drr.DRR.perspective_projection(self, *arguments)

    def __init__(self, frame):
        self.detector = detector.Detector(
            reorient=torch.tensor(REORIENT[frame.orientation]),
            reverse_x_axis=frame.reverse_x_axis,
            sdd=frame.sdd,
            height=frame.height,
            width=frame.height,
            delx=frame.delx,
            dely=frame.delx,
            x0=0.0,
            y0=0.0,
        )


def test_random_published_weights_give_diffdrrs_pose():
    parameterization = "quaternion_adjugate"  # the others: by the formulas below, which the networks are tested with
    frame = NetworkFrame(1020.0, 64, 4.35, parameterization=parameterization)
    model = PoseNetwork(frame, backbone="resnet18").eval()
    filled(model, random_state(SIZES[parameterization], seed=1), source="test")
    with torch.no_grad():
        images = torch.randn(3, 1, 64, 64, generator=torch.Generator().manual_seed(2))
        rotation, translation = model.numbers(images)
        ours = model(images)
    theirs = pose.convert(rotation, 1000 * translation, parameterization=parameterization, convention="ZXY").matrix
    torch.testing.assert_close(ours[:, :3, :3], theirs[:, :3, :3], atol=1e-5, rtol=0)
    torch.testing.assert_close(ours[:, :3, 3], theirs[:, :3, 3], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("parameterization", sorted(set(SIZES) - {"so3_log_map"}))  # diffdrr converts all but this
def test_the_formulas_of_our_tests_and_of_our_frame_are_diffdrrs(parameterization):
    generator = torch.Generator().manual_seed(5)
    rotation = torch.randn(4, SIZES[parameterization], generator=generator)
    translation = 100 * torch.randn(4, 3, generator=generator)
    theirs = pose.convert(rotation, translation, parameterization=parameterization, convention="ZXY").matrix
    pairs = zip(rotation.tolist(), translation.tolist(), strict=True)
    ours = torch.stack([reference_extrinsic(r, t, parameterization) for r, t in pairs])
    torch.testing.assert_close(ours.float(), theirs, atol=1e-5, rtol=1e-5)
    frame = NetworkFrame(1020.0, 64, 4.35, parameterization=parameterization, unit_factor=1.0)
    torch.testing.assert_close(frame.extrinsic(rotation.double(), translation.double()), ours, atol=1e-5, rtol=1e-9)


@pytest.mark.parametrize("orientation", ["AP", "PA"])
@pytest.mark.parametrize("reverse", [True, False])
def test_corners_of_the_ct_fall_on_diffdrrs_pixels(orientation, reverse):
    affine = torch.diag(torch.tensor([-3.0, 2.5, 4.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([50.0, -20.0, 300.0])
    volume = Volume(torch.zeros(30, 40, 36), affine)
    corners = box_corners(volume.shape, affine)
    frame = NetworkFrame(1020.0, 65, 4.35, orientation=orientation, reverse_x_axis=reverse)
    front = 1.0 if orientation == "AP" else -1.0
    translation = torch.tensor([[20.0, front * 800.0, -30.0], [-15.0, front * 700.0, 10.0]])
    angles = torch.tensor([[0.4, -0.3, 0.2], [-2.1, 0.5, -0.6]])
    E = pose.convert(angles, translation, parameterization="euler_angles", convention="ZXY")
    theirs = Peer(frame).perspective_projection(E, (corners - volume.center).float().expand(2, 8, 3))
    uv, depth, _ = project(corners, frame.camera(), frame.to_world(E.matrix.double(), volume))
    if frame.mirrored:
        uv = torch.stack([frame.height - uv[..., 0], uv[..., 1]], dim=-1)
    assert float(depth.min()) > 0
    torch.testing.assert_close(uv.float(), theirs, atol=2e-3, rtol=0)
