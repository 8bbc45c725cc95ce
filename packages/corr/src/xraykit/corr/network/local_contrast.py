"""Local contrast normalisation: every place of an X-ray as bright and contrasted as every other."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FLOOR, LARGEST = 0.01, 3.0


class LocalContrast(nn.Module):
    r"""Grey values relative to their surroundings, without weights.

        d = x - G * x,    y = clip(d / (sqrt(G * d^2) + 0.01), -3, 3),    G: Gaussian of standard deviation `scale`

    Soft tissue falls away and a faint line in bone counts as much as the border of a limb. Borders are repeated.

    Args:
        scale: Standard deviation of the Gaussian [px].

    Source: Jarrett et al., "What is the best multi-stage architecture for object recognition?", ICCV 2009, section 2.2
    (subtractive and divisive normalisation with one scale).
    """

    kernel: Tensor

    def __init__(self, scale: float) -> None:
        super().__init__()
        reach = int(2.5 * scale + 0.5)
        weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=torch.float32) / scale) ** 2)
        self.register_buffer("kernel", weights / weights.sum(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 1, H, W) of images (B, 1, H, W)."""
        with torch.autocast(images.device.type, enabled=False):
            images = images.to(self.kernel.dtype)
            detail = images - self._blurred(images)
            deviation = self._blurred(detail * detail).clamp_min(0).add(1e-12).sqrt()
            return (detail / (deviation + FLOOR)).clamp(-LARGEST, LARGEST)

    def _blurred(self, images: Tensor) -> Tensor:
        reach = len(self.kernel) // 2
        padded = F.pad(images, (reach, reach, reach, reach), mode="replicate")
        return F.conv2d(F.conv2d(padded, self.kernel.reshape(1, 1, -1, 1)), self.kernel.reshape(1, 1, 1, -1))
