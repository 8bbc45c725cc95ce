"""A text encoder learns which texts ask for the same thing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from xraykit.render.training import TrainingTask, group_parameters, warmup_cosine

from ..loss.contrast import supervised_contrast
from ..network.network import SegmentationNetwork
from ..network.network_weights import save_network
from ..network.text_encoder import tokenise
from ..network.text_tower import TextTower
from .words_batches import TextBatches, trimmed
from .words_retrieval import RetrievedTexts, TextRetrieval
from .words_settings import TextPretrainSettings
from .words_texts import TextCorpus

_AT_A_TIME, _PART = 512, 64
_LARGEST_SCALE = math.log(100.0)  # as CLIP has it


class WordsTask(TrainingTask):
    """Supervised contrast of texts, with a temperature that is learned.

    The tower is trained even where its config says that it is frozen with the rest of the network.

    Args:
        network: Its text encoder is changed in place, the rest is saved as it is.
        settings: Of the pre-training.
        corpus: Texts by target.
    """

    def __init__(self, network: SegmentationNetwork, settings: TextPretrainSettings, corpus: TextCorpus) -> None:
        self.network, self.settings, self.corpus = network, settings, corpus
        self.module: TextTower = network.prompt_encoder.text_model
        self.module.requires_grad_(True).train()
        self.retrieval = TextRetrieval(corpus, seed=settings.run.seed)
        self.tokens: dict[str, Tensor] = {}

    def open(self, rank: int, ranks: int, device: torch.device) -> None:
        """The batches of this process."""
        contrast = self.settings.contrast
        self.device = device
        self.batches = TextBatches(
            self.corpus,
            batch=self.settings.length.batch or 256,
            each=contrast.each,
            related=contrast.related,
            changed=self.settings.corpus.changed,
            context=self.module.config.context,
            seed=self.settings.run.seed,
            rank=rank,
        )

    def step(self, batch: int, progress: float) -> Tensor:
        """The contrast of one batch; see `supervised_contrast`."""
        tokens, classes = (each.to(self.device) for each in self.batches.batch(batch))
        scale = self.module.logit_scale.exp()
        loss = supervised_contrast(self._encoded(tokens, _PART), classes, scale)
        self.terms = {"scale": scale.detach()}
        return loss

    def optimizer(self) -> torch.optim.Optimizer:
        """AdamW; vectors, scalars and the vocabulary do not decay."""
        groups = group_parameters(
            self.module.named_parameters(),
            weight_decay=self.settings.contrast.weight_decay,
            decays=lambda name, parameter: parameter.ndim > 1 and "embedding" not in name,
        )
        return torch.optim.AdamW(groups, lr=self.settings.length.rate, betas=(0.9, 0.98))

    def rate(self, progress: float, step: int) -> float:
        """A linear rise, then a cosine."""
        return self.settings.length.rate * warmup_cosine(step, progress, warmup=self.settings.length.warmup)

    def before_step(self, optimizer: torch.optim.Optimizer, progress: float, step: int) -> None:
        """Shortens the gradient."""
        if self.settings.length.clip > 0:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.settings.length.clip)

    def after_step(self, progress: float) -> None:
        """Keeps the temperature above 0.01."""
        with torch.no_grad():
            self.module.logit_scale.clamp_(0.0, _LARGEST_SCALE)

    def validate(self) -> dict[str, float]:
        """Retrieval of held-out wordings."""
        return self.retrieved().shares()

    def retrieved(self) -> RetrievedTexts:
        """Which target each held-out text finds now."""
        training = self.module.training
        self.module.eval()
        try:
            return self.retrieval.retrieve(self.features)
        finally:
            self.module.train(training)

    @torch.no_grad()
    def features(self, texts: Sequence[str]) -> Tensor:
        """Features (N, D) of texts; their tokens are remembered."""
        for text in texts:
            if text not in self.tokens:
                self.tokens[text] = tokenise([text], context=self.module.config.context)[0]
        tokens = torch.stack([self.tokens[text] for text in texts])
        return self._encoded(tokens.to(self.module.positional_embedding.device), _AT_A_TIME).float()

    def _encoded(self, tokens: Tensor, part: int) -> Tensor:
        """Features of tokens, so many at a time by their length: less padding, half the work."""
        order = tokens.argmax(1).argsort(stable=True)
        found = torch.cat([self.module(trimmed(tokens[rows])) for rows in order.split(part)])
        return found[order.argsort()]

    def save(self, folder: Path, training: Mapping[str, Any]) -> None:
        """The whole network; only its text encoder has learned."""
        own = {"objective": "text contrast", "corpus": _plain(asdict(self.settings.corpus)), **training}
        save_network(self.network, folder, trained_on={**self.network.trained_on, "text": own})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
