"""Domain randomisation: what real X-rays do to an image and a rendering does not."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xraykit.render import Camera, InputError
from xraykit.render.extras import require
from xraykit.render.physics import Detector, add_quantum_noise, blur_image, estimate_scatter

COLLIMATED = 0.12
"""Widest border that collimation takes from each side, as a share of the image."""
SCATTER, QUANTA = 0.2, (1e5, 1e7)
"""Most scatter to primary; quanta in the open beam per pixel, which stands for many of the detector's own."""


class Randomisation(nn.Module):
    """Each change happens to each image by itself, with probability p, in this order, on images in [0, 1].

    CLAHE (clip 1 to 10), gamma (0.7 to 1.8), box blur (3 x 3), Gaussian noise (0.01), sharpening (up to 0.5), erasing
    (2 to 33 % of the area), collimation (up to 12 % of each side set to 0). The geometry stays as it is.

    Args:
        p: Probability of each change, 0 to 1.

    Source: Gopalakrishnan et al. (xvr), section on domain randomisation; there the border is equal on all sides.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise InputError(f"augment is a probability and must lie in 0 to 1, got {p}.")
        self.p = p
        if p > 0:
            self.changes = _changes(p)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """Images (B, 1, H, W), changed and in [0, 1] (but for noise); with p = 0 they come back untouched."""
        if self.p == 0:
            return images
        low, high = images.amin((1, 2, 3), keepdim=True), images.amax((1, 2, 3), keepdim=True)
        return collimated(self.changes((images - low) / (high - low + 1e-6)), self.p)


def collimated(images: Tensor, p: float) -> Tensor:
    """Images with borders of random widths set to 0 on all four sides, each image with probability p."""
    batch, _, height, width = images.shape
    border = torch.rand(4, batch, 1, device=images.device) * COLLIMATED
    border = border * (torch.rand(batch, 1, device=images.device) < p)
    rows, columns = ((torch.arange(n, device=images.device) + 0.5) / n for n in (height, width))
    down = (rows > border[0]) & (rows < 1 - border[1])
    across = (columns > border[2]) & (columns < 1 - border[3])
    return images * (down[:, None, :, None] & across[:, None, None, :])


def measured(line_integrals: Tensor, camera: Camera) -> Tensor:
    """Line integrals as a detector would tell them: with scatter and blur, and each image with a dose of its own.

    I = exp(-L) + S, counted in quanta, blurred, and back: L' = -ln I'.
    """
    ratio, sharpness = torch.rand(2).tolist()
    dose = torch.rand(len(line_integrals), 1, 1, 1, device=line_integrals.device)
    quanta = QUANTA[0] * (QUANTA[1] / QUANTA[0]) ** dose
    spacing = camera.pixel_spacing
    transmission = torch.exp(-line_integrals)
    intensity = transmission + estimate_scatter(transmission, SCATTER * ratio, pixel_spacing=spacing)
    detector = Detector(blur="gaussian", mtf50=1 + 2 * sharpness)
    blurred = blur_image(add_quantum_noise(intensity, quanta), detector, pixel_spacing=spacing)
    return -torch.log(blurred.clamp_min(1e-5))


def _changes(p: float) -> nn.Module:
    what = "domain randomisation (--augment above 0)"
    K = require("kornia.augmentation", extra="train", distribution="xraykit-xvr", what=what)
    return K.AugmentationSequential(
        K.RandomClahe(clip_limit=(1.0, 10.0), grid_size=(8, 8), p=p),
        K.RandomGamma(gamma=(0.7, 1.8), gain=(1.0, 1.0), p=p),
        K.RandomBoxBlur(kernel_size=(3, 3), border_type="reflect", p=p),
        K.RandomGaussianNoise(mean=0.0, std=0.01, p=p),
        K.RandomSharpness(sharpness=0.5, p=p),
        K.RandomErasing(scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0.0, p=p),
        data_keys=["input"],
        same_on_batch=False,
    )
