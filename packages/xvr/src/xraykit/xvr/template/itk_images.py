"""Volumes as SimpleITK images for alignment: averaged to working resolution, with a mask of the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from xraykit.render import InputError, Volume
from xraykit.render.geometry import affine_to_itk, swap_ras_lps_points, swap_ras_lps_transform

if TYPE_CHECKING:
    import SimpleITK

LOW, HIGH = 2.0, 99.5  # percentiles of the body between which intensities count: metal and air say nothing of anatomy


class BodyImage(NamedTuple):
    """An image in ITK's LPS world, its body mask, and the body's centroid in RAS [mm]."""

    image: SimpleITK.Image
    mask: SimpleITK.Image
    centroid: Tensor


def body_image(volume: Volume, *, spacing: float, name: str) -> BodyImage:
    """The volume averaged to about `spacing` mm, clipped to the intensities of the body.

    The body is what lies above Otsu's threshold, closed and widened by a few voxels so that the skin counts.

    Raises:
        InputError: The volume shows nothing, or is smaller than a few voxels.
        GeometryError: Its voxel axes are sheared, which ITK cannot hold.
    """
    import SimpleITK

    values = volume.mu * volume.mu_scale if volume.hu is None else volume.hu
    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(values.detach().cpu().float().numpy()))
    origin, steps, direction = affine_to_itk(volume.affine)
    image.SetOrigin(origin)
    image.SetSpacing(steps)
    image.SetDirection([number for row in direction for number in row])
    image = SimpleITK.BinShrink(image, [max(1, round(spacing / step)) for step in steps])
    if min(image.GetSize()) < 8:
        raise InputError(f"{name} must span at least 8 voxels of {spacing} mm, got {image.GetSize()}; lower spacing.")

    mask = SimpleITK.OtsuThreshold(image, 0, 1)
    mask = SimpleITK.BinaryDilate(SimpleITK.BinaryMorphologicalClosing(mask, [3, 3, 3]), [2, 2, 2])
    inside = SimpleITK.GetArrayViewFromImage(mask) > 0
    array = SimpleITK.GetArrayViewFromImage(image)
    low, high = np.percentile(array[inside], (LOW, HIGH)) if inside.any() else (0.0, 0.0)
    if not high > low:
        raise InputError(f"{name} must show a body against its surroundings, got one intensity; check the file.")
    middle = np.argwhere(inside).mean(axis=0)[::-1]
    centroid = torch.tensor(image.TransformContinuousIndexToPhysicalPoint(middle.tolist()), dtype=torch.float64)
    return BodyImage(SimpleITK.Clamp(image, SimpleITK.sitkFloat32, low, high), mask, swap_ras_lps_points(centroid))


def coarser(body: BodyImage, factor: int) -> BodyImage:
    """The same at `factor` times the voxel size, at most so that 8 voxels are left."""
    import SimpleITK

    factors = [max(1, min(factor, size // 8)) for size in body.image.GetSize()]
    image = SimpleITK.BinShrink(body.image, factors)
    mask = SimpleITK.Resample(body.mask, image, SimpleITK.Transform(), SimpleITK.sitkNearestNeighbor, 0)
    return BodyImage(image, mask, body.centroid)


def rigid_transform(motion: Tensor, center: Tensor) -> SimpleITK.Euler3DTransform:
    """ITK's transform for a rigid RAS motion (4, 4), with its rotation about `center` (RAS, before the motion)."""
    import SimpleITK

    lps = swap_ras_lps_transform(motion.double())
    middle = swap_ras_lps_points(center.double())
    transform = SimpleITK.Euler3DTransform()
    transform.SetCenter(middle.tolist())
    transform.SetMatrix(lps[:3, :3].flatten().tolist(), 1e-6)
    transform.SetTranslation((lps[:3, :3] @ middle + lps[:3, 3] - middle).tolist())
    return transform


def rigid_motion(transform: SimpleITK.Euler3DTransform) -> Tensor:
    """The RAS motion (4, 4) float64 of an ITK transform."""
    matrix = torch.eye(4, dtype=torch.float64)
    matrix[:3, :3] = torch.tensor(transform.GetMatrix(), dtype=torch.float64).reshape(3, 3)
    matrix[:3, 3] = torch.tensor(transform.TransformPoint((0.0, 0.0, 0.0)), dtype=torch.float64)
    return swap_ras_lps_transform(matrix)
