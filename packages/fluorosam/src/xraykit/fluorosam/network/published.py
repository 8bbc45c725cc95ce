"""FluoroSAM's checkpoints, read without running anything in them, every key counted; and ours under their names."""

from __future__ import annotations

import argparse
import pathlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xraykit.render import FileError
from xraykit.render.weights import fill_module, read_pickle

from .config import NAMED, FluoroSamConfig, QuantiserConfig, TextConfig, TrunkConfig
from .network import SegmentationNetwork
from .published_keys import COUNTED, LEFTOVERS, from_published, published_name, to_published

PREFIX = "sam."


class _Unread:
    """Stands for numbers of numpy beside the weights, which nothing here needs: it keeps nothing."""

    def __init__(self, *values: object) -> None:
        del values

    def __setstate__(self, state: object) -> None:
        del state


# What a training saves besides tensors, text and numbers: its arguments, paths, and numbers of numpy.
_HARMLESS: list[Any] = [
    argparse.Namespace,
    (pathlib.PurePosixPath, "pathlib.PosixPath"),
    *((_Unread, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")),
    (_Unread, "numpy.dtype"),
]


def read_published(path: str | Path) -> SegmentationNetwork:
    """The network in a checkpoint of FluoroSAM, in evaluation mode on the CPU.

    Files of a Lightning training (`state_dict` with the prefix `sam.`, optimiser and whatever else beside it) and
    state dicts alone. Size and depth are told from the shapes. Text weights may be float16. `trained_on` names the
    file and the tensors that were left out.

    Args:
        path: The file, as written by torch.save.

    Raises:
        FileError: No such file, no torch checkpoint, Python objects inside (refused, never run), names that are
            unknown or missing (listed), or shapes of no known network.

    Source: the layout of FluoroSAM (Killeen et al., MICCAI 2025).
    """
    path = Path(path)
    state, others = _sorted(read_pickle(path, allow=_HARMLESS), str(path))
    config = published_config(state, source=str(path))
    with torch.random.fork_rng(devices=[]):
        network = SegmentationNetwork(config)
    own = network.state_dict()
    theirs = {published_name(name): name for name in own}
    needed = theirs.keys() - set(COUNTED)
    missing = sorted(needed - state.keys())
    left = [name for name in state if name not in theirs]
    unknown = sorted(name for name in left if not LEFTOVERS.fullmatch(name) and name not in COUNTED)
    if missing or unknown:
        raise FileError(
            f"{path} must hold exactly the tensors of FluoroSAM, got {_listed(missing)} missing and "
            f"{_listed(unknown)} unknown; it is incomplete or another model."
        )
    ours = {theirs[name]: from_published(theirs[name], state[name]) for name in needed}
    for name in COUNTED:
        if name in theirs:
            ours[theirs[name]] = torch.ones_like(own[theirs[name]])
    fill_module(network, ours, source=str(path), wanted="the weights of FluoroSAM")
    network.trained_on = {"source": path.name, "left_out": sorted(left) + others}
    return network.eval()


def published_state(network: SegmentationNetwork) -> dict[str, Tensor]:
    """A network's tensors by FluoroSAM's names and in its order, without the prefix `sam.`; see `read_published`."""
    return {published_name(name): to_published(name, value) for name, value in network.state_dict().items()}


def published_config(state: Mapping[str, Tensor], *, source: str) -> FluoroSamConfig:
    """What a state with FluoroSAM's names builds, told from its shapes; the grid and the image are the published ones.

    Raises:
        FileError: Another backbone than a Swin, or names that are not there.
    """
    swin = "image_encoder.backbone.swin."
    text = "prompt_encoder.text_model."
    shapes = {name: tuple(value.shape) for name, value in state.items()}
    try:
        width = shapes[f"{swin}patch_embed.projection.weight"][0]
        depths = tuple(_count(state, rf"{re.escape(swin)}stages\.{i}\.blocks\.(\d+)\.") for i in range(4))
        tables = [f"{swin}stages.{i}.blocks.0.attn.w_msa.relative_position_bias_table" for i in range(4)]
        heads = tuple(shapes[name][1] for name in tables)
        codes = shapes.get("prompt_encoder.vq._codebook.embed")
        context, text_width = shapes[f"{text}positional_embedding"]
        return FluoroSamConfig(
            dimension=shapes["prompt_encoder.no_mask_embed.weight"][1],
            neck_width=shapes["image_encoder.neck.input_ops.0.op_list.0.conv.weight"][0],
            neck_blocks=_count(state, r"image_encoder\.neck\.middle\.op_list\.(\d+)\."),
            decoder_width=shapes["mask_decoder.transformer.layers.0.mlp.lin1.weight"][0],
            trunk=TrunkConfig(width=width, depths=depths, heads=heads),  # type: ignore[arg-type]
            text=TextConfig(
                width=text_width,
                layers=_count(state, rf"{re.escape(text)}transformer\.resblocks\.(\d+)\."),
                heads=max(text_width // 64, 1),
                dimension=shapes[f"{text}text_projection"][1],
                context=context,
            ),
            quantiser=QuantiserConfig(codes=codes[1]) if codes else QuantiserConfig("off"),
            input=NAMED["swin-l"].input,
        )
    except (KeyError, IndexError, ValueError) as error:
        found = ", ".join(list(state)[:4]) or "no tensors"
        raise FileError(
            f"{source} must hold FluoroSAM with a Swin transformer, got {found[:300]} and nothing that fits {error}; "
            "it is incomplete or another model."
        ) from error


def _sorted(checkpoint: object, source: str) -> tuple[dict[str, Tensor], list[str]]:
    """The network's tensors without prefix, and the names of others in the same state dict."""
    inner = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, Mapping) else None
    tensors = isinstance(inner, Mapping) and all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in inner.items()
    )
    if not isinstance(inner, Mapping) or not inner or not tensors:
        names = sorted(map(str, checkpoint))[:8] if isinstance(checkpoint, Mapping) else [type(checkpoint).__name__]
        raise FileError(
            f"{source} must be a checkpoint with a state_dict of tensors, got {', '.join(names)[:200] or 'nothing'}."
        )
    if not any(name.startswith(PREFIX) for name in inner):
        return dict(inner), []
    state = {name[len(PREFIX) :]: value for name, value in inner.items() if name.startswith(PREFIX)}
    return state, [name for name in inner if not name.startswith(PREFIX)]


def _count(names: Iterable[str], pattern: str) -> int:
    found = {match[1] for name in names if (match := re.match(pattern, name))}
    if not found:
        raise KeyError(pattern.replace("\\", ""))
    return len(found)


def _listed(names: list[str]) -> str:
    if not names:
        return "nothing"
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
