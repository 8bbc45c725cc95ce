"""A view changed for training: one affine change, of its image by resampling and of its projection by a product."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .normalise import normalise_lines
from .settings import ImageChangeSettings, XrayInputSettings


@dataclass(frozen=True, eq=False)
class ImageChange:
    """What happens to one view.

    Args:
        matrix: A (3, 3) float64: (x, y, 1) in shares of the old image to those of the new one; P' = A P.
        zoom: Magnification of A.
        brightness: Added.
        contrast: Factor about the mean.
        gamma: Exponent.
        inverted: Whether bone becomes dark.
        noise: Standard deviation.
        seed: Of the noise.
    """

    matrix: Tensor
    zoom: float = 1.0
    brightness: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    inverted: bool = False
    noise: float = 0.0
    seed: int = 0


def draw_changes(settings: ImageChangeSettings, rng: np.random.Generator, views: int) -> list[ImageChange]:
    r"""The changes of the views of one item: mirrored all or none, all else drawn for each.

    A = move(1/2 + shift) . zoom . turn(roll) . mirror . move(-1/2)
    """
    mirrored = rng.random() < settings.mirror
    changes = []
    for _ in range(views):
        u = rng.uniform(-1, 1, 7)
        invert, noise = rng.random(2)
        zoom, angle = 1 + settings.zoom * float(u[0]), math.radians(settings.roll * float(u[1]))
        matrix = _change(zoom, angle, (settings.shift * float(u[2]), settings.shift * float(u[3])), mirrored)
        changes.append(
            ImageChange(
                matrix,
                zoom,
                settings.brightness * float(u[4]),
                1 + settings.contrast * float(u[5]),
                math.exp(settings.gamma * float(u[6])),
                bool(invert < settings.invert),
                settings.noise * float(noise),
                int(rng.integers(2**63)),
            )
        )
    return changes


def change_image(
    lines: Tensor, inside: Tensor | None, change: ImageChange, size: int, settings: XrayInputSettings | None = None
) -> tuple[Tensor, Tensor]:
    """A view as the network sees it after a change.

    The image is reduced to the scale of the result first, where it is finer, with a filter as wide as that asks for;
    then it is sampled once, linearly. Its percentiles become 0 and 1, and its grey values are changed; what does not
    show the X-ray stays 0.

    Args:
        lines: Line integrals (S', S').
        inside: Which pixels show the X-ray, (S', S') bool; None is all.
        change: Of `draw_changes`.
        size: Edge of the result S [px].
        settings: low and high; None is the default.

    Returns:
        (1, S, S) float32 in [0, 1]; and which pixels show the X-ray, (S, S) bool.

    Gradients: none.
    """
    warped, seen = _warped(lines, inside, change, size)
    grey = normalise_lines(warped, settings, inside=seen if bool(seen.any()) else None)
    grey = _grey_values(grey, change, seen)
    return grey.masked_fill_(~seen, 0)[None], seen


def shown_patches(seen: Tensor, grid: int) -> Tensor:
    """Which patches show the X-ray in at least half of their pixels, (L,) bool, of (S, S) with S a multiple of G."""
    return F.avg_pool2d(seen[None].float(), seen.shape[-1] // grid).flatten() >= 0.5


def _change(zoom: float, angle: float, shift: tuple[float, float], mirrored: bool) -> Tensor:
    c, s = zoom * math.cos(angle), zoom * math.sin(angle)
    sign = -1.0 if mirrored else 1.0
    turn = torch.tensor([[c * sign, -s], [s * sign, c]], dtype=torch.float64)
    matrix = torch.eye(3, dtype=torch.float64)
    matrix[:2, :2] = turn
    half = torch.tensor([0.5, 0.5], dtype=torch.float64)
    matrix[:2, 2] = half + torch.tensor(shift, dtype=torch.float64) - turn @ half
    return matrix


def _warped(lines: Tensor, inside: Tensor | None, change: ImageChange, size: int) -> tuple[Tensor, Tensor]:
    """Line integrals (S, S) and which of them show the X-ray."""
    layers = lines[None] if inside is None else torch.stack([lines * inside, inside.float()])
    wanted = max(1, round(size * change.zoom))
    if wanted < lines.shape[-1]:
        layers = F.interpolate(layers[None], (wanted, wanted), mode="bilinear", antialias=True)[0]
    back = torch.linalg.inv(change.matrix)
    centres = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    x = back[0, 0] * centres[None] + back[0, 1] * centres[:, None] + back[0, 2]
    y = back[1, 0] * centres[None] + back[1, 1] * centres[:, None] + back[1, 2]
    seen = (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)
    at = (2 * torch.stack([x, y], dim=-1) - 1).to(torch.float32)
    found = F.grid_sample(layers[None], at[None], mode="bilinear", padding_mode="border", align_corners=False)[0]
    if inside is None:
        return found[0], seen
    return found[0] / found[1].clamp_min(1e-6), seen & (found[1] > 0.5)


def _grey_values(grey: Tensor, change: ImageChange, seen: Tensor) -> Tensor:
    if change.gamma != 1:
        grey = grey.pow(change.gamma)
    if change.contrast != 1 or change.brightness:
        mean = float((grey * seen).sum() / seen.sum().clamp_min(1))
        grey = ((grey - mean) * change.contrast + (mean + change.brightness)).clamp_(0, 1)
    if change.inverted:
        grey = 1 - grey
    if change.noise:
        noise = np.random.Generator(np.random.PCG64(change.seed)).standard_normal(grey.shape, dtype=np.float32)
        grey = (grey + change.noise * torch.from_numpy(noise)).clamp_(0, 1)
    return grey
