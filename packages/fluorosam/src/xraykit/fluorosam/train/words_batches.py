"""Batches of texts in which targets lie beside those that differ from them by a word."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from xraykit.render import InputError

from ..network.text_encoder import tokenise
from .words_changes import changed_text
from .words_related import related_targets
from .words_texts import TextCorpus

_TRIES = 4
_SURELY_FITS = 40  # characters


class TextBatch(NamedTuple):
    """Tokens of texts (N, L) and the places of what they ask for among the corpus's targets (N,)."""

    tokens: Tensor
    classes: Tensor


class TextBatches:
    """Batches as a function of seed, number and rank alone.

    Args:
        corpus: Texts by target.
        batch: N, texts in a batch; rounded down to whole targets.
        each: Texts of one target.
        related: Share of the targets that are drawn next to one that is related to them.
        changed: Share of the texts that are changed.
        context: Most tokens of a text.
        seed: Of everything random.
        rank: This process.

    Raises:
        InputError: A number outside its range, or a batch of fewer than two targets.
    """

    def __init__(
        self,
        corpus: TextCorpus,
        *,
        batch: int,
        each: int = 4,
        related: float = 0.5,
        changed: float = 0.6,
        context: int = 77,
        seed: int = 0,
        rank: int = 0,
    ) -> None:
        if each < 2 or batch < 2 * each:
            raise InputError(
                f"a batch must hold two targets with two texts each at least, got {batch} texts, {each} of a target."
            )
        if not (0 <= related <= 1 and 0 <= changed <= 1):
            raise InputError(f"related and changed are shares from 0 to 1, got {related} and {changed}.")
        self.corpus, self.each, self.related, self.changed, self.context = corpus, each, related, changed, context
        self.targets = min(batch // each, len(corpus.targets))
        self.seed, self.rank = seed, rank
        places = {name: place for place, name in enumerate(corpus.targets)}
        self._related = [
            [places[other] for other in related_targets().get(name, ()) if other in places] for name in corpus.targets
        ]

    def batch(self, number: int) -> TextBatch:
        """Batch `number`, counted from 0."""
        classes, texts = self.texts(number)
        return TextBatch(trimmed(tokenise(texts, context=self.context)), torch.tensor(classes))

    def texts(self, number: int) -> tuple[list[int], list[str]]:
        """The batch as classes and texts."""
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(self.rank, number)))
        classes, texts = [], []
        for place in self._drawn(rng):
            known = self.corpus.train[place]
            for row in rng.choice(len(known), self.each, replace=len(known) < self.each):
                classes.append(place)
                texts.append(self._changed(known[int(row)], rng))
        return classes, texts

    def _drawn(self, rng: np.random.Generator) -> list[int]:
        """Different targets, many beside a related one."""
        chosen: dict[int, None] = {}
        while len(chosen) < self.targets:
            near: list[int] = []
            if chosen and rng.random() < self.related:
                drawn = list(chosen)
                beside = self._related[drawn[int(rng.integers(len(drawn)))]]
                near = [place for place in beside if place not in chosen]
            among = near or [place for place in range(len(self.corpus.targets)) if place not in chosen]
            chosen[among[int(rng.integers(len(among)))]] = None
        return list(chosen)

    def _changed(self, text: str, rng: np.random.Generator) -> str:
        if rng.random() >= self.changed:
            return text
        for _ in range(_TRIES):  # a change may make a text too long for the encoder
            made = changed_text(text, rng)
            if len(made) < _SURELY_FITS or self._fits(made):
                return made
        return text

    def _fits(self, text: str) -> bool:
        try:
            tokenise([text], context=self.context)
        except InputError:
            return False
        return True


def trimmed(tokens: Tensor) -> Tensor:
    """Tokens without columns that are padding in every row."""
    return tokens[:, : max(1, int((tokens != 0).sum(1).max()))] if len(tokens) else tokens
