"""Fixed pairs for validation: related ones that differ, and unrelated ones made of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..data.pair_batches import PairBatches
from .fixed_pairs import FixedPairs

EPOCHS = 8


def pick_pairs(batches: PairBatches, most: int, *, seed: int) -> FixedPairs:
    """The first pairs that differ, at most so many, and unrelated ones made of them, a third as many.

    Args:
        batches: Of one pair each, as they are.
        most: Related pairs.
        seed: Of the batches.
    """
    found, seen, items = [], set(), len(batches.choice)
    for number in range(EPOCHS * max(items, most)):
        views = batches.choice.item(*divmod(number, items), seed=seed).views
        if frozenset(views) in seen:
            continue
        seen.add(frozenset(views))
        found.append(batches.batch(number))
        if len(found) == most:
            break
    images, truth, related, projections = (torch.cat(parts) for parts in list(zip(*found, strict=True))[:4])
    thickness = torch.cat([each.thickness for each in found])
    names = [pair for each in found for pair in each.names]
    patients = [patient for each in found for patient in each.patients]
    strangers = _strangers(patients, max(1, len(found) // 3))
    first, second = (torch.tensor([pair[side] for pair in strangers], dtype=torch.long) for side in (0, 1))
    if strangers:
        mixed = torch.stack([images[first, 0], images[second, 1]], 1)
        seen_by = torch.stack([projections[first, 0], projections[second, 1]], 1)
        images, projections = torch.cat([images, mixed]), torch.cat([projections, seen_by])
        truth = torch.cat([truth, torch.zeros_like(truth[: len(strangers)])])
        related = torch.cat([related, torch.zeros(len(strangers), dtype=torch.bool)])
        if thickness.numel():
            thickness = torch.cat([thickness, torch.stack([thickness[first, 0], thickness[second, 1]], 1)])
        names += [(names[a][0], names[b][1]) for a, b in strangers]
        patients += [patients[a] for a, _ in strangers]
    joined = tuple(" and ".join(pair) for pair in names)
    return FixedPairs(images, truth, related, projections, joined, tuple(patients), thickness)


def _strangers(patients: Sequence[str], count: int) -> list[tuple[int, int]]:
    """Two items of different patients, evenly chosen."""
    found = []
    for a in range(len(patients)):
        others = [b for b in range(a + 1, a + len(patients)) if patients[b % len(patients)] != patients[a]]
        if others:
            found.append((a, others[0] % len(patients)))
    step = max(1.0, len(found) / count)
    return [found[int(place * step)] for place in range(min(count, len(found)))]
