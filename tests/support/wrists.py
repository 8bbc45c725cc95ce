"""Two bones, each with a CT of its own as pages of a TIFF, before two calibrated cameras."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from xraykit.render import Camera, Volume, carm_pose, render, save_image, write_pose
from xraykit.render.converters import write_mayacam
from xraykit.render.geometry import rigid_inverse, se3_exp
from xraykit.render.volumes import Ellipsoid, voxelise
from xraykit.xvr.refine.structure import Structure

CAMERA = Camera(sdd=1000.0, height=96, width=96, pixel_spacing=1.6)
SPACING = (1.5, 1.5, 2.0)
SIZE = (26, 22, 30)  # voxels along i, j, k
BONES = {
    "radius": ((-4.0, 1.0, -10.0, 7.0, 5.0, 16.0), (5.0, -4.0, 12.0, 9.0, 6.0, 7.0), (-7.0, 5.0, 14.0, 4.0, 4.0, 9.0)),
    "ulna": ((2.0, 0.0, 8.0, 4.0, 5.0, 18.0), (-4.0, 4.0, -14.0, 8.0, 5.0, 6.0), (6.0, -3.0, -10.0, 4.0, 6.0, 8.0)),
}
"""Middles and semi-axes [mm] of the ellipsoids that make each."""
PLACES = {"radius": (-18.0, 2.0, 4.0, 0.1, -0.2, 0.3), "ulna": (17.0, -5.0, -3.0, -0.3, 0.1, -0.1)}
"""Where each lies in the room: shift [mm] and turn [rad]."""
OFF = (1.5, -1.0, 2.0, 0.05, -0.04, 0.03)


def write_bones(folder: Path) -> None:
    """NAME.tif, cam1.tiff and cam2.tiff with cam1.txt and cam2.txt, and NAME.json, a pose near the truth."""
    for name, parts in BONES.items():
        affine = torch.diag(torch.tensor([*SPACING, 1.0], dtype=torch.float64))
        affine[:3, 3] = -torch.tensor([n * s / 2 for n, s in zip(SIZE, SPACING, strict=True)], dtype=torch.float64)
        solids = [Ellipsoid(part[3:], mu=0.03, center=part[:3]) for part in parts]
        mu = voxelise(solids, affine=affine, shape=(SIZE[2], SIZE[1], SIZE[0]), supersampling=2).mu
        pages = [Image.fromarray(page.numpy().astype("uint16")) for page in (mu / 0.05 * 2000).round()]
        pages[0].save(folder / f"{name}.tif", save_all=True, append_images=pages[1:])
    for view, pose in enumerate(cameras(), start=1):
        save_image(folder / f"cam{view}.tiff", xray(folder, {name: truth(name)[view - 1] for name in BONES}))
        write_mayacam(folder / f"cam{view}.txt", CAMERA, pose[None])
    for name in BONES:
        off = se3_exp(torch.tensor(OFF, dtype=torch.float64))
        write_pose(folder / f"{name}.json", CAMERA, off @ truth(name)[:1])


def xray(folder: Path, poses: Mapping[str, Tensor]) -> Tensor:
    """The X-ray of bones at poses (4, 4), (1, 1, H, W)."""
    parts = [render(read_bone(folder, name), CAMERA, pose[None]) for name, pose in poses.items()]
    return torch.stack(parts).sum(0).float()


def read_bone(folder: Path, name: str) -> Volume:
    """As a command reads it."""
    return Volume.from_file(folder / f"{name}.tif", voxel_spacing=SPACING)


def room(name: str) -> Tensor:
    """CT of a bone to room, (4, 4)."""
    return se3_exp(torch.tensor(PLACES[name], dtype=torch.float64))


def cameras() -> Tensor:
    """Camera to room, (2, 4, 4)."""
    middle = torch.tensor([-18.0, -15.0, 28.0])
    return torch.cat([carm_pose(lao_rao=angle, sod=700.0, isocenter=middle).double() for angle in (0.0, 80.0)])


def truth(name: str) -> Tensor:
    """Camera to CT of a bone, (2, 4, 4)."""
    return rigid_inverse(room(name)) @ cameras()


def error(folder: Path, name: str, poses: Tensor) -> float:
    """How far poses (2, 4, 4) put a bone's outermost points from where they are [mm], the largest."""
    pivot = Structure.of(read_bone(folder, name)).pivot.double()
    points = pivot + 20.0 * torch.cat([torch.eye(3), -torch.eye(3)]).double()
    apart = [
        (rigid_inverse(one) @ _homogeneous(points) - rigid_inverse(other) @ _homogeneous(points))[:3].norm(dim=0)
        for one, other in zip(poses, truth(name), strict=True)
    ]
    return float(torch.stack(apart).max())


def _homogeneous(points: Tensor) -> Tensor:
    return torch.cat([points.mT, torch.ones(1, len(points), dtype=torch.float64)])
