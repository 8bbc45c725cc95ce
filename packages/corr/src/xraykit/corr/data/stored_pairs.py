"""Pairs whose correspondence was computed once by a job, by number: two images and their matrix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from xraykit.render import FileError, InputError
from xraykit.render.storage import read_json_object

from .image_changes import ImageChange, change_image
from .pair_shards import PairEntry, read_pair, shard_entries
from .pair_store import PairStore
from .settings import XrayInputSettings

MANIFEST, PAIRS, PREPARED = "pairs.json", "pairs", "prepared"
PAIRS_FORMAT = "xraykit-pairs/1"


class StoredPair(NamedTuple):
    """Two views of one patient and what corresponds."""

    images: Tensor
    """(2, 1, S, S) float32 in [0, 1], bone bright"""
    truth: Tensor
    """(L, L) float32"""
    projections: Tensor
    """Image projections, (2, 3, 4) float64"""
    record: dict[str, Any]
    """views (names of both), patient, split, mode, grid, tissue, storage, relative_angle [degrees], density"""


class StoredPairs(Dataset[StoredPair]):
    """The pairs of a folder that `xraykit corr pairs` made; any torch DataLoader shuffles and batches them.

    Args:
        folder: With `pairs` and `prepared`.
        split: Which split; None is all.
        size: Edge of the images [px].
        preprocess: Percentiles; None is the default.

    Raises:
        FileError: No finished pairs are there, or they are damaged.
        InputError: There is no such split.

    Example:
        loader = DataLoader(StoredPairs("out", split="train", size=128), batch_size=16, shuffle=True)
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        split: str | None = None,
        size: int = 256,
        preprocess: XrayInputSettings | None = None,
    ) -> None:
        folder = Path(folder)
        if size < 1:
            raise InputError(f"size must be 1 or more pixels, got {size}.")
        self.folder, self.size, self.preprocess = folder, size, preprocess or XrayInputSettings()
        manifest = read_manifest(folder)
        if not manifest["complete"]:
            raise FileError(f"{folder} must hold finished pairs; go on with xraykit corr pairs --resume.")
        self.store = PairStore(folder / PREPARED)
        self._numbers = {name: number for number, name in enumerate(self.store.names)}
        shards = [shard for shard in manifest["shards"] if split in (None, shard["split"])]
        if not shards:
            known = ", ".join(sorted({shard["split"] for shard in manifest["shards"]})) or "none"
            raise InputError(f"split must be one of {known}, got {split!r}.")
        self._entries: list[tuple[Path, PairEntry]] = []
        for shard in shards:
            path = folder / PAIRS / shard["name"]
            found = list(shard_entries(path))
            if len(found) != shard["pairs"]:
                raise FileError(f"{path} must hold {shard['pairs']} pairs, got {len(found)}; make them again.")
            self._entries += [(path, entry) for entry in found]

    def __len__(self) -> int:
        """How many pairs."""
        return len(self._entries)

    def __iter__(self) -> Iterator[StoredPair]:
        """All pairs in order."""
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> StoredPair:
        """Pair `number`, counted from 0.

        Raises:
            FileError: It is damaged, or of views that are not there.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"pair {number} of {len(self)}")
        path, entry = self._entries[number]
        record, truth = read_pair(path, entry)
        names = record.get("views")
        if not isinstance(names, list) or len(names) != 2 or not all(name in self._numbers for name in names):
            raise FileError(f"{path}: {entry.key} must name two views of {PREPARED}, got {str(names)[:80]}.")
        views = [self._numbers[name] for name in names]
        whole = ImageChange(torch.eye(3, dtype=torch.float64))
        images = [change_image(*self.store.lines(view), whole, self.size, self.preprocess)[0] for view in views]
        return StoredPair(torch.stack(images), truth, self.store.projections[views], record)


def read_manifest(folder: Path) -> dict[str, Any]:
    """pairs.json of a folder: format, digest, complete, settings, shards.

    Raises:
        FileError: There is none of this format.
    """
    path = folder / PAIRS / MANIFEST
    manifest = read_json_object(path, what="a list of pairs", most_bytes=1 << 26)
    wanted = {"format": str, "digest": str, "complete": bool, "shards": list}
    if manifest.get("format") != PAIRS_FORMAT or not all(isinstance(manifest.get(k), t) for k, t in wanted.items()):
        raise FileError(f"{path} must be a list of pairs of format {PAIRS_FORMAT}, got another file.")
    keys = {"name": str, "split": str, "sha256": str, "bytes": int, "pairs": int}
    for shard in manifest["shards"]:
        if not isinstance(shard, dict) or not all(type(shard.get(key)) is kind for key, kind in keys.items()):
            raise FileError(f"{path} must list shards by name, split, sha256, bytes and pairs, got {str(shard)[:80]}.")
        if "/" in shard["name"] or "\\" in shard["name"] or not shard["name"].endswith(".tar"):
            raise FileError(f"{path} must name shards as plain .tar files, got {shard['name']!r}.")
    return manifest
