"""The pose network: a timm backbone that sees one X-ray, and two linear heads for rotation and translation."""

from __future__ import annotations

from difflib import get_close_matches
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from xraykit.render import InputError

from .frame import NetworkFrame

Norm = Literal["groupnorm", "default"]


class PoseNetwork(nn.Module):
    """From preprocessed X-rays to poses E in the network's frame.

    E = [R | R t] with R from the rotation head and t = unit_factor * translation head. State names are those of the
    published checkpoints: `backbone.*`, `xyz_regression.*`, `rot_regression.*`.

    Args:
        frame: What its input and output mean; `frame.height` sizes the heads.
        backbone: A timm model; the published ones are resnet18 and resnet34.
        norm: "groupnorm" puts GroupNorm (32 groups, eps 1e-5) in the place of every normalisation, "default" keeps
            the backbone's own.
        pretrained: Start the backbone from timm's weights (downloads them).

    Attributes:
        provenance: How it was trained or where it was read, for people and results; no tensor.

    Raises:
        InputError: No such backbone, or one that takes no grey image of this size or no group norm.

    Source: Gopalakrishnan et al., "Rapid patient-specific neural networks for intraoperative X-ray to volume
        registration" (xvr).
    """

    def __init__(
        self,
        frame: NetworkFrame,
        *,
        backbone: str = "resnet34",
        norm: Norm = "groupnorm",
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        self.frame = frame
        self.architecture: dict[str, str] = {"backbone": backbone, "norm": norm}
        self.provenance: dict[str, object] = {}
        self.backbone = _backbone(backbone, norm, pretrained)
        features = _feature_size(self.backbone, backbone, frame.height)
        self.xyz_regression = nn.Linear(features, 3)
        self.rot_regression = nn.Linear(features, frame.rotation_size)

    def numbers(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the heads say: rotation (B, n) and translation (B, 3) [unit_factor mm], always in full precision."""
        features = self.backbone(images)
        with torch.autocast(features.device.type, enabled=False):
            features = features.to(self.xyz_regression.weight.dtype)
            return self.rot_regression(features), self.xyz_regression(features)

    def forward(self, images: Tensor) -> Tensor:
        """E (B, 4, 4) [mm] for preprocessed images (B, 1, height, height); `frame.to_world` makes it a pose."""
        rotation, translation = self.numbers(images)
        return self.frame.extrinsic(rotation, translation)

    def described(self) -> str:
        """What its weights are, for messages."""
        return f"the weights of a {self.architecture['backbone']} with norm={self.architecture['norm']}"


def _backbone(name: str, norm: str, pretrained: bool) -> nn.Module:
    import timm
    from timm.layers.norm import GroupNorm

    if norm not in ("groupnorm", "default"):
        raise InputError(f"norm must be 'groupnorm' or 'default', got {norm!r}.")
    if not timm.is_model(name):
        similar = get_close_matches(name, timm.list_models(), n=4) or ["resnet18", "resnet34"]
        raise InputError(f"backbone must be a timm model such as {', '.join(similar)}, got {name!r}.")
    options: dict[str, Any] = {"norm_layer": partial(GroupNorm, num_groups=32, eps=1e-5)} if norm == "groupnorm" else {}
    try:
        return timm.create_model(name, pretrained=pretrained, num_classes=0, in_chans=1, **options)
    except (TypeError, ValueError, RuntimeError, OSError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(
            f"timm could not make the backbone {name!r} for grey images with norm={norm!r} and pretrained={pretrained} "
            f"({cause}); choose another backbone, norm='default' or pretrained=False."
        ) from error


def _feature_size(backbone: nn.Module, name: str, height: int) -> int:
    """How many features come out for one image, found by asking."""
    was = backbone.training
    try:
        with torch.no_grad():
            shape = backbone.eval()(torch.zeros(1, 1, height, height)).shape
    except (RuntimeError, AssertionError, ValueError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"backbone {name!r} takes no images of {height} x {height} px ({cause}).") from error
    backbone.train(was)
    if len(shape) != 2:
        raise InputError(f"backbone {name!r} must give one vector per image, got shape {tuple(shape)}.")
    return shape[1]
