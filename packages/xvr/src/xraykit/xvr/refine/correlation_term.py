"""One term of the registration's objective: local correlation with a fixed target, its slope and its curvature."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError

from .similarity import box_mean

_GUARD = 0.01


@dataclass(frozen=True, eq=False)
class CorrelationTerm:
    r"""The weighted mean of NCC over windows of a fixed target, with everything that depends on the target kept.

    With window means m(.), target f and moving image g,

        S = sum_p w_p N_p,    N_p = cov_p(f, g) / sqrt((var_p f + e_f) (var_p g + e_g)).

    Windows with nothing in them but noise count for little: w is proportional to var_p f / (var_p f + c) with c =
    `floor` times the variance of the whole image. The constants e only keep N_p finite: a hundredth of that, since N_p
    is no longer largest at g = f where e counts; in derivatives e_g is a constant.

    Args:
        target: f, (1, C, H, W).
        weight: w, (1, C, h, w), summing to 1.
        patch: Side of a window [px]; None is one window, the whole image.
        pixels: Share of each pixel in the one window, (1, 1, H, W); only used without `patch`.
        floor: See above.
    """

    target: Tensor
    weight: Tensor
    patch: int | None
    pixels: Tensor
    mean: Tensor
    spread: Tensor
    floor: float

    @classmethod
    def of(cls, target: Tensor, valid: Tensor, *, patch: int | None, floor: float) -> CorrelationTerm:
        """The term of a target (1, C, H, W) whose pixels count where `valid` (1, 1, H, W) is true.

        Raises:
            InputError: No window lies inside the valid pixels.
        """
        inside = valid.to(target)
        pixels = inside / inside.sum().clamp_min(1)
        target = target - (pixels * target).sum(dim=(2, 3), keepdim=True)
        if patch is None:
            weight = inside.new_ones(1, 1, 1, 1)
        else:
            weight = (box_mean(inside, patch) > 1 - 0.5 / patch**2).to(target)
            if not bool(weight.any()):
                raise InputError(
                    f"no window of {patch}x{patch} pixels lies inside the valid part of the {target.shape[3]}x"
                    f"{target.shape[2]} image; use larger scales or a larger valid region."
                )
        bare = cls(target, weight, patch, pixels, target, target, floor)
        mean = bare.window(target)
        variance = (bare.window(target.square()) - mean.square()).clamp_min(0)
        scale = floor * bare.whole_variance(target)
        weight = weight * variance / (variance + scale)
        spread = (variance + _GUARD * scale).sqrt()
        return cls(target, weight / weight.sum(), patch, pixels, mean, spread, floor)

    def trusting(self, moving: Tensor) -> CorrelationTerm:
        r"""The same, with windows that are less alike than the others counting less.

            w_p / (1 + (d_p / m)^2),    d = 1 - max N,    m = sum_p w_p d_p

        What has no partner in the other image (metal, an overlay, a bone that moved) then pulls at nothing for long.

        Args:
            moving: What it is compared with, (B, C, H, W); of several a window may choose.

        Source: Cauchy's weights of an M-estimator (Holland and Welsch, Commun. Stat. 6, 1977).
        """
        apart = (1 - self.value(moving)[1].local).clamp_min(0).amin(0, keepdim=True)
        usual = (self.weight * apart).sum().clamp_min(1e-9)
        weight = self.weight / (1 + (apart / usual).square())
        return replace(self, weight=weight / weight.sum())

    def window(self, image: Tensor) -> Tensor:
        """m: the mean of each window, (B, C, h, w)."""
        return (
            (self.pixels * image).sum(dim=(2, 3), keepdim=True) if self.patch is None else box_mean(image, self.patch)
        )

    def whole_variance(self, image: Tensor) -> Tensor:
        """The variance over all pixels that count, (B, C, 1, 1)."""
        mean = (self.pixels * image).sum(dim=(2, 3), keepdim=True)
        return (self.pixels * (image - mean).square()).sum(dim=(2, 3), keepdim=True).clamp_min(1e-20)

    def value(self, moving: Tensor) -> tuple[Tensor, WindowState]:
        """S (B,) of the moving images (B, C, H, W), differentiable, and what `curvature` needs."""
        moving = moving - (self.pixels * moving.detach()).sum(dim=(2, 3), keepdim=True)
        mean = self.window(moving)
        floor = _GUARD * self.floor * self.whole_variance(moving.detach()).clamp_min(1e-6)  # of an empty DRR
        variance = (self.window(moving.square()) - mean.square()).clamp_min(0) + floor
        covariance = self.window(self.target * moving) - self.mean * mean
        local = covariance / (self.spread * variance.sqrt())
        value = (self.weight * local).sum(dim=(1, 2, 3))
        return value, WindowState(moving.detach(), mean.detach(), variance.detach(), local.detach())

    def curvature(self, state: WindowState, jacobian: Tensor) -> Tensor:
        r"""Gauss-Newton's approximation of -d2S/dp2, (B, P, P), for dg/dp = `jacobian` (B, P, C, H, W).

        1 - N_p is half the squared distance of two normalised windows, so the curvature of a window is the inner
        product of the normalised moving window's derivatives,

            (cov_p(J_i, J_j) - c_i c_j) / (var_p g + e_g),    c_i = cov_p(g, J_i) / sqrt(var_p g + e_g),

        and it counts as much as the window agrees (N_p, at least 0.05): where the images disagree, little is known.
        """
        batch, parameters, channels, height, width = jacobian.shape
        share = self.weight * state.local.clamp_min(0.05) / state.variance  # (B, C, h, w)
        by_pixel = self._spread_back(share, height, width)
        flat = jacobian.reshape(batch, parameters, -1)
        total = (jacobian * by_pixel[:, None]).reshape(batch, parameters, -1) @ flat.mT
        stacked = jacobian.reshape(-1, channels, height, width)
        means = self.window(stacked).unflatten(0, (batch, parameters))
        products = self.window((jacobian * state.moving[:, None]).reshape(-1, channels, height, width))
        along = products.unflatten(0, (batch, parameters)) - means * state.mean[:, None]
        for part, weight in ((means, share), (along, share / state.variance)):
            total = total - (part * weight[:, None]).flatten(2) @ part.flatten(2).mT
        return total

    def _spread_back(self, share: Tensor, height: int, width: int) -> Tensor:
        """The adjoint of `window`: how much each pixel counts in all windows together, (B, C, H, W)."""
        if self.patch is None:
            return share * self.pixels
        padded = F.pad(share, (self.patch - 1,) * 4)
        return box_mean(padded, self.patch)[:, :, :height, :width]


@dataclass(frozen=True, eq=False)
class WindowState:
    """The moving image, centred, and its window means, variances (floor included) and correlations."""

    moving: Tensor
    mean: Tensor
    variance: Tensor
    local: Tensor
