"""Settings of the commands that handle weights: no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ConvertWeightsSettings:
    """Turn a published checkpoint into a folder of weights."""

    checkpoint: Path = field(metadata={"positional": True})
    """The published file (.ckpt, .pth, .pt)."""
    output: Path = field(metadata={"short": "-o"})
    """Folder for model.safetensors and config.json; made if need be."""
    half: bool = False
    """Store float16: half the size, three digits."""
