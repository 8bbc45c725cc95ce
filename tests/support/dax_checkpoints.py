"""Checkpoints of DAX by the published description alone: names, shapes and wrappers, none of ours."""

import math
from argparse import Namespace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

# Name: embedding, heads, patch; and blocks of the four layers, three convolutions per block.
VITS = {"vit_tiny16": (192, 3, 16), "vit_tiny8": (192, 3, 8), "vit_small16": (384, 6, 16), "vit_small8": (384, 6, 8)}
RESNETS = {"resnet18": ((2, 2, 2, 2), False), "resnet50": ((3, 4, 6, 3), True)}
PARAMETERS = {
    "vit_tiny16": 5_524_416,
    "vit_tiny8": 5_526_720,
    "vit_small16": 21_665_664,
    "vit_small8": 21_670_272,
    "resnet18": 11_176_512,
    "resnet50": 23_508_032,
}
TENSORS = {**dict.fromkeys(VITS, 150), "resnet18": 120, "resnet50": 318}
SIZES = {"vit_tiny16": 192, "vit_tiny8": 192, "vit_small16": 384, "vit_small8": 384, "resnet18": 512, "resnet50": 2048}


def published_layout(architecture: str) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of a published backbone."""
    return _vit(*VITS[architecture]) if architecture in VITS else _resnet(*RESNETS[architecture])


def _vit(size: int, heads: int, patch: int) -> dict[str, tuple[int, ...]]:
    del heads
    layout = {
        "cls_token": (1, 1, size),
        "pos_embed": (1, 1 + (224 // patch) ** 2, size),
        "patch_embed.proj.weight": (size, 3, patch, patch),
        "patch_embed.proj.bias": (size,),
    }
    for i in range(12):
        for norm in ("norm1", "norm2"):
            layout[f"blocks.{i}.{norm}.weight"] = layout[f"blocks.{i}.{norm}.bias"] = (size,)
        for name, rows, columns in (
            ("attn.qkv", 3 * size, size),
            ("attn.proj", size, size),
            ("mlp.fc1", 4 * size, size),
            ("mlp.fc2", size, 4 * size),
        ):
            layout[f"blocks.{i}.{name}.weight"] = (rows, columns)
            layout[f"blocks.{i}.{name}.bias"] = (rows,)
    layout["norm.weight"] = layout["norm.bias"] = (size,)
    return layout


def _resnet(blocks: tuple[int, ...], bottleneck: bool) -> dict[str, tuple[int, ...]]:
    layout: dict[str, tuple[int, ...]] = {"conv1.weight": (64, 3, 7, 7)}

    def norm(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            layout[f"{name}.{part}"] = (channels,)
        layout[f"{name}.num_batches_tracked"] = ()

    norm("bn1", 64)
    before = 64
    for layer, count in enumerate(blocks, start=1):
        width = 64 * 2 ** (layer - 1)
        after = 4 * width if bottleneck else width
        for b in range(count):
            name = f"layer{layer}.{b}"
            convolutions = ((before, width, 1), (width, width, 3), (width, after, 1)) if bottleneck else (
                (before, width, 3), (width, width, 3))  # fmt: skip
            for k, (inputs, outputs, edge) in enumerate(convolutions, start=1):
                layout[f"{name}.conv{k}.weight"] = (outputs, inputs, edge, edge)
                norm(f"{name}.bn{k}", outputs)
            if b == 0 and before != after:
                layout[f"{name}.downsample.0.weight"] = (after, before, 1, 1)
                norm(f"{name}.downsample.1", after)
            before = after
    return layout


def random_state(architecture: str, *, seed: int = 0) -> dict[str, Tensor]:
    """Random weights in that layout."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in published_layout(architecture).items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(7)
            continue
        values = torch.randn(shape, generator=generator)
        if len(shape) == 1:
            positive = name.endswith(("weight", "running_var"))
            state[name] = 0.1 * values + positive
        else:
            state[name] = values / math.sqrt(max(1, math.prod(shape[1:]))) if len(shape) != 3 else 0.2 * values
    return state


def random_head(size: int, *, old_names: bool = False, norm: bool = False, plain: bool = False) -> dict[str, Tensor]:
    """A small projection head: without or with batch normalisation, weight norm by either name, or a plain end."""
    linear = (0, 3, 6) if norm else (0, 2, 4)
    shapes = [(16, size), (16, 16), (8, 16)]
    head = {}
    for place, shape in zip(linear, shapes, strict=True):
        head[f"mlp.{place}.weight"], head[f"mlp.{place}.bias"] = torch.ones(shape), torch.zeros(shape[0])
    for place in (1, 4) if norm else ():
        for part in ("weight", "bias", "running_mean", "running_var"):
            head[f"mlp.{place}.{part}"] = torch.ones(16)
        head[f"mlp.{place}.num_batches_tracked"] = torch.tensor(7)
    if plain:
        return {**head, "last_layer.weight": torch.ones(32, 8)}
    names = ("weight_g", "weight_v") if old_names else (
        "parametrizations.weight.original0", "parametrizations.weight.original1")  # fmt: skip
    return {**head, f"last_layer.{names[0]}": torch.ones(32, 1), f"last_layer.{names[1]}": torch.ones(32, 8)}


def write_training(
    path: Path,
    architecture: str,
    state: dict[str, Tensor],
    *,
    student: dict[str, Tensor] | None = None,
    head: dict[str, Tensor] | None = None,
    **args: object,
) -> Path:
    """A file as DAX's training saves it; the teacher is wrapped once more for ResNets, the student always."""
    head = random_head(SIZES[architecture], norm=architecture in RESNETS) if head is None else head

    def wrapped(backbone: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
        return {
            **{f"{prefix}backbone.{name}": value for name, value in backbone.items()},
            **{f"{prefix}head.{name}": value for name, value in head.items()},
        }

    settings = {
        "arch": architecture if architecture in RESNETS else architecture.rstrip("0123456789"),
        "augmentation": "v1",
        "data_mean": None,
        "data_std": None,
        "subtract_lowpass": False,
        "epochs": 200,
        "optimizer": "adamw",
    }
    rate = np.float64(5e-4)  # DAX's schedules are numpy arrays, so the optimiser's groups hold numpy's numbers
    torch.save(
        {
            "student": wrapped(state if student is None else student, "module."),
            "teacher": wrapped(state, "module." if architecture in RESNETS else ""),
            "optimizer": {"state": {}, "param_groups": [{"lr": rate, "weight_decay": np.float64(0.04), "params": [0]}]},
            "epoch": 200,
            "args": Namespace(**{**settings, **args}),
            "dino_loss": {"center": torch.zeros(1, 32)},
            "fp16_scaler": {"scale": 65536.0, "growth_factor": 2.0},
        },
        path,
    )
    return path
