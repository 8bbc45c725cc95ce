"""Images that look alike: a perceptual hash from the low spatial frequencies, and the pairs it hardly tells apart."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

SIDE, FREQUENCIES = 32, 12
BITS = FREQUENCIES**2 - 1
DARKEST = 1e-3
_BLOCK = 2048


def perceptual_hash(intensity: Tensor) -> NDArray[np.bool_]:
    r"""The signs of an image's low frequencies, (143,) bool; noise, exposure and contrast change few of them.

    x = -ln(intensity averaged to 32 x 32 pixels, at least 1/1000), then c = C x C^T with
    C[k, n] = cos(pi k (n + 1/2) / 32), k < 12; the bits are c > 0 without the constant c[0, 0].

    Args:
        intensity: (1, H, W) floating point, relative to air.

    Source: the DCT hash of C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, with
    more frequencies, for X-rays of one view resemble each other in the lowest.
    """
    small = -adaptive_avg_pool2d(intensity.float()[None], (SIDE, SIDE))[0, 0].double().clamp(min=DARKEST).log()
    frequency, place = torch.arange(FREQUENCIES).double()[:, None], torch.arange(SIDE).double()
    cosine = torch.cos(math.pi * frequency * (place + 0.5) / SIDE)
    return (cosine @ small @ cosine.T).flatten()[1:].numpy() > 0


def alike(hashes: NDArray[np.bool_], *, most: int) -> list[tuple[int, int, int]]:
    """Pairs (i, j, distance) with i < j of hashes that differ in at most `most` bits, the closest first.

    Args:
        hashes: (N, bits).
        most: Largest Hamming distance.
    """
    signs = np.where(hashes, np.float32(1), np.float32(-1))
    pairs = []
    for start in range(0, len(signs), _BLOCK):
        distance = (hashes.shape[1] - signs[start : start + _BLOCK] @ signs[start:].T) / 2
        rows, columns = np.nonzero(distance <= most)
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
            if i < j:
                pairs.append((start + i, start + j, round(float(distance[i, j]))))
    return sorted(pairs, key=lambda pair: (pair[2], pair[0], pair[1]))
