"""What registration maximises: similarity of the X-rays and the rendered structures, with slope and curvature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from xraykit.render import Camera, Volume, render_jacobian

from .correlation_term import CorrelationTerm
from .motion import PRIOR, Motion, corrections
from .scatter import with_scatter
from .self_similarity import SelfSimilarityTerm
from .settings import Similarity
from .similarity import GRADIENT_PATCH, PATCH, sobel


@dataclass(frozen=True, eq=False)
class TargetImage:
    """One view at one scale: the camera of the compared window and the three terms of its similarity.

    `terms` are NCC of the whole, of patches, and of the patches of the Sobel derivatives; `context`, where there is
    one, is maximised in their place.
    """

    camera: Camera
    terms: tuple[CorrelationTerm, CorrelationTerm, CorrelationTerm]
    context: SelfSimilarityTerm | None = None

    @classmethod
    def of(
        cls, image: Tensor, valid: Tensor, camera: Camera, *, floor: float, similarity: Similarity = "correlation"
    ) -> TargetImage:
        """The target of an image (H, W) and its valid pixels (H, W)."""
        picture, mask = image[None, None], valid[None, None]
        inner = torch.nn.functional.avg_pool2d(mask.to(image), 3, stride=1) > 0.99
        side = min(image.shape)
        patch, edge_patch = min(PATCH, side), min(GRADIENT_PATCH, side - 2)
        return cls(
            camera,
            (
                CorrelationTerm.of(picture, mask, patch=None, floor=1e-6),
                CorrelationTerm.of(picture, mask, patch=patch, floor=floor),
                CorrelationTerm.of(sobel(picture), inner, patch=edge_patch, floor=10 * floor),
            ),
            SelfSimilarityTerm.of(picture, mask) if similarity == "mind" else None,
        )


WEIGHTS = (0.25, 0.25, 0.5)
"""Shares of the three terms: half multiscale NCC (whole and patches), half gradient NCC."""


PRIOR_WEIGHT = 1e-4
"""What a correction of one standard deviation costs in similarity, twice."""


class Evaluation(NamedTuple):
    """`value` (B,), to be maximised; `terms` (B, 3); `slope` (B, P) = dS/dp; `curvature` (B, P, P), about -d2S/dp2."""

    value: Tensor
    terms: Tensor
    slope: Tensor
    curvature: Tensor


@dataclass(frozen=True, eq=False)
class Objective:
    """The mean similarity over all views, of the sum of the line integrals of all structures.

    Args:
        targets: One per view.
        structures: The rigid bodies; line integrals add up.
        pivots: The point about which each structure's twist turns, (K, 3) world RAS [mm].
        samples: Samples per ray.
        intrinsics: Which of "sdd" and "principal_point" are unknown too.
        weights: Shares of the three terms.
        ceiling: What the ceilings of scatter are thought to be, give or take as much; see scatter.py. None is no
            scatter at all.
    """

    targets: tuple[TargetImage, ...]
    structures: tuple[Volume, ...]
    pivots: Tensor
    samples: int
    intrinsics: tuple[str, ...] = ()
    weights: tuple[float, float, float] = WEIGHTS
    ceiling: float | None = None

    def evaluate(self, motion: Motion) -> Evaluation:
        """Similarity, slope and curvature at the given motion (B candidates); parameters as in `Motion.moved`."""
        return self.compared(motion, ())[0]

    def compared(self, motion: Motion, others: Sequence[Objective]) -> list[Evaluation]:
        """What this objective says and what others do that differ in nothing but X-rays, of one rendering."""
        parts: list[list[Evaluation]] = [[] for _ in (self, *others)]
        for view in range(len(self.targets)):
            image, jacobian = self._render(view, motion)
            for said, one in zip(parts, (self, *others), strict=True):
                said.append(one._view(one.targets[view], image, jacobian)[0])
        means = [Evaluation(*(torch.stack(each).mean(0) for each in zip(*said, strict=True))) for said in parts]
        return [self._with_prior(whole, motion) if self.intrinsics or self.ceiling else whole for whole in means]

    def trusting(self, motion: Motion) -> Objective:
        """The same, with edges that a candidate shows otherwise than the X-rays counting less (not of "mind")."""
        if any(target.context is not None for target in self.targets):
            return self
        targets = []
        for view, target in enumerate(self.targets):
            whole, patches, edges = target.terms
            robust = edges.trusting(self.edges(view, motion))
            targets.append(replace(target, terms=(whole, patches, robust)))
        return replace(self, targets=tuple(targets))

    def scores(self, motion: Motion, view: int) -> Tensor:
        """Each pixel's contribution to the slope, (P, H, W), for one candidate; they add up to this view's slope."""
        return self._view(self.targets[view], *self._render(view, motion))[1][0]

    def image(self, view: int, motion: Motion) -> Tensor:
        """The rendered view, (B, 1, H, W)."""
        return self._render(view, motion)[0]

    def edges(self, view: int, motion: Motion) -> Tensor:
        """The Sobel derivatives (B, 2, H - 2, W - 2) of the rendered view at a deviation of 1."""
        image = self.image(view, motion)
        return sobel(image / image.std(dim=(2, 3), keepdim=True).clamp_min(1e-12))

    def _with_prior(self, found: Evaluation, motion: Motion) -> Evaluation:
        """What is not usual of cameras and scatter costs a little: -w/2 sum (c / sigma)^2."""
        asked = corrections(self.intrinsics)
        unusual, sigma = motion.lens[:, asked], motion.lens.new_tensor([PRIOR[place] for place in asked])
        if self.ceiling is not None:
            unusual = torch.cat([unusual, motion.ceilings - self.ceiling], dim=1)
            sigma = torch.cat([sigma, sigma.new_full((motion.ceilings.shape[1],), self.ceiling)])
        stiffness, first = PRIOR_WEIGHT / sigma.square(), found.slope.shape[1] - len(sigma)
        value = found.value - (stiffness * unusual.square()).sum(1) / 2
        slope = torch.cat([found.slope[:, :first], found.slope[:, first:] - stiffness * unusual], dim=1)
        extra = torch.cat([stiffness.new_zeros(first), stiffness])
        return Evaluation(value, found.terms, slope, found.curvature + torch.diag(extra))

    def _render(self, view: int, motion: Motion) -> tuple[Tensor, Tensor]:
        """The image (B, 1, H, W) and its derivatives (B, P, H, W) by every parameter of `Motion.moved`."""
        given = self.targets[view].camera
        camera = motion.camera(given)
        found = [
            render_jacobian(
                structure, camera, motion.poses[:, k, view], pivot=self.pivots[k], intrinsics=bool(self.intrinsics),
                samples=self.samples,
            )
            for k, structure in enumerate(self.structures)
        ]  # fmt: skip
        columns = [part.twist for part in found]
        if self.intrinsics:
            lens = torch.stack([part.intrinsics for part in found if part.intrinsics is not None]).sum(0)
            spacing = given.tensors(dtype=lens.dtype, device="cpu")[1][0]
            lens[:, 1:] = lens[:, 1:] / spacing.flip(0)[:, None, None]  # per pixel to per millimetre
            columns.append(lens[:, corrections(self.intrinsics)])
        lines, jacobian = torch.stack([part.image for part in found]).sum(0), torch.cat(columns, dim=1)
        if self.ceiling is None:
            return lines, jacobian
        image, by_lines, by_ceiling = with_scatter(lines, motion.ceilings[:, view])
        views = torch.eye(len(self.targets)).to(image)[view, :, None, None]
        return image, torch.cat([by_lines * jacobian, by_ceiling * views], dim=1)

    def _view(self, target: TargetImage, image: Tensor, jacobian: Tensor) -> tuple[Evaluation, Tensor]:
        scale = image.std(dim=(2, 3), keepdim=True).clamp_min(1e-12)
        image, jacobian = image / scale, jacobian / scale
        free = image.detach().requires_grad_()
        with torch.enable_grad():
            edges = sobel(free)
            found = [term.value(x) for term, x in zip(target.terms, (free, free, edges), strict=True)]
            terms = torch.stack([value for value, _ in found], dim=1)
            if target.context is None:
                value = (terms * terms.new_tensor(self.weights)).sum(1)
            else:
                value = target.context.value(free)
            (by_pixel,) = torch.autograd.grad(value.sum(), free)
        scores = by_pixel * jacobian
        slope = scores.sum(dim=(2, 3)).double()
        if target.context is not None:
            curvature = target.context.curvature(image.detach(), jacobian).double()
            return Evaluation(value.detach().double(), terms.detach().double(), slope, curvature), scores
        batch, parameters = jacobian.shape[:2]
        of_edges = sobel(jacobian.reshape(batch * parameters, 1, *jacobian.shape[2:]))
        channels = (jacobian[:, :, None], jacobian[:, :, None], of_edges.unflatten(0, (batch, parameters)))
        curvature = sum(
            weight * term.curvature(state, columns)
            for weight, term, (_, state), columns in zip(self.weights, target.terms, found, channels, strict=True)
            if weight
        )
        curvature = torch.as_tensor(curvature).double()
        return Evaluation(value.detach().double(), terms.detach().double(), slope, curvature), scores
