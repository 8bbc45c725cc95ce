"""Pose networks by the published description alone: names, shapes, forward pass and pose formulas, none of ours."""

import math
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
SIZES = {
    "axis_angle": 3,
    "euler_angles": 3,
    "so3_log_map": 3,
    "quaternion": 4,
    "rotation_6d": 6,
    "rotation_9d": 9,
    "rotation_10d": 10,
    "quaternion_adjugate": 10,
    "se3_log_map": 3,
}


def published_layout(backbone: str, n: int) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor in a published state dict."""
    layout: dict[str, tuple[int, ...]] = {"backbone.conv1.weight": (64, 1, 7, 7)}

    def norm(name: str, channels: int) -> None:
        layout[f"{name}.weight"] = layout[f"{name}.bias"] = (channels,)

    norm("backbone.bn1", 64)
    before = 64
    for stage, count in enumerate(BLOCKS[backbone], start=1):
        channels = 64 * 2 ** (stage - 1)
        for block in range(count):
            name = f"backbone.layer{stage}.{block}"
            layout[f"{name}.conv1.weight"] = (channels, before, 3, 3)
            norm(f"{name}.bn1", channels)
            layout[f"{name}.conv2.weight"] = (channels, channels, 3, 3)
            norm(f"{name}.bn2", channels)
            if stage > 1 and block == 0:
                layout[f"{name}.downsample.0.weight"] = (channels, before, 1, 1)
                norm(f"{name}.downsample.1", channels)
            before = channels
    for head, size in (("xyz_regression", 3), ("rot_regression", n)):
        layout[f"{head}.weight"] = (size, 512)
        layout[f"{head}.bias"] = (size,)
    return layout


def random_state(n: int, *, backbone: str = "resnet18", seed: int = 0) -> dict[str, Tensor]:
    """Random weights in that layout, float32."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in published_layout(backbone, n).items():
        scale = 1 / math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 0.3
        state[name] = scale * torch.randn(shape, generator=generator) + (len(shape) == 1 and name.endswith("weight"))
    return state


def reference_numbers(state: dict[str, Tensor], images: Tensor) -> tuple[Tensor, Tensor]:
    """Rotation and translation heads of a ResNet with basic blocks, written out in functional calls."""

    def norm(x: Tensor, name: str) -> Tensor:
        return F.group_norm(x, 32, state[f"{name}.weight"], state[f"{name}.bias"], 1e-5)

    x = F.conv2d(images, state["backbone.conv1.weight"], stride=2, padding=3)
    x = F.max_pool2d(F.relu(norm(x, "backbone.bn1")), 3, stride=2, padding=1)
    for stage in (1, 2, 3, 4):
        for block in range(100):
            name = f"backbone.layer{stage}.{block}"
            if f"{name}.conv1.weight" not in state:
                break
            stride = 2 if stage > 1 and block == 0 else 1
            y = F.relu(norm(F.conv2d(x, state[f"{name}.conv1.weight"], stride=stride, padding=1), f"{name}.bn1"))
            y = norm(F.conv2d(y, state[f"{name}.conv2.weight"], padding=1), f"{name}.bn2")
            if f"{name}.downsample.0.weight" in state:
                x = norm(F.conv2d(x, state[f"{name}.downsample.0.weight"], stride=stride), f"{name}.downsample.1")
            x = F.relu(x + y)
    features = x.mean((2, 3))
    rotation, translation = (
        features @ state[f"{head}.weight"].T + state[f"{head}.bias"] for head in ("rot_regression", "xyz_regression")
    )
    return rotation, translation


def reference_extrinsic(rotation: list[float], translation: list[float], parameterization: str) -> Tensor:
    """E of one view from its numbers [rad, mm], by the published formulas, (4, 4) float64."""
    v, t = (torch.tensor(numbers, dtype=torch.float64) for numbers in (rotation, translation))
    E = torch.eye(4, dtype=torch.float64)
    if parameterization == "se3_log_map":
        angle = max(float(v @ v), 1e-4) ** 0.5
        w = _cross(v)
        E[:3, :3] = torch.linalg.matrix_exp(w)
        V = (
            torch.eye(3, dtype=torch.float64)
            + (1 - math.cos(angle)) / angle**2 * w
            + (angle - math.sin(angle)) / angle**3 * w @ w
        )
        E[:3, 3] = V @ t
        return E
    R = _rotation(v, parameterization)
    E[:3, :3], E[:3, 3] = R, R @ t
    return E


def _rotation(v: Tensor, parameterization: str) -> Tensor:
    if parameterization in ("axis_angle", "so3_log_map"):
        angle = float(v.norm())
        return _from_quaternion(torch.cat([v.new_tensor([math.cos(angle / 2)]), v * math.sin(angle / 2) / angle]))
    if parameterization == "euler_angles":
        return _about(2, float(v[0])) @ _about(0, float(v[1])) @ _about(1, float(v[2]))
    if parameterization == "quaternion":
        return _from_quaternion(v)
    if parameterization == "rotation_6d":
        first = v[:3] / v[:3].norm()
        second = v[3:] - (first @ v[3:]) * first
        second = second / second.norm()
        return torch.stack([first, second, torch.linalg.cross(first, second)])
    if parameterization == "rotation_9d":
        U, _, Vt = torch.linalg.svd(v.reshape(3, 3))
        Vt[2] *= torch.linalg.det(U @ Vt)
        return U @ Vt
    A = torch.zeros(4, 4, dtype=torch.float64)
    pairs = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)]
    for number, (i, j) in zip(v, pairs, strict=True):
        A[i, j] = A[j, i] = number
    if parameterization == "rotation_10d":
        return _from_quaternion(torch.linalg.eigh(A).eigenvectors[:, 0])
    lengths = [float(row.norm()) for row in A]
    row = A[lengths.index(max(lengths))]
    return _from_quaternion(row / row.norm())


def _from_quaternion(q: Tensor) -> Tensor:
    w, x, y, z = q.tolist()
    s = 2 / (w * w + x * x + y * y + z * z)
    rows = [
        [1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)],
        [s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w)],
        [s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y)],
    ]
    return torch.tensor(rows, dtype=torch.float64)


def _about(axis: int, angle: float) -> Tensor:
    c, s = math.cos(angle), math.sin(angle)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    R = torch.eye(3, dtype=torch.float64)
    R[i, i] = R[j, j] = c
    R[i, j], R[j, i] = -s, s
    return R


def _cross(v: Tensor) -> Tensor:
    x, y, z = v.tolist()
    return torch.tensor([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]], dtype=torch.float64)


CONFIG = {
    "volpath": "/data/subject01/volume.nii.gz",
    "maskpath": None,
    "alphamin": 135.0,
    "sdd": 1020.0,
    "height": 64,
    "delx": 4.352875,
    "orientation": "AP",
    "reverse_x_axis": False,
    "renderer": "trilinear",
    "parameterization": "quaternion_adjugate",
    "convention": "ZXY",
    "model_name": "resnet18",
    "pretrained": False,
    "norm_layer": "groupnorm",
    "unit_conversion_factor": 1000.0,
    "warp": None,
}


def write_checkpoint(path: Path, state: dict[str, Tensor], *, drop: tuple[str, ...] = (), **config: object) -> Path:
    """A checkpoint as xvr's second generation saves it, with settings changed or dropped."""
    import datetime

    settings = {name: value for name, value in (CONFIG | config).items() if name not in drop}
    content = {
        "model_state_dict": state,
        "optimizer_state_dict": {"state": {0: {"step": torch.tensor(5.0)}}, "param_groups": [{"lr": 2e-4}]},
        "scheduler_state_dict": {"last_epoch": 5},
        "itr": 1000,
        "model_number": 1,
        "date": datetime.datetime(2026, 2, 16, 12, 0),
        "config": settings,
    }
    torch.save(content, path)
    return path
