"""Which patches of which images a student does not see: blocks, as in BEiT and DINOv2."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from xraykit.render import InputError

LEAST = 4
"""Patches of the smallest block."""
ASPECT = 0.3
"""Flattest block: height to width, or width to height."""
ATTEMPTS = 10


def block_masks(
    images: int,
    grid: tuple[int, int],
    *,
    ratio: tuple[float, float] = (0.1, 0.5),
    share: float = 0.5,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Masks of a batch: some images have none, the others shares that are spread evenly over a range.

    Args:
        images: B.
        grid: Patches (rows, columns).
        ratio: Least and largest share of masked patches in an image that has some, 0 to 1.
        share: Of the images, how many have some.
        generator: Of torch, on the CPU; None is torch's own.

    Returns:
        (B, rows * columns) bool, on the CPU; an image has exactly as many as was drawn for it.

    Raises:
        InputError: Shares outside 0 to 1 or in the wrong order, an empty grid.

    Source: Bao et al., BEiT, 2022, algorithm 1; Oquab et al., DINOv2, 2023.
    """
    low, high = ratio
    if not 0 <= low <= high <= 1 or not 0 <= share <= 1 or min(grid) < 1 or images < 1:
        raise InputError(
            "masks need at least one image and patch and shares 0 <= low <= high <= 1, got "
            f"{images} images, grid {grid}, ratio {ratio} and share {share}."
        )
    patches, some = grid[0] * grid[1], round(images * share)
    drawn = (torch.arange(some) + torch.rand(some, generator=generator)) / max(some, 1)
    counts = torch.zeros(images, dtype=torch.long)
    counts[:some] = ((low + (high - low) * drawn) * patches).long()
    order = torch.randperm(images, generator=generator)
    return torch.stack([block_mask(grid, count, generator) for count in counts[order].tolist()]).flatten(1)


def block_mask(grid: tuple[int, int], count: int, generator: torch.Generator | None = None) -> Tensor:
    """A mask (rows, columns) of exactly `count` patches: blocks while they fit, then single patches."""
    mask = torch.zeros(grid, dtype=torch.bool)
    left, failed = count, 0
    while left >= LEAST and failed < ATTEMPTS:
        size, aspect, *place = torch.rand(4, generator=generator).tolist()
        area = LEAST + size * (left - LEAST)
        stretch = math.exp((2 * aspect - 1) * math.log(1 / ASPECT))
        edges = [max(1, round(math.sqrt(area * stretch))), max(1, round(math.sqrt(area / stretch)))]
        if any(edge > cells for edge, cells in zip(edges, grid, strict=True)):
            failed += 1
            continue
        top, side = (int(u * (cells - edge + 1)) for u, cells, edge in zip(place, grid, edges, strict=True))
        block = mask[top : top + edges[0], side : side + edges[1]]
        new = block.numel() - int(block.sum())
        if 0 < new <= left:
            block.fill_(True)
            left, failed = left - new, 0
        else:
            failed += 1
    seen = (~mask).flatten().nonzero()[:, 0]
    mask.view(-1)[seen[torch.randperm(len(seen), generator=generator)[:left]]] = True
    return mask
