"""The frame that a view's angles count in: the patient's, the head's, or that of a limb as it lies in the volume.

Columns are x (right), y (front) and z (to the head, or proximal) in the world. Frames are proper rotations on both
sides: x of a left limb points to the patient's right, so that mirroring a body mirrors a to -a.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from . import arm_frames, leg_frames
from .anatomy import Anatomy
from .axes import WIDER, ViewFrame, across, principal_axes, upright
from .definition import FrameName, ViewSide
from .leg_frames import FRONT, UP

PointsByName = Mapping[str, Tensor]

EARS = ("external_ear_canal_{side}", "auditory_canal_{side}", "porion_{side}")
EYES = ("outer_canthus_{side}", "orbit_{side}", "eye_{side}", "eyeball_{side}")

LIMBS: Mapping[FrameName, Callable[[Anatomy, ViewSide], ViewFrame]] = {
    "arm": arm_frames.arm,
    "elbow": arm_frames.elbow,
    "forearm": arm_frames.forearm,
    "wrist": arm_frames.wrist,
    "hand": arm_frames.hand,
    "thigh": leg_frames.thigh,
    "knee": leg_frames.knee,
    "leg": leg_frames.leg,
    "ankle": leg_frames.ankle,
    "foot": leg_frames.foot,
}


def view_frame(name: FrameName, body: Anatomy, side: ViewSide, landmarks: PointsByName) -> ViewFrame:
    """The frame by name; whatever it is found from must be there."""
    if name == "patient":
        return ViewFrame(torch.eye(3, dtype=torch.float64), "volume")
    if name == "head":
        return _head(body, landmarks)
    return _scapula(body, side) if name == "scapula" else LIMBS[name](body, side)


def _head(body: Anatomy, landmarks: PointsByName) -> ViewFrame:
    """y along the orbitomeatal line where ears and eyes are known; else the skull's principal axes."""
    ears, eyes = ([_point(names, side, body, landmarks) for side in ("left", "right")] for names in (EARS, EYES))
    if ears[0] is not None and ears[1] is not None and eyes[0] is not None and eyes[1] is not None:
        forward = (eyes[0] + eyes[1] - ears[0] - ears[1]) / 2
        up = torch.linalg.cross(ears[1] - ears[0], forward)
        return upright(up, [("orbitomeatal line", forward)])
    deviations, axes = principal_axes(body.cloud("skull"))
    front = int(axes[1].abs().argmax())
    y = axes[:, front] * axes[1, front].sign()
    low, high = (n for n in range(3) if n != front)
    upwards = max((low, high), key=lambda n: float(axes[2, n].abs()))
    # Where height and width are alike, these two axes may lie anywhere across y: the head is then taken as not tilted.
    z = axes[:, upwards] * axes[2, upwards].sign() if float(deviations[high]) > WIDER * float(deviations[low]) else UP
    return upright(across(z, y), [("principal axes of the skull", y)])


def _point(names: tuple[str, ...], side: str, body: Anatomy, landmarks: PointsByName) -> Tensor | None:
    """The first of these landmarks, or of the labels so called, that is there."""
    for name in (name.replace("{side}", side) for name in names):
        if name in landmarks:
            return torch.as_tensor(landmarks[name], dtype=torch.float64)
        if (centre := body.centroid(name)) is not None:
            return centre
    return None


def _scapula(body: Anatomy, side: ViewSide) -> ViewFrame:
    """z to the head; y level and across the blade, so that x lies in its plane."""
    normal = principal_axes(body.cloud(f"scapula_{side}"))[1][:, 0]
    normal = normal if float(normal @ FRONT) >= 0 else -normal
    return upright(UP, [("blade of the scapula", normal), ("volume", FRONT)])
