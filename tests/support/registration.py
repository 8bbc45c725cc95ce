"""A small patient to register: two smooth rigid bodies of uneven density, and X-rays of them."""

from __future__ import annotations

import torch
from torch import Tensor
from xraykit.render import Camera, Volume, carm_pose, render
from xraykit.render.geometry import rigid_matrix, se3_exp
from xraykit.xvr.xray.shot import Shot

SIZE, VOXEL = 40, 3.0


def two_bones(finer: int = 1) -> Volume:
    """Labels 1 and 2: two lumps of nine uneven balls each, 1 above 2, in a tilted world, in voxels of 3 mm / finer."""
    axis = (torch.arange(SIZE * finer, dtype=torch.float64) - (SIZE * finer - 1) / 2) * VOXEL / finer
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    mu, labels = torch.zeros_like(x), torch.zeros(x.shape, dtype=torch.int16)
    generator = torch.Generator().manual_seed(5)
    for label, height in ((1, 27.0), (2, -27.0)):
        spots = torch.rand(9, 5, generator=generator, dtype=torch.float64)
        for u, v, w, r, m in spots.tolist():
            centre = (60 * (u - 0.5), 60 * (v - 0.5), height + 18 * (w - 0.5))
            distance = sum((a - c) ** 2 for a, c in zip((x, y, z), centre, strict=True)).sqrt()
            inside = torch.sigmoid((8 + 8 * r - distance) / 1.5)
            mu += torch.where(inside > 0.02, inside * (0.01 + 0.03 * m), 0.0)
            labels[inside > 0.02] = label
    affine = torch.tensor(
        [[VOXEL, 0.2, 0, -50], [-0.2, VOXEL, 0.1, -40], [0, -0.1, VOXEL, -70], [0, 0, 0, 1]], dtype=torch.float64
    )
    affine[:3, 3] -= affine[:3, :3].sum(1) * (finer - 1) / (2 * finer)
    affine[:3, :3] /= finer
    return Volume(mu.float(), affine, labels=labels, label_names={1: "upper", 2: "lower"})


def camera(size: int = 64) -> Camera:
    """A square detector of 30 cm."""
    return Camera(sdd=1000.0, height=size, width=size, pixel_spacing=300 / size)


def pose(volume: Volume, *, lao_rao: float = 10.0, cra_cau: float = 5.0, sod: float = 750.0) -> Tensor:
    """(1, 4, 4)."""
    return carm_pose(lao_rao=lao_rao, cra_cau=cra_cau, roll=3.0, sod=sod, isocenter=volume.center).double()


def moved(poses: Tensor, about: Tensor, turn: tuple[float, float, float], shift: tuple[float, float, float]) -> Tensor:
    """Poses (.., 4, 4) after a world turn [degrees] about a point and a shift [mm]."""
    identity = torch.eye(3, dtype=torch.float64)
    w, v = torch.deg2rad(torch.tensor(turn, dtype=torch.float64)), torch.tensor(shift, dtype=torch.float64)
    twist = se3_exp(torch.cat([v, w]))
    return rigid_matrix(identity, about.double()) @ twist @ rigid_matrix(identity, -about.double()) @ poses


def shot(volume: Volume, where: Tensor, lens: Camera | None = None, *, gain: float = 3.0, noise: float = 0.0) -> Shot:
    """Its X-ray, with gain, offset and noise."""
    lens = lens or camera()
    image = render(volume, lens, where, samples=150)[0, 0].float()
    image = image + noise * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return Shot(gain * image - 0.7, lens)


def target_error(found: Tensor, truth: Tensor, volume: Volume) -> float:
    """Mean distance [mm] of the bodies' points as seen by the camera."""
    index = (volume.mu > 0.005).nonzero().flip(1).double()[::37]
    points = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    points = torch.cat([points, torch.ones(len(points), 1, dtype=torch.float64)], dim=1)
    apart = points @ (torch.linalg.inv(found) - torch.linalg.inv(truth)).mT
    return float(apart[..., :3].norm(dim=-1).mean())
