"""A published checkpoint as a folder of our weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .network_weights import save_network
from .published import read_published
from .settings import ConvertWeightsSettings


@dataclass(frozen=True)
class ConvertedWeights:
    """What was written.

    Args:
        path: The weights.
        parameters: Numbers in the network that can be learned.
        left_out: Tensors of the checkpoint that no network needs, by name.
    """

    path: Path
    parameters: int
    left_out: tuple[str, ...]


def convert_published(settings: ConvertWeightsSettings) -> ConvertedWeights:
    """Read a checkpoint of FluoroSAM and write safetensors with their config.

    Raises:
        FileError: see `read_published`.
        OutputError: The folder cannot be made or written.
    """
    network = read_published(settings.checkpoint)
    left_out = network.trained_on["left_out"]
    path = save_network(network, settings.output, half=settings.half)
    parameters = sum(each.numel() for each in network.parameters())
    return ConvertedWeights(path, parameters, tuple(left_out) if isinstance(left_out, list) else ())
