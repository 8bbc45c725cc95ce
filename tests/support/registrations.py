"""A small patient, his X-ray, and registrations made by hand."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from xraykit.render import Camera, Volume, carm_pose, render
from xraykit.render.geometry import se3_exp
from xraykit.render.volumes import Box, Ellipsoid, voxelise
from xraykit.xvr.cli.register import FAILED
from xraykit.xvr.refine.registration import RefinedCandidate, RefinementStep, Registration
from xraykit.xvr.xray.shot import Shot

DONE = (0, FAILED)  # exit statuses of a registration that wrote its results, whatever the verdict
CAMERA = Camera(sdd=1000.0, height=40, width=48, pixel_spacing=4.0)


def lopsided() -> Volume:
    """A box of water with dense balls off its middle, 4 mm voxels; label 1 is the larger ball, 2 the smaller."""
    affine = torch.diag(torch.tensor([4.0, 4.0, 4.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([-50.0, -42.0, -58.0])
    grid = {"affine": affine, "shape": (30, 22, 26), "supersampling": 1}
    large = Ellipsoid((14, 10, 18), mu=0.03, center=(18, 8, 20))
    small = Ellipsoid((8, 10, 8), mu=0.04, center=(-22, -10, -26))
    parts = [voxelise([solid], **grid).mu for solid in (Box((84, 70, 96), mu=0.02), large, small)]
    labels = (parts[1] > 0).to(torch.uint8) + 2 * (parts[2] > 0).to(torch.uint8)
    return Volume(sum(parts), affine, labels=labels, label_names={1: "large", 2: "small"})


def true_pose(volume: Volume) -> Tensor:
    """From the front, a little turned, (1, 4, 4)."""
    return carm_pose(lao_rao=20.0, cra_cau=5.0, sod=700.0, isocenter=volume.center)


def shot_of(volume: Volume, pose: Tensor, *, name: str = "xray", noise: float = 0.0) -> Shot:
    """The X-ray that the volume gives from there, its gain and offset not those of line integrals."""
    image = render(volume, CAMERA, pose)[0, 0]
    image = 3.0 * image + 7.0 + noise * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    return Shot(image, CAMERA, name=name, notes=("the principal point was assumed to be the middle",))


def twisted(pose: Tensor, turn: tuple[float, ...] = (0, 0, 0), shift: tuple[float, ...] = (0, 0, 0)) -> Tensor:
    """The pose (.., 4, 4) after a left twist about the world's origin: turn [degrees], shift [mm]."""
    parameters = torch.tensor([*shift, *(math.radians(angle) for angle in turn)], dtype=torch.float64)
    return se3_exp(parameters) @ pose.double()


def registration_at(poses: Tensor, start: Tensor, **changes: object) -> Registration:
    """A finished registration that says it found the poses (K, V, 4, 4) from the start (V, 4, 4)."""
    structures = len(poses)
    steps = tuple(
        RefinementStep(0 if n < 2 else 1, 24 if n < 2 else 48, p, 0.5 + 0.1 * n, 0.1 * n)
        for n, p in enumerate((start.expand_as(poses), poses, poses))
    )
    values = {
        "poses": poses,
        "start": start,
        "cameras": (CAMERA,) * poses.shape[1],
        "similarity": 0.9,
        "terms": {"ncc": 0.95, "patch_ncc": 0.9, "gradient_ncc": 0.88},
        "covariance": torch.diag(torch.tensor([1e-5, 1e-5, 2e-5, 0.01, 0.02, 0.3], dtype=torch.float64))
        .expand(structures, 6, 6)
        .clone(),
        "pivot": torch.zeros(structures, 3, dtype=torch.float64),
        "candidates": (RefinedCandidate(poses, 0.9, True, 48),),
        "history": steps,
        "converged": True,
        "seconds": 0.3,
    }
    return Registration(**{**values, **changes})  # type: ignore[arg-type]
