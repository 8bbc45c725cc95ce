"""Where randomness comes from: one stream for each purpose, patient and view, whoever computes it and when."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

PURPOSES = ("plan", "anatomy", "places", "view", "tools", "physics", "noise")
"""Each has a stream of its own; new ones go to the end, or old seeds change their meaning."""


def stream(seed: int, purpose: str, *numbers: int) -> np.random.Generator:
    """The generator of a purpose: its numbers (patient, view) choose one of many unrelated streams."""
    sequence = np.random.SeedSequence(seed, spawn_key=(PURPOSES.index(purpose), *numbers))
    return np.random.Generator(np.random.PCG64(sequence))


def seed_for(seed: int, purpose: str, *numbers: int) -> int:
    """A whole number below 2^62, for those who want a seed of their own."""
    return int(stream(seed, purpose, *numbers).integers(2**62))


def step_seed(seed: int, rank: int, step: int) -> int:
    """The seed of everything random in one batch of a training, below 2^32."""
    return int(np.random.SeedSequence((seed, rank, step)).generate_state(1)[0])


def item_stream(seed: int, epoch: int, place: int, *, purpose: int) -> np.random.Generator:
    """The generator of an item of a training by its place in an epoch; each purpose, from 2 up, has a stream."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, epoch, place), spawn_key=(purpose,))))


@lru_cache(maxsize=8)
def epoch_order(seed: int, epoch: int, items: int) -> NDArray[np.int64]:
    """The order (N,) in which an epoch of a training takes its N items; not to be written to."""
    sequence = np.random.SeedSequence((seed, epoch), spawn_key=(1,))  # apart from the streams of items
    return np.random.Generator(np.random.PCG64(sequence)).permutation(items)
