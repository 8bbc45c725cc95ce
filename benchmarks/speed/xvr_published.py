"""The published refinement, run with diffdrr: Adam on Euler angles, mNCC and gradNCC, three scales, plateaus."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor
from xraykit.render import Camera, Volume
from xraykit.render.converters import diffdrr_extrinsic, diffdrr_parameters, from_diffdrr, to_diffdrr
from xraykit.render.geometry import crop_camera, resize_camera

SAMPLES, ITERATIONS, PATIENCE, THRESHOLD, REDUCTIONS = 500, 500, 10, 1e-4, 2
ROTATION_RATE, TRANSLATION_RATE = 0.01, 1.0  # rad, mm


class PublishedRefinement:
    """Everything that is kept between X-rays: diffdrr's subject and the two similarities.

    The half-voxel shift of the published commands is left out (voxel_shift = 0.5, diffdrr's own and the right one).
    """

    def __init__(self, ct: Path, volume: Volume) -> None:
        from diffdrr.data import read
        from diffdrr.metrics import GradientNormalizedCrossCorrelation2d, MultiscaleNormalizedCrossCorrelation2d

        self.subject = read(str(ct), orientation="AP")
        self.center = volume.center
        self.mncc = MultiscaleNormalizedCrossCorrelation2d([None, 9], [0.5, 0.5])
        self.gradient_ncc = GradientNormalizedCrossCorrelation2d(patch_size=11, sigma=0)

    def __call__(
        self, image: Tensor, valid: Tensor, camera: Camera, start: Tensor, scales: tuple[int, ...]
    ) -> tuple[Tensor, int]:
        """Refine one pose.

        Args:
            image: (H, W), bone bright.
            valid: (H, W), exposed pixels; the image is cropped to their bounding box.
            camera: Of the image.
            start: (1, 4, 4) camera to world.
            scales: Pixels of the uncropped height at each stage.

        Returns:
            The pose (1, 4, 4) and the number of iterations.
        """
        rows, columns = valid.any(1).nonzero()[:, 0], valid.any(0).nonzero()[:, 0]
        top, left, bottom, right = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
        lens = crop_camera(camera, top=top, left=left, height=bottom - top, width=right - left)
        cropped = image[top:bottom, left:right][None, None].float()
        pose, total = start, 0
        divisor = 1
        for stage, scale in enumerate(scales):
            divisor *= 2**stage
            size = [max(16, round(n * scale / camera.height)) for n in cropped.shape[2:]]
            small = resize_camera(lens, height=size[0], width=size[1])
            target = torch.nn.functional.interpolate(cropped, size=size, mode="bilinear", antialias=True)
            pose, count = self._stage(standardised(target), small, pose, divisor)
            total += count
        return pose, total

    def _stage(self, target: Tensor, camera: Camera, pose: Tensor, divisor: int) -> tuple[Tensor, int]:
        from diffdrr.drr import DRR

        view = to_diffdrr(camera, pose, orientation="AP", center=self.center)
        numbers = (view.sdd, view.delx, view.dely, view.x0, view.y0)
        sdd, delx, dely, x0, y0 = (float(torch.as_tensor(number)) for number in numbers)
        drr = DRR(
            self.subject, sdd=sdd, height=view.height, width=view.width, delx=delx, dely=dely, x0=x0, y0=y0,
            reverse_x_axis=view.reverse_x_axis, renderer="trilinear",
        )  # fmt: skip
        angles, shift = (p.float().clone().requires_grad_() for p in diffdrr_parameters(view.extrinsic))
        groups = [
            {"params": [angles], "lr": ROTATION_RATE / divisor},
            {"params": [shift], "lr": TRANSLATION_RATE / divisor},
        ]
        adam = torch.optim.Adam(groups, maximize=True)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            adam, mode="max", factor=0.1, patience=PATIENCE, threshold=THRESHOLD
        )
        reductions, rate, count = 0, adam.param_groups[0]["lr"], 0
        for _ in range(ITERATIONS):
            count += 1
            adam.zero_grad()
            moving = standardised(
                drr(angles, shift, parameterization="euler_angles", convention="ZXY", n_points=SAMPLES)
            )
            value = (0.5 * self.mncc(target, moving) + 0.5 * self.gradient_ncc(target, moving)).mean()
            value.backward()
            adam.step()
            plateau.step(value.detach())
            if adam.param_groups[0]["lr"] < rate:
                reductions, rate = reductions + 1, adam.param_groups[0]["lr"]
            if reductions >= REDUCTIONS or not math.isfinite(float(value.detach())):
                break
        extrinsic = diffdrr_extrinsic(angles.detach().double(), shift.detach().double())
        settled = from_diffdrr(
            extrinsic, orientation="AP", reverse_x_axis=view.reverse_x_axis, sdd=view.sdd, height=view.height,
            width=view.width, delx=view.delx, dely=view.dely, x0=view.x0, y0=view.y0, center=self.center,
        )  # fmt: skip
        return settled.pose, count


def standardised(image: Tensor) -> Tensor:
    """Published preprocessing: to [0, 1], then (x - 0.15) / 0.1."""
    low, high = image.min(), image.max()
    return ((image - low) / (high - low + 1e-6) - 0.15) / 0.1
