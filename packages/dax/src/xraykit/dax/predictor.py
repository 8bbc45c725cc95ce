"""From X-rays to features: the network's input by the backbone's own preprocessing, in batches, on any device."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.rendering import usable_device

from .data.settings import PreprocessSettings
from .data.square_input import network_square
from .network.backbone import Backbone
from .network.backbone_weights import load_backbone
from .network.features import Features

if TYPE_CHECKING:
    from .data.xrays import XrayFrame

    AnyXray = XrayFrame | Tensor | np.ndarray[Any, Any]


def network_input(frame: AnyXray, settings: PreprocessSettings) -> Tensor:
    """What a network sees of an X-ray: preprocessed, made square, standardised where the settings say so.

    Args:
        frame: An XrayFrame, or its linear intensity (H, W), bone dark, on any scale.
        settings: Those of the network, `backbone.config.preprocess`.

    Returns:
        (1, S, S) float32, S = `settings.size`.

    Raises:
        InputError: No image of two axes, a pixel that is not finite, or no exposed field where the settings want it.
    """
    given = getattr(frame, "intensity", frame)
    intensity = torch.from_numpy(np.ascontiguousarray(given)) if isinstance(given, np.ndarray) else given
    if not isinstance(intensity, Tensor) or intensity.ndim != 2:
        shape = f"shape {tuple(intensity.shape)}" if isinstance(intensity, Tensor) else type(given).__name__
        raise InputError(f"an X-ray must be an XrayFrame or an intensity array (H, W), got {shape}; give one frame.")
    return network_square(intensity, settings, field=getattr(frame, "field", None))[0][None]


class XrayEmbedder:
    """A frozen backbone that takes X-rays as they are read.

    Args:
        backbone: One, or where to load it from, see `load_backbone`. It is moved to the device, set to evaluation
            mode, and stays as it is otherwise.
        device: "cpu", "cuda", "cuda:N", or "auto": a GPU if there is one.
        batch_size: Images at a time.
        precision: "bfloat16" runs the network in mixed precision; what comes out is float32 either way.

    Raises:
        FileError: No such weights.
        InputError: No such device, or a batch size below 1.

    Example:
        `XrayEmbedder("shipped").embed(find_xrays(["images"]))`
    """

    def __init__(
        self,
        backbone: Backbone | str | Path,
        *,
        device: str = "auto",
        batch_size: int = 32,
        precision: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
            raise InputError(f"batch_size must be a whole number from 1, got batch_size={batch_size!r}.")
        if precision not in ("float32", "bfloat16"):
            raise InputError(f"precision must be 'float32' or 'bfloat16', got {precision!r}.")
        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else usable_device(device)
        self.backbone = backbone if isinstance(backbone, Backbone) else load_backbone(backbone)
        self.backbone.to(chosen).eval()
        self.device, self.batch_size, self.precision = torch.device(chosen), batch_size, precision

    def batches(self, frames: Iterable[AnyXray], *, attention: bool = False) -> Iterator[Features]:
        """Features of `batch_size` X-rays at a time, in their order, on the device; frames are read as they are needed.

        Args:
            frames: XrayFrames, or intensities (H, W); they need not have the same size.
            attention: Whether to compute the class token's attention too.

        Raises:
            InputError: see `network_input`, or attention of a network that has none.

        Gradients: none.
        """
        remaining = iter(frames)
        settings = self.backbone.config.preprocess
        while inputs := [network_input(frame, settings) for frame in islice(remaining, self.batch_size)]:
            yield self.features(torch.stack(inputs), attention=attention)

    def embed(self, frames: Iterable[AnyXray]) -> Tensor:
        """Pooled features (N, D) of N X-rays, float32 on the CPU; (0, D) of none."""
        pooled = [features.pooled.cpu() for features in self.batches(frames)]
        return torch.cat(pooled) if pooled else torch.empty(0, self.backbone.dimension)

    @torch.no_grad()
    def features(self, inputs: Tensor, *, attention: bool = False) -> Features:
        """Features of network inputs (B, 1, S, S), see `network_input`; float32, on the device."""
        images = inputs.to(self.device).expand(-1, self.backbone.config.channels, -1, -1)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            return self.backbone.features(images, attention=attention).float()
