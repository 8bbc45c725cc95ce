"""How well X-rays fit the outline of an implant: profiles across its rim, and the step that would align them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from xraykit.render import Camera

from ..refine.pyramid import shrunk_shot
from ..xray.shot import Shot
from .silhouette import Outline, Rim, focal_and_centre, sample, smoothed

INSIDE = 6  # pixels that a profile reaches to either side of the rim
FLOOR = 0.05  # contrast that halves the worth of a profile, of the brightest that it shows
NOISE = 2.0  # the same, in standard deviations of the image's noise
SHARPNESS = 0.05  # correlation by which a place on a profile must be worse to be e times less likely
MEDIAN = 0.6745  # of the absolute value of a standard normal variable
SATURATED = 1.5  # of the open beam: brighter is noise


@dataclass(frozen=True, eq=False)
class RimTarget:
    """One X-ray at one scale.

    Args:
        image: The share of the beam that is missing, (1, 1, H, W).
        valid: 1 where it may be compared, (1, 1, H, W).
        camera: Of this scale.
        contrast: Share of what arrives beside an edge that must be missing behind it for half of its worth.
        noise: Contrast that is not told from noise.
    """

    image: Tensor
    valid: Tensor
    camera: Camera
    contrast: float
    noise: float

    @classmethod
    def of(cls, shot: Shot, longest: int) -> RimTarget:
        """The target of a shot whose longer side shall have at most `longest` pixels.

        What is compared is 1 - exp(-line integrals), the share of the beam that is missing: a pixel that metal covers
        by half shows half of it, where the logarithm would show less and draw every edge inwards. Greys that were
        processed for display have a scale of their own, and count as that share as they are.
        """
        missing = _missing(shot)
        image, valid, camera = shrunk_shot(replace(shot, image=missing), longest)
        low, high = torch.quantile(image[valid][:: 1 + image.numel() // 2**20], image.new_tensor([0.005, 0.995]))
        contrast = FLOOR * float((high - low) / (1 - low).clamp_min(1e-6))
        smooth = smoothed(image[None, None])
        noise = NOISE * float((smooth - smoothed(smooth))[0, 0][valid].abs().median()) / MEDIAN + 1e-9
        return cls(smooth, valid[None, None].to(image), camera, contrast, noise)

    def floor(self, least: Tensor) -> Tensor:
        """The contrast that halves the worth of an edge where at least `least` of the beam is missing.

        Metal takes a share of what would arrive: behind dense bone the same metal shows less contrast than beside
        skin, and no less worth.
        """
        return self.contrast * (1 - least).clamp_min(0) + self.noise


def _missing(shot: Shot) -> Tensor:
    """The share of the beam that is missing, (H, W)."""
    image = shot.image.float()
    if shot.greys == "line_integral":
        return 1 - (-image).exp().clamp_max(SATURATED)
    inside = image if shot.valid is None else image[shot.valid]
    return (image - inside.min()) / (inside.max() - inside.min())


class RimEvaluation(NamedTuple):
    """What B poses are worth.

    value (B,), mean correlation over the rim, -1 to 1; merit (B,), what a step shall raise, with its slope (B, 6) and
    curvature (B, 6, 6) by the twist of `Motion.moved`; seen (B,), share of the rim inside the field; information
    (B, 6, 6), the inverse covariance of that twist, which takes what the best step would leave along the normals as
    noise, the same over a profile's length of outline.
    """

    value: Tensor
    merit: Tensor
    slope: Tensor
    curvature: Tensor
    seen: Tensor
    information: Tensor


class Places(NamedTuple):
    """For each rim point where along its normal the X-ray has it: log evidence, mean [px] and variance [px^2]."""

    evidence: Tensor
    mean: Tensor
    variance: Tensor


class ViewEvaluation(NamedTuple):
    """One view: value, share seen and independent pieces of outline, (B,); rows (B, N, 6), shares and places (B, N)."""

    value: Tensor
    seen: Tensor
    pieces: Tensor
    rows: Tensor
    share: Tensor
    places: Places


def evaluate(targets: Sequence[RimTarget], outline: Outline, poses: Tensor, *, reach: int) -> RimEvaluation:
    r"""Compare each view with the outline that an implant would have there.

    Across every point i of the rim, the rendered shadow m_i(s), s = -6..6 px along the outward normal, is correlated
    with the X-ray p_i at all shifts d = -reach..reach:

        c_i(d) = cov(p_i(s + d), m_i(s)) / (sd m_i (sd p_i + floor)),    floor = contrast (1 - min p_i) + noise,

    0 outside the field. The value is the mean of c_i(0) over the outline. The merit is what one may expect to find
    close by, with tau = 0.05 and sigma = reach / 2,

        tau sum_i w_i log sum_d exp(c_i(d) / tau - d^2 / (2 sigma^2)),

    whose derivatives by a motion along the normals are those of a mixture: slope E_i[d] / sigma^2 and curvature
    (1 - Var_i[d] / sigma^2) / sigma^2. They become those by the twist x of the implant through n_i . J_i, J_i the
    derivative of the projected rim point, which to first order moves as if it were fixed to the implant. A piece of
    rim that the X-ray does not show pulls nowhere and holds nothing.

    Args:
        targets: V views.
        outline: The implant.
        poses: Camera to mesh of every view, (B, V, 4, 4) float64.
        reach: How far along the normal to look [px].
    """
    views = [_view(target, outline, poses[:, v], reach) for v, target in enumerate(targets)]
    value, seen, pieces = (
        torch.stack([getattr(view, name) for view in views]).mean(0) for name in ("value", "seen", "pieces")
    )
    rows, share = (torch.cat([getattr(view, name) for view in views], dim=1) for name in ("rows", "share"))
    places = Places(*(torch.cat(parts, dim=1) for parts in zip(*(view.places for view in views), strict=True)))
    variance = (reach / 2) ** 2
    weight = SHARPNESS * share / (len(views) * variance)
    held = weight * (1 - places.variance / variance).clamp_min(0)
    slope = (rows * (weight * places.mean)[..., None]).sum(1)
    curvature = (rows * held[..., None]).mT @ rows
    merit = variance * (weight * places.evidence).sum(1)
    spread = _spread(rows, weight, held, places, slope, curvature)
    known = (variance / SHARPNESS * len(views) * pieces / spread.clamp_min(1e-3))[:, None, None] * curvature
    return RimEvaluation(value, merit, slope, curvature, seen, known)


def _view(target: RimTarget, outline: Outline, poses: Tensor, reach: int) -> ViewEvaluation:
    patch = outline.render(target.camera, poses)
    rim = outline.rim(target.camera, poses, patch)
    steps = torch.arange(-INSIDE - reach, INSIDE + reach + 1).double()
    places = rim.uv[:, :, None] + steps[:, None] * rim.normal[:, :, None]
    inner = places[:, :, reach : reach + 2 * INSIDE + 1] - patch.corner[:, None, None]
    model = sample(smoothed(patch.image), inner)[:, 0].double()
    image, valid = sample(torch.cat([target.image, target.valid], dim=1), places).double().unbind(1)
    inside = valid.unfold(2, 2 * INSIDE + 1, 1).amin(3) > 0.99
    alike = torch.where(inside, _correlations(image, model, target), 0.0)
    share, length = _shares(rim)
    value, seen = ((share * part.double()).sum(1) for part in (alike[:, :, reach], inside[:, :, reach]))
    rows = _rows(target.camera, outline, poses, rim)
    return ViewEvaluation(value, seen, length / (2 * INSIDE), rows, share, _places(alike, reach))


def _shares(rim: Rim) -> tuple[Tensor, Tensor]:
    """The share of the outline that each point stands for, (B, N), 1 in all, and its length [px], (B,).

    A point of a crowd stands for less: it shares a piece as long as a bell of 1 px standard deviation is wide.
    """
    kept = rim.kept.double()
    crowd = (-(torch.cdist(rim.uv, rim.uv).square() / 2)).exp() @ kept[..., None]
    pieces = kept / crowd[..., 0].clamp_min(1e-9)
    total = pieces.sum(1)
    return pieces / total[:, None].clamp_min(1e-9), math.sqrt(2 * math.pi) * total


def _correlations(image: Tensor, model: Tensor, target: RimTarget) -> Tensor:
    """c_i(d), (B, N, 2 reach + 1)."""
    windows = image.unfold(2, model.shape[2], 1)
    flat = model - model.mean(2, keepdim=True)
    covariance = (windows * flat[:, :, None]).mean(3)
    spread, floor = windows.std(3, correction=0), target.floor(windows.amin(3))
    return covariance / (flat.square().mean(2).sqrt()[..., None].clamp_min(1e-9) * (spread + floor))


def _places(alike: Tensor, reach: int) -> Places:
    """The mixture over shifts d that correlations c_i(d) (B, N, D) make, less likely far away."""
    steps = torch.arange(-reach, reach + 1).double()
    log = alike / SHARPNESS - steps.square() / (2 * (reach / 2) ** 2)
    chance = log.softmax(2)
    mean = (chance * steps).sum(2)
    return Places(log.logsumexp(2), mean, (chance * (steps - mean[..., None]).square()).sum(2))


def _rows(camera: Camera, outline: Outline, poses: Tensor, rim: Rim) -> Tensor:
    """n . J of every rim point, (B, N, 6): pixels along the normal per radian and millimetre of the twist."""
    focal, _ = focal_and_centre(camera)
    x, y, z = rim.seen.unbind(-1)
    z = z.clamp_min(1.0)
    across = rim.normal * focal / z[..., None]  # d(n . uv) / d(x, y)
    along = -(across[..., 0] * x + across[..., 1] * y) / z
    by_point = torch.cat([across, along[..., None]], dim=-1) @ poses[:, :3, :3].mT  # by the point in the mesh's frame
    lever = rim.points - outline.implant.pivot
    # the camera's motion exp(x) is the mesh's motion exp(-x): a point goes to X - w x (X - p) - v
    return torch.cat([-torch.linalg.cross(lever, by_point, dim=-1), -by_point], dim=-1)


def _spread(rows: Tensor, weight: Tensor, held: Tensor, places: Places, slope: Tensor, curvature: Tensor) -> Tensor:
    """Weighted mean square of what the best step would leave along the normals, (B,) [px^2]."""
    size = curvature.diagonal(dim1=1, dim2=2).clamp_min(1e-12)
    x = torch.linalg.solve(curvature + torch.diag_embed(1e-3 * size), slope)
    wanted = places.mean * weight / held.clamp_min(0.1 * weight.clamp_min(1e-12))
    left = wanted - (rows @ x[..., None])[..., 0]
    return (held * left.square()).sum(1) / held.sum(1).clamp_min(1e-12)
