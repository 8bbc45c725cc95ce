"""A local matcher that never saw X-rays, for comparison: ALIKED keypoints, mutual nearest neighbours, per patch."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xraykit.render import FileError
from xraykit.render.weights import read_pickle

MODELS = ("aliked-t16", "aliked-n16", "aliked-n16rot", "aliked-n32")
LARGEST = 1 << 26  # bytes of a file of weights
KEYPOINTS = 2048


def local_matcher_is_missing() -> str | None:
    """Why there can be no local matcher here, in a sentence; None if there can."""
    return None if find_spec("kornia") else "kornia is not installed, so that there is no row of a local matcher."


class LocalMatcher:
    """ALIKED of kornia with weights from a file.

    Args:
        weights: aliked-n16.pth, aliked-t16.pth, ...: the published file, whose name says which model it is.
        device: Where to compute.

    Raises:
        FileError: It is missing, not one of these, or holds something else.
    """

    def __init__(self, weights: str | Path, *, device: torch.device | str = "cpu") -> None:
        from kornia.feature import ALIKED

        path = Path(weights)
        if path.stem not in MODELS:
            raise FileError(f"weights of ALIKED must be named as published ({', '.join(MODELS)}), got {path.name}.")
        state = read_pickle(path, largest=LARGEST)
        self.device, self.name = torch.device(device), path.stem
        with torch.random.fork_rng(devices=[]):
            self.network: Any = ALIKED(path.stem, max_num_keypoints=KEYPOINTS, detection_threshold=0.0)
        try:
            # kornia keeps no buffer of the keypoint detector in files, so that those may be missing
            unfilled = self.network.load_state_dict(state, strict=False)
        except (RuntimeError, TypeError, AttributeError) as error:
            cause = " ".join(str(error).split())[:200]
            raise FileError(f"{path} must hold weights of {path.stem}, got others ({cause}).") from error
        parameters = {name for name, _ in self.network.named_parameters()}
        if lacking := sorted(parameters.intersection(unfilled.missing_keys)):
            raise FileError(f"{path} must hold all weights of {path.stem}, got none for {', '.join(lacking[:3])}.")
        self.network.to(self.device).eval()

    def matrices(self, images: Tensor, grid: int) -> tuple[Tensor, Tensor]:
        """Patch by patch: its matches, and what lies behind them.

        Args:
            images: (2, 1, S, S) float32 in [0, 1].
            grid: Patches a side, G.

        Returns:
            Two (L, L) float32: the best cosine of two keypoints that are each other's nearest neighbour, one in either
            patch, else 0; and the best cosine of any two keypoints in these patches, else 0. Negative ones count as 0.
        """
        with torch.inference_mode():
            first, second = (found for image in images for found in self.network(image[None].to(self.device)))
        entries = grid**4
        similarity = first.descriptors.float() @ second.descriptors.float().mT
        mutual, every = torch.zeros(entries), torch.zeros(entries)
        if similarity.numel():
            size = images.shape[-1]
            rows, columns = (_patches(found.keypoints, size, grid) for found in (first, second))
            places = (rows[:, None] * grid**2 + columns).flatten().cpu()
            values = similarity.clamp(0, 1)
            best = (similarity == similarity.amax(1, keepdim=True)) & (similarity == similarity.amax(0, keepdim=True))
            every.scatter_reduce_(0, places, values.flatten().cpu(), "amax")
            mutual.scatter_reduce_(0, places, torch.where(best, values, 0.0).flatten().cpu(), "amax")
        return mutual.view(grid**2, grid**2), every.view(grid**2, grid**2)


def _patches(keypoints: Tensor, size: int, grid: int) -> Tensor:
    """Index of the patch of each keypoint, whose pixel centres are whole numbers."""
    column, row = ((keypoints.float() + 0.5) * grid / size).floor().long().clamp(0, grid - 1).unbind(-1)
    return row * grid + column
