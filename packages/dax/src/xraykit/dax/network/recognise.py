"""Which architecture a state dict belongs to, told from its names and shapes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from torch import Tensor

from xraykit.render import FileError

# (embedding, blocks, patch) and (blocks of the four layers, three convolutions per block).
_VITS: dict[tuple[int, ...], str] = {
    (192, 12, 16): "vit_tiny16",
    (192, 12, 8): "vit_tiny8",
    (384, 12, 16): "vit_small16",
    (384, 12, 8): "vit_small8",
    (768, 12, 16): "vit_base_patch16_224",
    (768, 12, 8): "vit_base_patch8_224",
    (192, 6, 16): "vit_mini16",
}
_RESNETS: dict[tuple[tuple[int, ...], bool], str] = {
    ((2, 2, 2, 2), False): "resnet18",
    ((3, 4, 6, 3), False): "resnet34",
    ((3, 4, 6, 3), True): "resnet50",
    ((1, 1, 1, 1), False): "resnet10",
}


def recognise(state: Mapping[str, object], *, source: str) -> tuple[str, int, int]:
    """Architecture, channels, and edge of the images that position embeddings are for [px], 224 without any.

    Args:
        state: Tensors by name, of a backbone alone.
        source: Where they come from, for messages.

    Raises:
        FileError: None of those that are known here.
    """
    shapes = {name: tuple(value.shape) for name, value in state.items() if isinstance(value, Tensor)}
    patch, stem = shapes.get("patch_embed.proj.weight", ()), shapes.get("conv1.weight", ())
    if len(patch) == 4:
        tokens = shapes.get("pos_embed", (1, 1, 1))[1] - 1
        key = (patch[0], len(_numbers(shapes, r"blocks\.(\d+)\.")), patch[2])
        if key in _VITS:
            return _VITS[key], patch[1], math.isqrt(max(tokens, 1)) * patch[2]
        found = f"a transformer with embedding {key[0]}, {key[1]} blocks and patches of {key[2]}"
    elif len(stem) == 4:
        blocks = tuple(len(_numbers(shapes, rf"layer{layer}\.(\d+)\.")) for layer in (1, 2, 3, 4))
        deep = "layer1.0.conv3.weight" in shapes
        if (blocks, deep) in _RESNETS:
            return _RESNETS[blocks, deep], stem[1], 224
        found = f"a ResNet with {blocks} blocks of {3 if deep else 2} convolutions"
    else:
        found = "the names " + (", ".join(list(shapes)[:4]) or "of no tensors")
    known = ", ".join([*_VITS.values(), *_RESNETS.values()])
    raise FileError(f"{source} must hold the weights of one of {known}, got {found}; state its architecture.")


def _numbers(names: Mapping[str, object], pattern: str) -> set[str]:
    return {match[1] for name in names if (match := re.match(pattern, name))}
