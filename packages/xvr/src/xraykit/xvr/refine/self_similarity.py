"""Self-similarity context (MIND-SSC) in 2D: what a picture is like around each pixel, whatever its greys mean."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from xraykit.render.geometry import full_precision

from .similarity import box_mean

PATCH = 3  # px: side of the patches that are compared
REACH = 2  # px from the pixel to the centres of these patches
LEAST, MOST = 1e-2, 1e2  # of the mean noise estimate, between which that of a pixel lies
MARGIN = REACH + PATCH // 2  # px to each side that a descriptor sees
_AROUND = ((-REACH, 0), (0, REACH), (REACH, 0), (0, -REACH))  # rows and columns: above, right, below, left


@full_precision
def self_similarity(image: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 4 height width"]:
    r"""The self-similarity context of every pixel, (B, 4, H, W), in 0 to 1; the image's edges are repeated outwards.

        D_k = mean over 3 x 3 px of (I(x + u_k) - I(x + u_{k+1}))^2,    d_k = exp(-(D_k - min D) / V),    V = mean_k D_k

    with u_1 to u_4 the four neighbours at 2 px, of which neighbours of each other are compared, never the pixel itself;
    V is kept between 1/100 and 100 times its mean over the image. Gain and offset change nothing, nor does which of two
    tissues is the brighter; where nothing is seen all four are 1.

    Gradients: to the image.

    Source: Heinrich et al., Towards Realtime Multimodal Fusion for Image-Guided Interventions Using Self-Similarities,
    MICCAI 2013, with four neighbours and four pairs in 2D for six and twelve.
    """
    apart = box_mean(_differences(image).square(), PATCH)
    noise, _ = _noise(apart)
    return (-(apart - apart.amin(1, keepdim=True)) / noise).exp()


@full_precision
def self_similarity_jacobian(
    image: Float[Tensor, "batch 1 height width"], jacobian: Float[Tensor, "batch parameters height width"]
) -> Float[Tensor, "batch parameters 4 height width"]:
    r"""The derivatives of `self_similarity` by parameters of which the image has the derivatives `jacobian`.

    With J_k the difference of the columns where I(x + u_k) - I(x + u_{k+1}) is that of the image,

        D_k' = 2 mean over 3 x 3 px of (I(x + u_k) - I(x + u_{k+1})) J_k,
        d_k' = -d_k ((D_k' - min D') / V - (D_k - min D) V' / V^2)
    """
    batch, parameters = jacobian.shape[:2]
    differences = _differences(image)
    apart = box_mean(differences.square(), PATCH)
    noise, is_free = _noise(apart)
    least, which = apart.min(1, keepdim=True)
    columns = _differences(jacobian.flatten(0, 1)[:, None]).unflatten(0, (batch, parameters))
    change = box_mean((2 * differences[:, None] * columns).flatten(0, 1), PATCH).unflatten(0, (batch, parameters))
    of_least = change.gather(2, which[:, None].expand(-1, parameters, -1, -1, -1))
    of_noise = change.mean(2, keepdim=True) * is_free[:, None]
    above, noise = (apart - least)[:, None], noise[:, None]
    return -(-above / noise).exp() * ((change - of_least) / noise - above * of_noise / noise.square())


def _differences(image: Tensor) -> Tensor:
    """I(x + u_k) - I(x + u_{k+1}) with a rim for the patches, (B, 4, H + 2, W + 2)."""
    size = [side + PATCH - 1 for side in image.shape[2:]]
    wide = F.pad(image, (MARGIN,) * 4, mode="replicate")
    shifted = torch.cat([wide[:, :, REACH + y :, REACH + x :][:, :, : size[0], : size[1]] for y, x in _AROUND], dim=1)
    return shifted - shifted.roll(-1, 1)


def _noise(apart: Tensor) -> tuple[Tensor, Tensor]:
    """V (B, 1, H, W) of the patch distances D (B, 4, H, W), and where it is their mean, not a bound."""
    mean = apart.mean(1, keepdim=True)
    usual = mean.detach().mean(dim=(2, 3), keepdim=True).clamp_min(1e-20)
    low, high = LEAST * usual, MOST * usual
    return mean.maximum(low).minimum(high), (mean > low) & (mean < high)


@dataclass(frozen=True, eq=False)
class SelfSimilarityTerm:
    r"""How alike the self-similarities of a fixed target f and a moving image g are, with slope and curvature.

        S = 1 - sum_x w(x) mean_k (d_k(f) - d_k(g))^2 / (2 v),    v the mean variance of d_k(f)

    1 for the same descriptors, 0 for those that know nothing of each other.

    Args:
        descriptors: d(f), (1, 4, h, w).
        weight: w over twice v, (1, 1, h, w).
    """

    descriptors: Tensor
    weight: Tensor

    @classmethod
    def of(cls, target: Tensor, valid: Tensor) -> SelfSimilarityTerm:
        """The term of a target (1, 1, H, W) whose pixels count where `valid` (1, 1, H, W) is true."""
        found = self_similarity(target)
        side = 2 * MARGIN + 1
        inside = (F.avg_pool2d(valid.to(target), side, stride=1, padding=MARGIN) > 1 - 0.5 / side**2).to(target)
        inside = inside if bool(inside.any()) else torch.ones_like(inside)
        weight = inside / inside.sum()
        mean = (weight * found).sum(dim=(2, 3), keepdim=True)
        variance = (weight * (found - mean).square()).sum(dim=(2, 3)).mean().clamp_min(1e-6)
        return cls(found, weight / (2 * variance))

    def value(self, moving: Tensor) -> Tensor:
        """S (B,) of the moving images (B, 1, H, W), differentiable."""
        apart = (self_similarity(moving) - self.descriptors).square().mean(1, keepdim=True)
        return 1 - (self.weight * apart).sum(dim=(1, 2, 3))

    def curvature(self, moving: Tensor, jacobian: Tensor) -> Tensor:
        """Gauss-Newton's approximation of -d2S/dp2, (B, P, P), for dg/dp = `jacobian` (B, P, H, W)."""
        rows = self_similarity_jacobian(moving, jacobian)
        return 2 * (rows * self.weight[:, None] / rows.shape[2]).flatten(2) @ rows.flatten(2).mT
