"""A classifier of studies of one or more X-rays, which may start from a matcher and be guided by its matches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .attention import ATTENTION_BYTES, without_autocast
from .attention_flow import attention_received, attention_rollout
from .classifier_config import StudyClassifierConfig
from .guided_encoder import GuidedEncoder
from .matcher import MatchNetwork, PatchTokens, check_images, patch_tokens
from .modules.build_module import new_module
from .modules.standard import StandardEncoder

AttentionKind = Literal["received", "rollout"]
"""received: the last layer's mean attention to each patch; rollout: through all layers with their skip connections."""


class StudyClassifier(nn.Module):
    """Trunk, tokens and encoder of a matcher, the mean over all tokens (`pool`), LayerNorm and a linear logit.

    Single and late fusion encode each view alone, late takes the mean of the views' logits; early encodes the tokens
    of all views together, guided or not. State names of trunk, projection and encoder are the matcher's.

    Args:
        config: What it is.

    Attributes:
        attention_bytes: Largest attention matrix of a layer; images that need more are refused.
        trained_on: What it learned from, for people and results; no tensor.

    Source: "Self-Supervised Multiview Xray Matching" (MICCAI 2025), section 2.4.
    """

    def __init__(self, config: StudyClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.attention_bytes = ATTENTION_BYTES
        self.trained_on: Mapping[str, object] = {}
        matcher = config.matcher
        self.patches = PatchTokens(matcher)
        self.module = (
            GuidedEncoder(
                matcher.dimension,
                matcher.layers,
                matcher.heads,
                matcher.views,
                per_head=config.per_head,
                centred=config.centred,
            )
            if config.guided
            else new_module(matcher)
        )
        width = matcher.dimension * (2 if config.pool == "mean_max" else 1)
        self.norm = nn.LayerNorm(width)
        self.logit = nn.Linear(width, 1)

    def forward(
        self,
        images: Tensor,
        *,
        correspondences: Tensor | None = None,
        order: Tensor | None = None,
        present: Tensor | None = None,
    ) -> Tensor:
        """Logits (B,) of studies.

        Args:
            images: (B, V, 1, S, S) in [0, 1], bone bright; V = 1 for single fusion.
            correspondences: (B, P, L, L) from 0 to 1, pairs in the order of combinations(range(V), 2); for a guided
                classifier and no other.
            order: (B, V) numbers of the view embeddings; None is 0, 1, ... for early fusion, else 0 for each view.
            present: (B, V) bool, views that there are; None is all.

        Raises:
            InputError: Images, correspondences, `order` or `present` that do not fit, or more tokens than fit.

        Gradients: with respect to images, correspondences and weights.
        """
        grid = self._check(images, correspondences, order, present)
        joint = self.config.fusion == "early"
        tokens = patch_tokens(self.patches, images, present)
        if not joint:
            tokens, order = self._apart(tokens, order)
        inner = present if joint else None
        if isinstance(self.module, GuidedEncoder):
            tokens = self.module(tokens, grid, order=order, present=inner, correspondences=correspondences)
        else:
            tokens = self.module(tokens, grid, order=order, present=inner)
        with without_autocast(tokens):
            pooled = self._pooled(tokens.to(self.norm.weight.dtype), present if joint else None)
            if joint:
                return self.logit(self.norm(pooled))[:, 0]
            logits = self.logit(self.norm(pooled)).view(images.shape[:2])
            return _mean_of(logits[..., None], present)[:, 0]

    @torch.no_grad()
    def attention_maps(
        self,
        images: Tensor,
        *,
        correspondences: Tensor | None = None,
        present: Tensor | None = None,
        kind: AttentionKind = "rollout",
    ) -> Tensor:
        """How much each patch was looked at, (B, V, G, G); a study's numbers (a view's, where encoded alone) sum to 1.

        "received" is the last layer's attention to a patch, the mean over heads and over the tokens that look.
        "rollout" is the product over layers of (A + 1) / 2, the mean over the tokens that are pooled.

        Args:
            images: as for `forward`.
            correspondences: as for `forward`.
            present: as for `forward`.
            kind: Which of the two.

        Raises:
            InputError: As for `forward`, another kind, or a module without attention.
        """
        if kind not in ("received", "rollout"):
            raise InputError(f"kind must be 'received' or 'rollout', got {kind!r}.")
        encoder = self.module
        if not isinstance(encoder, StandardEncoder):
            raise InputError("attention maps need module standard, got none; there is nothing that attends.")
        grid = self._check(images, correspondences, None, present)
        tokens, order, seen = patch_tokens(self.patches, images, present), None, present
        if self.config.fusion != "early":
            (tokens, order), seen = self._apart(tokens, None), None
        x, angles, bias = encoder.join(tokens, grid, order=order, present=seen)
        biases = [bias] * len(encoder.layers)
        if isinstance(encoder, GuidedEncoder):
            biases = encoder.biases(tokens, bias, correspondences)
        weights: list[Tensor] = []
        for layer, each in zip(encoder.layers, biases, strict=True):
            weights.append(layer.attention(x, angles, each).mean(1))  # type: ignore[operator]
            x = layer(x, angles, each)
        looks = torch.ones(tokens.shape[:3], device=x.device)
        looks = (looks if seen is None else looks * seen[..., None]).flatten(1)
        flow = attention_received if kind == "received" else attention_rollout
        return flow(weights, looks / looks.sum(1, keepdim=True)).view(*images.shape[:2], grid, grid)

    def start_from(self, matcher: MatchNetwork) -> StudyClassifier:
        """The classifier itself with trunk, projection and encoder of a matcher; the rest stays as it was.

        Raises:
            InputError: A matcher with another trunk, stride, dimension, module, layers, heads, norm or views.
        """
        own, other = self.config.matcher, matcher.config
        names = ("trunk", "stride", "dimension", "module", "layers", "heads", "norm", "views")
        for name in names:
            if getattr(own, name) != getattr(other, name):
                raise InputError(
                    f"a matcher must have {name}={getattr(own, name)!r} as the classifier has, got "
                    f"{getattr(other, name)!r}; make the classifier with the matcher's config."
                )
        self.patches.load_state_dict(matcher.patches.state_dict())
        state = self.module.state_dict()
        self.module.load_state_dict({**state, **matcher.module.state_dict()})
        self.trained_on = {"matcher": dict(matcher.trained_on)}
        return self

    def _pooled(self, tokens: Tensor, present: Tensor | None) -> Tensor:
        """(B, D) or (B, 2 D) of the tokens (B, V, L, D) of present views."""
        mean = _mean_of(tokens.mean(2), present)
        if self.config.pool == "mean":
            return mean
        greatest = tokens.amax(2)
        if present is not None:
            greatest = greatest.masked_fill(~present[..., None], -torch.inf)
        return torch.cat([mean, greatest.amax(1)], 1)

    def _apart(self, tokens: Tensor, order: Tensor | None) -> tuple[Tensor, Tensor]:
        """Each view as a study of its own, with the first view embedding unless `order` says otherwise."""
        alone = tokens.flatten(0, 1)[:, None]
        order = torch.zeros(alone.shape[:2], dtype=torch.int64, device=tokens.device) if order is None else order
        return alone, order.reshape(-1, 1)

    def _check(
        self, images: Tensor, correspondences: Tensor | None, order: Tensor | None, present: Tensor | None
    ) -> int:
        fusion = self.config.fusion
        least = 2 if self.config.guided else 1
        grid = check_images(
            images, self.config.matcher, least=least, limit=self.attention_bytes, order=order, present=present
        )
        if fusion == "single" and images.shape[1] != 1:
            raise InputError(
                f"a classifier of single views must see one view a study, got {images.shape[1]}; give each view as a "
                "study, or take late or early fusion."
            )
        if (correspondences is None) == self.config.guided:
            got, wanted = ("none", "give them") if self.config.guided else ("some", "leave them out")
            kind = "a guided" if self.config.guided else "an unguided"
            raise InputError(f"{kind} classifier was asked, got {got} of the correspondences; {wanted}.")
        return grid


def _mean_of(values: Tensor, present: Tensor | None) -> Tensor:
    """The mean (B, D) over present views of values (B, V, D)."""
    if present is None:
        return values.mean(1)
    return (values * present[..., None]).sum(1) / present.sum(1, keepdim=True)


def new_classifier(config: StudyClassifierConfig, *, seed: int = 0) -> StudyClassifier:
    """A classifier with random weights, in training mode; the caller's random state stays as it was.

    Raises:
        InputError: No such trunk.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return StudyClassifier(config)
