"""Candidate poses from a network: what it says of an X-ray, and the antipode that looks alike."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import InputError, Volume
from xraykit.render.geometry import check_pose, full_precision, nearest_rotation, rigid_matrix

from ..xray.shot import Shot
from ..xray.upright import rolled, upright_shot
from .canonical import canonical_image
from .frame import NetworkFrame
from .pose_network import PoseNetwork
from .preprocess import network_input


@full_precision
def predict_poses(
    model: PoseNetwork, shot: Shot, volume: Volume, *, warp: Tensor | None = None, antipodes: bool = True
) -> Tensor:
    """Where a network says that an X-ray was taken, as starts for a registration.

    Args:
        model: The network, on any device.
        shot: The X-ray; the network sees it upright where its file says that it is stored turned.
        volume: The CT that the poses refer to.
        warp: Template world to the CT's world, (4, 4) RAS; for networks in a template frame.
        antipodes: Add the antipode of the prediction: the view from the other side of the patient, with which
            networks confuse it.

    Returns:
        (S, 1, 4, 4) float64 camera_to_world on the CPU: prediction first; S is 2 with antipodes, else 1.

    Raises:
        InputError: The warp is missing or superfluous, or the network answers with NaN.
    """
    model.frame.check_warp(warp)
    weight = model.xyz_regression.weight
    images = network_input(canonical_image(upright_shot(shot), model.frame), model.frame).to(weight)
    was = model.training
    model.eval()
    with torch.no_grad():
        extrinsic = model(images).double().cpu()
    model.train(was)
    if not bool(torch.isfinite(extrinsic).all()):
        raise InputError(f"the network's pose for {shot.name} is not finite; its weights are damaged, train again.")
    pose = model.frame.to_world(extrinsic, volume, warp=warp)
    pose = check_pose(rigid_matrix(nearest_rotation(pose[:, :3, :3]), pose[:, :3, 3]))  # exact in float64 now
    found = torch.stack([pose, antipode(pose, volume)] if antipodes else [pose])
    return rolled(found, shot.roll)


def antipode(pose: Tensor, volume: Volume) -> Tensor:
    """The pose (B, 4, 4) on the other side of the patient, whose X-ray looks alike.

    In xvr's angles about the centre of the CT, (a, b, c) becomes (180 - a, -b, c) with the translation kept: a beam
    through the centre is turned half round the patient's left-right axis. As matrices, R' = diag(-1, 1, 1) R
    diag(1, -1, 1) in E = [R | R t], which has no gimbal lock. Applied twice it gives the pose again.

    Source: xvr; the matrix form follows from R = Rz(a) Rx(b) Ry(c).
    """
    frame = NetworkFrame(sdd=1.0, height=1, delx=1.0)
    E = frame.from_world(pose, volume)
    R, position = E[:, :3, :3], E[:, :3, 3:]
    turned = R * E.new_tensor([[-1.0], [1.0], [1.0]]) * E.new_tensor([1.0, -1.0, 1.0])
    return frame.to_world(rigid_matrix(turned, (turned @ R.mT @ position)[..., 0]), volume)
