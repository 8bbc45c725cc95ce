"""How well texts find their target: held-out wordings against the mean of each target's texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..prompts.text_prompt import TextPrompt
from .words_changes import with_typo
from .words_related import opposite_side
from .words_texts import TextCorpus

EncodeTexts = Callable[[Sequence[str]], Tensor]
"""Features (N, D) of N texts."""


@dataclass(frozen=True)
class RetrievedTexts:
    """Which target each held-out text found.

    Args:
        prompts: The texts.
        found: Names of the targets that they found.
        mistyped: The same for the texts with a typing error each.
    """

    prompts: tuple[TextPrompt, ...]
    found: tuple[str, ...]
    mistyped: tuple[str, ...]

    def shares(self) -> dict[str, float]:
        """Columns of the curve: the share of texts that found their target, and of those that found its other side.

        A column of which there is no text is left out.

        "sentence" has a held-out sentence around a known word, "word" a held-out word (in a known sentence or not);
        "lay", "position" and "clinical" are of known words, "latin" of held-out ones mostly.
        """
        right = np.array([one.target == name for one, name in zip(self.prompts, self.found, strict=True)])
        columns: dict[str, float | None] = {"retrieved": _mean(right)}
        parts = [[*one.source.split("/"), ""] for one in self.prompts]
        for name in ("sentence", "word", "lay", "latin", "position"):
            rows = [_is_of(name, source[1], source[2]) for source in parts]
            columns[f"retrieved_{name}"] = _mean(right[rows])
        columns["retrieved_mistyped"] = _mean(
            [one.target == name for one, name in zip(self.prompts, self.mistyped, strict=True)]
        )
        sided = [(opposite_side(one.target), name) for one, name in zip(self.prompts, self.found, strict=True)]
        columns["other_side"] = _mean([name == other for other, name in sided if other])
        return {name: share for name, share in columns.items() if share is not None}

    def confused(self) -> dict[tuple[str, str], int]:
        """How often each wrong target was found for which right one, the most frequent first."""
        counts: dict[tuple[str, str], int] = {}
        for one, name in zip(self.prompts, self.found, strict=True):
            if one.target != name:
                counts[one.target, name] = counts.get((one.target, name), 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))


class TextRetrieval:
    """Held-out texts and those that stand for each target, chosen once.

    Args:
        corpus: Texts by target.
        queries: Most held-out texts.
        gallery: Most texts for training of a target, whose mean stands for it.
        seed: Of the choice and of the typing errors.
    """

    def __init__(self, corpus: TextCorpus, *, queries: int = 2000, gallery: int = 12, seed: int = 0) -> None:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1 << 20,)))
        self.targets = corpus.targets
        chosen = np.sort(rng.permutation(len(corpus.held_out))[:queries])
        self.prompts = tuple(corpus.held_out[int(row)] for row in chosen)
        self.mistyped = tuple(with_typo(one.text, rng) for one in self.prompts)
        self.gallery: list[str] = []
        self.classes: list[int] = []
        for place, texts in enumerate(corpus.train):
            rows = rng.permutation(len(texts))[:gallery]
            self.gallery += [texts[int(row)] for row in rows]
            self.classes += [place] * len(rows)

    def retrieve(self, features: EncodeTexts) -> RetrievedTexts:
        """The nearest target, by angle to the mean of its texts' unit features, of every text."""
        known = F.normalize(features(self.gallery).float(), dim=1)
        rows = torch.tensor(self.classes, device=known.device)
        means = torch.zeros(len(self.targets), known.shape[1], device=known.device).index_add_(0, rows, known)
        means = F.normalize(means, dim=1)

        def nearest(texts: Sequence[str]) -> tuple[str, ...]:
            if not texts:
                return ()
            scores = F.normalize(features(texts).float(), dim=1) @ means.T
            return tuple(self.targets[place] for place in scores.argmax(1).tolist())

        return RetrievedTexts(self.prompts, nearest([one.text for one in self.prompts]), nearest(self.mistyped))


def _is_of(name: str, source: str, what: str) -> bool:
    if name in ("lay", "position"):
        return source == name and what in ("", "template")
    return {"sentence": what == "template", "word": what in ("word", "both"), "latin": source == "latin"}[name]


def _mean(values: Sequence[bool] | np.ndarray) -> float | None:
    return float(np.mean(values)) if len(values) else None
