"""Embeddings of X-rays that were seen before: the last few in memory, and all of them in a folder if there is one."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from xraykit.render import FileError
from xraykit.render.storage import make_folder, read_npy, write_atomically


class EmbeddingCache:
    """Embeddings by the content of the network's input.

    Args:
        memory: How many stay in memory; the one that was used longest ago goes first.
        folder: Where they stay for later runs, made if need be; files in it may be deleted at any time. None: nowhere.
        network: What makes them; its weights are part of a file's name.

    Attributes:
        misses: How often an embedding had to be computed.

    Raises:
        OutputError: The folder cannot be made or written.
    """

    def __init__(self, memory: int = 4, *, folder: str | Path | None = None, network: nn.Module | None = None) -> None:
        self.memory = memory
        self.folder = None if folder is None else make_folder(folder)
        self.misses = 0
        self._kept: OrderedDict[str, Tensor] = OrderedDict()
        self._weights = "" if network is None or folder is None else state_digest(network)

    def get(self, image: Tensor, compute: Callable[[], Tensor]) -> Tensor:
        """The embedding of a network's input, computed if it is not known; on the device of whoever computed it first.

        Args:
            image: (3, S, S), on the CPU.
            compute: Gives the embedding.
        """
        key = hashlib.sha256(image.contiguous().numpy().tobytes()).hexdigest()
        found = self._kept.get(key)
        if found is None:
            found = self._from_folder(key)
        if found is None:
            self.misses += 1
            found = compute()
            self._to_folder(key, found)
        self._kept[key] = found
        self._kept.move_to_end(key)
        while len(self._kept) > self.memory:
            self._kept.popitem(last=False)
        return found

    def _path(self, key: str) -> Path | None:
        return None if self.folder is None else self.folder / f"{key[:32]}_{self._weights[:16]}.npy"

    def _from_folder(self, key: str) -> Tensor | None:
        """None also for a file that is damaged: it is then made again."""
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        try:
            values = read_npy(path, what="an embedding", remedy="it is made again")
        except FileError:
            return None
        whole = values.dtype == np.float32 and values.ndim == 4
        return torch.from_numpy(values) if whole and np.isfinite(values).all() else None

    def _to_folder(self, key: str, embedding: Tensor) -> None:
        path = self._path(key)
        if path is not None:
            values = embedding.float().cpu().numpy()
            write_atomically(path, lambda file: np.save(file, values, allow_pickle=False))


def state_digest(network: nn.Module) -> str:
    """SHA-256 of a network's parameters and buffers with their names, hexadecimal."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        digest.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
