"""The pose network: a timm backbone that sees one X-ray, and two linear heads for rotation and translation."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

from xraykit.render import FileError, InputError

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


def fill_weights(network: PoseNetwork, state: Mapping[str, object], *, source: str) -> PoseNetwork:
    """The network itself with its weights set from a state dict that matches name by name and shape by shape.

    Args:
        network: Changed in place.
        state: Tensors by name.
        source: Where they come from, for messages.

    Raises:
        FileError: Names missing or left over, shapes that differ, entries that are no tensors, or NaN.
    """
    own = network.state_dict()
    missing, unexpected = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    wanted = f"the weights of a {network.architecture['backbone']} with norm={network.architecture['norm']}"
    if missing or unexpected:
        raise FileError(
            f"{source} must hold exactly {wanted}, got {_some(missing)} missing and {_some(unexpected)} unexpected; "
            "it belongs to another architecture or is incomplete."
        )
    tensors: dict[str, Tensor] = {}
    for name, value in state.items():
        if not isinstance(value, Tensor) or value.shape != own[name].shape:
            came = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise FileError(
                f"{source} must hold {wanted}: {name} of shape {tuple(own[name].shape)}, got {came}; it belongs to "
                "another architecture or parameterisation."
            )
        if not bool(torch.isfinite(value).all()):
            raise FileError(f"{source} must hold finite weights, got NaN or infinity in {name}; the training failed.")
        tensors[name] = value
    network.load_state_dict(tensors)
    return network


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


def _some(names: list[str]) -> str:
    if not names:
        return "nothing"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
