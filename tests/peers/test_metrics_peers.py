"""The paper's four errors, computed with diffdrr's own projections and geodesic, against ours on core poses."""

import pytest
import torch
from support.later import later
from support.views import CENTER, box
from xraykit.render.converters import from_diffdrr
from xraykit.xvr.evaluate.metrics import pose_errors

REASON = "needs the peers group: uv sync --group peers"
detector, drr, metrics, pose = (
    later(f"diffdrr.{name}", reason=REASON) for name in ("detector", "drr", "metrics", "pose")
)

pytestmark = pytest.mark.peer
REORIENT = {
    "AP": [[1.0, 0, 0, 0], [0, 0, -1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
    "PA": [[1.0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]],
}
DETECTOR = {"sdd": 1020.0, "height": 30, "width": 41, "delx": 2.5, "dely": 2.5, "x0": 8.0, "y0": -11.0}


class Peer:
    """The parts of a DRR that project points, with DiffDRR's own detector and no volume."""

    def perspective_projection(self, *arguments):
        return drr.DRR.perspective_projection(self, *arguments)

    def inverse_projection(self, *arguments):
        return drr.DRR.inverse_projection(self, *arguments)

    def __init__(self, orientation, reverse_x_axis):
        reorient = torch.tensor(REORIENT[orientation])
        self.detector = detector.Detector(reorient=reorient, reverse_x_axis=reverse_x_axis, **DETECTOR).double()

    def errors(self, estimate, truth, fiducials):
        """mPE, mRPE, mTRE and dGeo as the published evaluator defines them."""
        seen, true = (self.perspective_projection(pose, fiducials) for pose in (estimate, truth))
        mpe = (DETECTOR["delx"] * (seen - true)).norm(dim=-1).mean(-1)
        lifted = self.inverse_projection(estimate, seen.clone()) - self.inverse_projection(truth, true.clone())
        mtre = (estimate(fiducials) - truth(fiducials)).norm(dim=-1).mean(-1)
        return (
            mpe,
            lifted.norm(dim=-1).mean(-1),
            mtre,
            metrics.DoubleGeodesicSE3(DETECTOR["sdd"], eps=0.0)(truth, estimate)[2],
        )


@pytest.mark.parametrize(
    ("orientation", "reverse"), [("AP", False), ("AP", True), ("PA", True), ("PA", False)], ids=str
)
def test_core_poses_give_the_numbers_of_the_published_evaluator(orientation, reverse):
    sign = 1.0 if orientation == "AP" else -1.0
    angles = torch.tensor([[0.4, -0.2, 0.1], [2.8, 0.3, -0.4]], dtype=torch.float64)
    shifts = torch.tensor([[5.0, sign * 800.0, -12.0], [-20.0, sign * 760.0, 9.0]], dtype=torch.float64)
    truth = pose.convert(angles, shifts, parameterization="euler_angles", convention="ZXY")
    estimate = pose.convert(
        angles + torch.tensor([0.02, -0.05, 0.03], dtype=torch.float64),
        shifts + torch.tensor([1.0, -14.0, 2.0], dtype=torch.float64),
        parameterization="euler_angles",
        convention="ZXY",
    )
    theirs = Peer(orientation, reverse).errors(estimate, truth, (box() - CENTER).expand(2, 8, 3))
    views = [
        from_diffdrr(one.matrix, orientation=orientation, reverse_x_axis=reverse, **DETECTOR, center=CENTER)
        for one in (estimate, truth)
    ]
    ours = pose_errors(
        views[0].pose,
        views[1].pose,
        camera=views[1].camera,
        fiducials=box(),
        center=CENTER,
        orientation=orientation,
    )
    for name, mine, peer in zip(("mpe", "mrpe", "mtre_c2w", "dgeo"), (*ours[:3], ours.dgeo), theirs, strict=True):
        torch.testing.assert_close(mine, peer.double(), rtol=1e-5, atol=1e-4, msg=lambda text, n=name: f"{n}: {text}")
    assert bool((ours.mtre_c2w > 1.5 * ours.true_tre).all())
