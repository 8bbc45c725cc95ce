"""A picture to judge an alignment by: template in red, CT in cyan, so that what coincides is grey."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import Volume
from xraykit.render.geometry import world_to_voxel
from xraykit.render.pictures import montage

PIXELS = 256


def alignment_picture(ct: Volume, template: Volume, warp: Tensor) -> NDArray[np.uint8]:
    """Axial, coronal and sagittal slices through the middle of the CT, with the warp, on the template, (H, W, 3).

    Radiological display: the patient's right on the viewer's left, anterior up in the axial slice.

    Args:
        ct: The patient's CT.
        template: The template image.
        warp: Template RAS to patient RAS [mm], (4, 4).
    """
    warp = warp.double()
    center = torch.linalg.solve(warp[:3, :3], ct.center - warp[:3, 3])
    extent = float((ct.affine[:3, :3].abs() @ torch.tensor(ct.shape[::-1], dtype=torch.float64)).max())
    slices = []
    for right, down in ((0, 1), (0, 2), (1, 2)):
        points = _plane(center, extent, right, down)
        fixed = _tone(_sample(template, points))
        moved = _tone(_sample(ct, points @ warp[:3, :3].T + warp[:3, 3]))
        slices.append(np.stack([fixed, moved, moved], axis=-1))
    captions = ["axial", "coronal", "sagittal"]
    return montage(slices, captions, title="template red, CT cyan, both grey")


def _plane(center: Tensor, extent: float, right: int, down: int) -> Tensor:
    """World points (N, N, 3) of a slice: rightwards against axis `right`, downwards against axis `down`."""
    steps = torch.linspace(0.5, -0.5, PIXELS, dtype=torch.float64) * extent
    points = center.repeat(PIXELS, PIXELS, 1)
    points[..., right] += steps[None, :]
    points[..., down] += steps[:, None]
    return points


def _sample(volume: Volume, points: Tensor) -> Tensor:
    """The volume's values at world points (N, N, 3), its lowest value outside."""
    values = volume.mu * volume.mu_scale if volume.hu is None else volume.hu
    values = values.detach().cpu().float()
    sizes = torch.tensor(volume.shape[::-1], dtype=torch.float64)
    grid = ((world_to_voxel(points, volume.affine) + 0.5) / sizes * 2 - 1).float()
    low = values.min()
    kind = {"mode": "bilinear", "align_corners": False, "padding_mode": "zeros"}
    return torch.nn.functional.grid_sample((values - low)[None, None], grid[None, None], **kind)[0, 0, 0] + low


def _tone(values: Tensor) -> NDArray[np.uint8]:
    """Stretched between the percentiles 2 and 99.5."""
    low, high = np.percentile(values.numpy(), (2, 99.5))
    return np.round(np.clip((values.numpy() - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)
