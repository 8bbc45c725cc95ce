"""Checkpoints of FluoroSAM by the published table alone: names, shapes and wrappers, none of ours."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

Shapes = Iterator[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True)
class Published:
    """Sizes of a published network; the defaults are the released ones."""

    width: int = 192
    depths: tuple[int, ...] = (2, 2, 18, 2)
    heads: tuple[int, ...] = (6, 12, 24, 48)
    text_width: int = 512
    text_layers: int = 12
    text_features: int = 512
    codes: int = 8192


SMALL = Published(
    width=32, depths=(2, 2, 2, 2), heads=(1, 2, 4, 8), text_width=128, text_layers=2, text_features=64, codes=64
)


def published_layout(sizes: Published) -> dict[str, tuple[int, ...]]:
    """Name, without the prefix, and shape of every tensor that a network needs."""
    parts = (_swin, _neck, _prompt_encoder, _text_tower, _decoder)
    return {name: shape for part in parts for name, shape in part(sizes)}


def _affine(name: str, *shape: int) -> Shapes:
    yield f"{name}.weight", shape
    yield f"{name}.bias", shape[:1]


def _norm(name: str, channels: int) -> Shapes:
    yield from _affine(name, channels)


def _batch_norm(name: str, channels: int) -> Shapes:
    yield from _affine(name, channels)
    yield f"{name}.running_mean", (channels,)
    yield f"{name}.running_var", (channels,)
    yield f"{name}.num_batches_tracked", ()


def _swin(sizes: Published) -> Shapes:
    swin = "image_encoder.backbone.swin"
    yield from _affine(f"{swin}.patch_embed.projection", sizes.width, 3, 4, 4)
    yield from _norm(f"{swin}.patch_embed.norm", sizes.width)
    for i, (depth, heads) in enumerate(zip(sizes.depths, sizes.heads, strict=True)):
        c = sizes.width * 2**i
        for j in range(depth):
            block = f"{swin}.stages.{i}.blocks.{j}"
            yield from _norm(f"{block}.norm1", c)
            yield f"{block}.attn.w_msa.relative_position_bias_table", (169, heads)
            yield from _affine(f"{block}.attn.w_msa.qkv", 3 * c, c)
            yield from _affine(f"{block}.attn.w_msa.proj", c, c)
            yield from _norm(f"{block}.norm2", c)
            yield from _affine(f"{block}.ffn.layers.0.0", 4 * c, c)
            yield from _affine(f"{block}.ffn.layers.1", c, 4 * c)
        if i < 3:
            yield from _norm(f"{swin}.stages.{i}.downsample.norm", 4 * c)
            yield f"{swin}.stages.{i}.downsample.reduction.weight", (2 * c, 4 * c)
        yield from _norm(f"{swin}.norm{i}", c)


def _neck(sizes: Published) -> Shapes:
    for i in range(4):
        part = f"image_encoder.neck.input_ops.{i}.op_list.0"
        yield f"{part}.conv.weight", (128, sizes.width * 2 ** (3 - i), 1, 1)
        yield from _batch_norm(f"{part}.norm", 128)
    for i in range(3):
        for part, edge in (("spatial_conv", 3), ("point_conv", 1)):
            name = f"image_encoder.neck.middle.op_list.{i}.main.{part}"
            yield f"{name}.conv.weight", (128, 128, edge, edge)
            yield from _batch_norm(f"{name}.norm", 128)
    yield from _affine("image_encoder.neck.output_ops.0.op_list.0.conv", 256, 128, 1, 1)
    yield from _norm("image_encoder.norm", 256)


def _prompt_encoder(sizes: Published) -> Shapes:
    yield "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix", (2, 128)
    names = [*(f"point_embeddings.{i}" for i in range(4)), "not_a_point_embed", "no_mask_embed"]
    yield from ((f"prompt_encoder.{name}.weight", (1, 256)) for name in names)
    down = "prompt_encoder.mask_downscaling"
    yield from _affine(f"{down}.0", 4, 1, 2, 2)
    yield from _norm(f"{down}.1", 4)
    yield from _affine(f"{down}.3", 16, 4, 2, 2)
    yield from _norm(f"{down}.4", 16)
    yield from _affine(f"{down}.6", 256, 16, 1, 1)
    yield from _affine("prompt_encoder.clip_mlp.layers.0", sizes.text_features, sizes.text_features)
    yield from _affine("prompt_encoder.clip_mlp.layers.1", 256, sizes.text_features)
    yield "prompt_encoder.vq._codebook.embed", (1, sizes.codes, 256)


def _text_tower(sizes: Published) -> Shapes:
    text, c = "prompt_encoder.text_model", sizes.text_width
    yield f"{text}.positional_embedding", (77, c)
    yield f"{text}.text_projection", (c, sizes.text_features)
    yield f"{text}.token_embedding.weight", (49408, c)
    yield from _norm(f"{text}.ln_final", c)
    yield f"{text}.logit_scale", ()
    for i in range(sizes.text_layers):
        block = f"{text}.transformer.resblocks.{i}"
        yield f"{block}.attn.in_proj_weight", (3 * c, c)
        yield f"{block}.attn.in_proj_bias", (3 * c,)
        yield from _affine(f"{block}.attn.out_proj", c, c)
        yield from _norm(f"{block}.ln_1", c)
        yield from _affine(f"{block}.mlp.c_fc", 4 * c, c)
        yield from _affine(f"{block}.mlp.c_proj", c, 4 * c)
        yield from _norm(f"{block}.ln_2", c)


def _decoder(sizes: Published) -> Shapes:
    del sizes

    def attention(name: str, inner: int) -> Shapes:
        for part in "qkv":
            yield from _affine(f"{name}.{part}_proj", inner, 256)
        yield from _affine(f"{name}.out_proj", 256, inner)

    main = "mask_decoder.transformer"
    for i in range(2):
        layer = f"{main}.layers.{i}"
        yield from attention(f"{layer}.self_attn", 256)
        yield from attention(f"{layer}.cross_attn_token_to_image", 128)
        yield from attention(f"{layer}.cross_attn_image_to_token", 128)
        for number in (1, 2, 3, 4):
            yield from _norm(f"{layer}.norm{number}", 256)
        yield from _affine(f"{layer}.mlp.lin1", 2048, 256)
        yield from _affine(f"{layer}.mlp.lin2", 256, 2048)
    yield from attention(f"{main}.final_attn_token_to_image", 128)
    yield from _norm(f"{main}.norm_final_attn", 256)
    yield from ((f"mask_decoder.{n}.weight", (k, 256)) for n, k in _TOKENS.items())
    up = "mask_decoder.output_upscaling"
    for number, (inside, outside) in {0: (256, 64), 3: (64, 64), 6: (64, 32)}.items():
        yield f"{up}.{number}.weight", (inside, outside, 2, 2)
        yield f"{up}.{number}.bias", (outside,)
    yield from _norm(f"{up}.1", 64)
    yield from _norm(f"{up}.4", 64)
    heads = {f"mask_output_hypernetworks_mlps.{i}": 32 for i in range(4)} | {"iou_prediction_head": 4}
    for name, last in heads.items():
        for number, rows in enumerate((256, 256, last)):
            yield from _affine(f"mask_decoder.{name}.layers.{number}", rows, 256)


_TOKENS = {"iou_token": 1, "mask_tokens": 4, "travel_tokens": 4}


def published_tensors(sizes: Published, seed: int = 0) -> dict[str, Tensor]:
    """Random weights in that layout, of a size at which every part is heard in the result."""
    generator = torch.Generator().manual_seed(seed)
    return {name: _random(name, shape, generator) for name, shape in published_layout(sizes).items()}


def _random(name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    noise = torch.randn(shape, generator=generator)
    if name.endswith("num_batches_tracked"):
        return torch.tensor(7)
    if name.endswith("running_var"):
        return noise.abs() + 0.5
    if name.endswith(("bias", "running_mean")):
        return 0.1 * noise
    if len(shape) == 1:  # the factors of a normalisation
        return 1 + 0.1 * noise
    if "embed" in name or "token" in name or "matrix" in name or "bias_table" in name or not shape:
        return noise
    inputs = shape[0] if "upscaling" in name or "text_projection" in name else noise[0].numel()
    return noise / inputs**0.5


def leftovers(sizes: Published, *, initted: tuple[int, ...] = (1,)) -> dict[str, Tensor]:
    """What such files hold besides."""
    visual, book = "prompt_encoder.text_model.visual", "prompt_encoder.vq._codebook"
    found = {
        f"{visual}.class_embedding": torch.zeros(768),
        f"{visual}.conv1.weight": torch.zeros(768, 3, 2, 2),
        f"{visual}.ln_pre.weight": torch.zeros(768),
        f"{book}.embed_avg": torch.zeros(1, sizes.codes, 256),
        f"{book}.cluster_size": torch.zeros(1, sizes.codes),
        f"{book}.initted": torch.ones(initted),
    }
    for i, depth in enumerate(sizes.depths):
        for j in range(depth):
            block = f"image_encoder.backbone.swin.stages.{i}.blocks.{j}"
            found[f"{block}.attn.w_msa.relative_position_index"] = torch.zeros(49, 49, dtype=torch.long)
    return found


def write_checkpoint(path: Path, state: dict[str, Tensor], *, half_text: bool = True) -> Path:
    """A file as Lightning writes it: prefix, optimizer, and CLIP in float16."""
    half = {n: v.half() if half_text and ".text_model." in n else v for n, v in state.items()}
    content = {
        "epoch": 9,
        "global_step": 1000,
        "pytorch-lightning_version": "2.4.0",
        "state_dict": {f"sam.{name}": value for name, value in half.items()},
        "optimizer_states": [
            {"state": {0: {"exp_avg": torch.zeros(3), "step": torch.tensor(5.0)}}, "param_groups": []}
        ],
        "lr_schedulers": [],
        "hyper_parameters": {"lr": 8e-4, "backbone": "swin-l"},
    }
    torch.save(content, path)
    return path
