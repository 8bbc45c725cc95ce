"""Small scenes on which projectors are judged."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from xraykit.render import Camera, Volume, carm_pose
from xraykit.render.volumes.phantom import segments

METHODS = ("siddon", "trilinear", "joseph")


class Scene(NamedTuple):
    """A volume and the camera that sees it."""

    volume: Volume
    camera: Camera
    pose: Tensor


def oblique_affine() -> Tensor:
    """Anisotropic, sheared (gantry tilt), left-handed voxels away from the origin."""
    affine = torch.eye(4, dtype=torch.float64)
    affine[:3, :3] = torch.tensor([[-1.3, 0.1, 0.0], [0.0, 1.1, 0.3], [0.05, -0.1, 1.7]])
    affine[:3, 3] = torch.tensor([12.0, -30.0, 100.0])
    return affine


def random_scene(
    *, seed: int = 0, shape: tuple[int, int, int] = (9, 10, 12), views: int = 1, dtype: torch.dtype = torch.float32
) -> Scene:
    """Noise voxels with three labels, seen from general directions; the beam keeps off voxel corners."""
    generator = torch.Generator().manual_seed(seed)
    mu = torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype)
    labels = torch.randint(0, 3, shape, generator=generator).to(torch.uint8)
    volume = Volume(mu, oblique_affine(), labels=labels, label_names={1: "one", 2: "two"})
    turn = torch.arange(views, dtype=torch.float64) * 47.0
    pose = carm_pose(
        lao_rao=23.0 + turn,
        cra_cau=11.0 - turn / 3,
        roll=7.0,
        sod=61.3,
        isocenter=volume.center + torch.tensor([0.131, 0.217, -0.323], dtype=torch.float64),
    )
    return Scene(volume, Camera(sdd=103.0, height=7, width=9, pixel_spacing=(3.1, 2.7)), pose)


def gaussian_blob(spacing: float, *, sigma: float = 6.0, extent: float = 64.0) -> Volume:
    """exp(-|x - c|^2 / 2 sigma^2) on a cubic grid, c = (1.1, -0.7, 0.4) mm, sampled at voxel centres."""
    count = round(extent / spacing)
    at = (torch.arange(count, dtype=torch.float64) - (count - 1) / 2) * spacing
    z, y, x = torch.meshgrid(at, at, at, indexing="ij")
    squared = (x - 1.1) ** 2 + (y + 0.7) ** 2 + (z - 0.4) ** 2
    affine = torch.diag(torch.tensor([spacing, spacing, spacing, 1.0], dtype=torch.float64))
    affine[:3, 3] = at[0]
    return Volume(torch.exp(-squared / (2 * sigma**2)), affine)


def gaussian_line_integrals(camera: Camera, pose: Tensor, *, sigma: float = 6.0) -> Tensor:
    """The blob's exact X-ray: sigma sqrt(2 pi) exp(-d^2 / 2 sigma^2), d the distance of the ray from c."""
    source, pixels = segments(camera, pose)
    along = torch.nn.functional.normalize(pixels - source, dim=-1)
    offset = torch.tensor([1.1, -0.7, 0.4], dtype=torch.float64) - source
    squared = (offset**2).sum(-1) - (offset * along).sum(-1) ** 2
    image = sigma * math.sqrt(2 * math.pi) * torch.exp(-squared / (2 * sigma**2))
    return image.unflatten(1, (1, camera.height, camera.width))
