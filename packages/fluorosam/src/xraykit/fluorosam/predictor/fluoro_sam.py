"""A network that takes X-rays as they are and answers words, clicks, boxes and masks in their own pixels."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from xraykit.render import InputError
from xraykit.render.rendering import usable_device

from ..data.network_input import BoneTone, prepare_windows
from ..data.padded_square import PaddedSquare
from ..network.network import SegmentationNetwork
from ..network.network_weights import load_network
from ..network.text_encoder import TextEncoder
from ..vocabulary.recognition import UnderstoodText, suggest, understand
from ..vocabulary.text_check import check_text
from .calibrated_confidence import confidence_map
from .embedding_cache import EmbeddingCache
from .prompt import PlacedPrompt, Prompt, batch_prompts, place_prompt, within_box
from .segmentation import Segmentation
from .settings import XrayFileSettings
from .xray_input import OpenedXray, XraySource, open_xray

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST_TEXTS = 4096  # whose features are remembered
MOST_VALUES = {
    "cpu": 1 << 23,
    "cuda": 1 << 27,
}  # of the decoder's largest maps in a pass


@dataclass(frozen=True, eq=False)
class EmbeddedXray:
    """An X-ray that is ready for prompts.

    Args:
        embedding: (1, C, G, G), on the network's device.
        square: Where its pixels lie in the network's square.
        xray: What it was made of.
    """

    embedding: Tensor
    square: PaddedSquare
    xray: OpenedXray


class FluoroSam:
    """Say or click what to find in an X-ray.

    Args:
        network: Moved to the device, set to evaluation mode, and otherwise left as it is.
        device: "cpu", "cuda", "cuda:N", or "auto": a GPU if there is one.
        text_encoder: In place of the network's own text tower; it must be what the network learned with.
        any_words: Take texts that the vocabulary does not know; else they are refused with the nearest that it knows.
            Towers that learned from our prompts alone make no sense of other words.
        memory: How many X-rays' embeddings stay in memory.
        cache: Folder that keeps embeddings for later runs.

    Raises:
        InputError: No such device, or a text encoder of another length. FileError: Weights with a broken calibration.
        OutputError: The cache cannot be written.

    Example:
        sam = FluoroSam.from_pretrained("shipped"); sam.set_image("pelvis.dcm"); sam.predict("left femur").mask
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        *,
        device: str = "auto",
        text_encoder: TextEncoder | None = None,
        any_words: bool = False,
        memory: int = 4,
        cache: str | Path | None = None,
    ) -> None:
        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else usable_device(device)
        self.device = torch.device(chosen)
        self.network = network.to(self.device).eval()
        if text_encoder is not None and text_encoder.dimension != network.config.text.dimension:
            raise InputError(
                f"the text encoder must give vectors of length {network.config.text.dimension}, got "
                f"{text_encoder.dimension}; take the one that the network learned with."
            )
        if isinstance(text_encoder, nn.Module):
            text_encoder.to(self.device).eval()
        self.text_encoder: Any = text_encoder or network.prompt_encoder.text_model
        self.any_words = any_words
        self.confidence_map = confidence_map(network.trained_on)
        self.embeddings = EmbeddingCache(memory, folder=cache, network=network)
        self._features: OrderedDict[str, Tensor] = OrderedDict()
        self._image: EmbeddedXray | None = None

    @classmethod
    def from_pretrained(cls, source: str | Path = "shipped", *, device: str = "auto", **options: Any) -> FluoroSam:
        """A network from weights.

        Args:
            source: "shipped", a folder, a .safetensors file, a hub id or a published checkpoint, see `load_network`.
            device: As of the class.
            options: The other arguments of the class.

        Raises:
            FileError: No such weights, or weights that do not fit. And what the class raises.
        """
        return cls(load_network(source), device=device, **options)

    def set_image(
        self, image: XraySource | OpenedXray, *, bone: BoneTone | None = None, reading: XrayFileSettings | None = None
    ) -> None:
        """Take an X-ray; what follows is asked of it. One that was seen lately costs nothing.

        Args:
            image: A file, a radiograph, or grey values (H, W).
            bone: Whether bone is bright or dark in it. Files and radiographs say so themselves; arrays need it.
            reading: How a file is read; `bone` wins over what it says.

        Raises:
            As `open_xray`.
        """
        self._image = self.embed(image, bone=bone, reading=reading)

    def embed(
        self, image: XraySource | OpenedXray, *, bone: BoneTone | None = None, reading: XrayFileSettings | None = None
    ) -> EmbeddedXray:
        """An X-ray ready for prompts, for `predict_many(image=)`; for those who hold several. See `set_image`."""
        if not isinstance(image, OpenedXray):
            image = open_xray(image, _with_bone(reading or XrayFileSettings(), bone))
        prepared = prepare_windows(image.grey, self.network.config, bone=image.bone)

        def compute() -> Tensor:
            with torch.no_grad():
                return self.network.embed(prepared.image[None].to(self.device))

        embedding = self.embeddings.get(prepared.image, compute)
        return EmbeddedXray(embedding.to(self.device), prepared.square, image)

    def predict(
        self,
        text: str | None = None,
        *,
        points: ArrayLike | Tensor | None = None,
        labels: ArrayLike | Tensor | None = None,
        box: ArrayLike | Tensor | None = None,
        mask: Segmentation | ArrayLike | Tensor | None = None,
        multimask: bool = True,
    ) -> Segmentation:
        """The answer to one prompt, see `Prompt`, for the X-ray of `set_image`.

        Args:
            text: What to find.
            points: (N, 2) pixels of the X-ray, x right and y down.
            labels: (N,), 1 inside and 0 outside; None is all 1.
            box: (4,), left, top, right, bottom. The answer ends there, unless a point inside it lies farther out.
            mask: An earlier answer, to refine; without effect beside points where all of them are drawn (`mini`).
            multimask: Three candidates, of which the most confident is the answer; false gives one.

        Raises:
            As `predict_many`.
        """
        return self.predict_many([Prompt(text, points, labels, box, mask)], multimask=multimask)[0]

    def predict_many(
        self, prompts: Sequence[Prompt], *, image: EmbeddedXray | None = None, multimask: bool = True
    ) -> list[Segmentation]:
        """Answers to many prompts in one pass, or a few where memory asks for it.

        Args:
            prompts: What is asked; none gives none.
            image: An X-ray of `embed`; None is that of `set_image`.
            multimask: As in `predict`.

        Raises:
            InputError: No X-ray; a text that is empty, too long, not English, or unknown; a point, box or mask that
                does not fit the X-ray.
        """
        image = image or self._image
        if image is None:
            raise InputError("an X-ray must be there before a prompt, got none; call set_image first.")
        size = self.network.config.mask_size
        placed = [self._shown(place_prompt(prompt, image.square, mask_size=size), prompt.mask) for prompt in prompts]
        targets = [None if prompt.text is None else self.target_of(prompt.text) for prompt in prompts]
        answers: list[Segmentation] = []
        step = max(
            1, MOST_VALUES.get(self.device.type, MOST_VALUES["cpu"]) // (self.network.config.dimension // 8 * size**2)
        )
        for start in range(0, len(placed), step):
            some = slice(start, start + step)
            found = self._decode(image.embedding, placed[some], multimask)
            for low, quality, presence, here, prompt, target in zip(
                *found, placed[some], prompts[some], targets[some], strict=True
            ):
                low = within_box(low, here, size=image.square.size)
                answers.append(self._answer(low, quality, presence, image.square, prompt, target))
        return answers

    def target_of(self, text: str) -> str | None:
        """Name of what a text asks for, see `understand`; None for words that it does not know, with `any_words`.

        Raises:
            InputError: No legal prompt; without `any_words` also one that names nothing known, or several things.
        """
        read = self._read(text)
        return None if read is None else read.target.name

    def note_on(self, text: str) -> str:
        """One sentence about words of a text that were passed over, such as "neck" in "neck of the left femur", or "".

        Raises:
            As `target_of`.
        """
        read = self._read(text)
        return "" if read is None else read.note(text)

    def _read(self, text: str) -> UnderstoodText | None:
        clean = check_text(text)
        try:
            return understand(clean)
        except InputError:
            if not self.any_words:
                raise
            return None

    def suggest(self, text: str, count: int = 5) -> tuple[str, ...]:
        """The usual words for known things nearest to what was typed, best first."""
        return suggest(text, count)

    def _shown(self, placed: PlacedPrompt, mask: object) -> PlacedPrompt:
        """The prompt without its earlier answer where the network has all of its points drawn into one picture.

        Such a network needs no reminder of what it answered to some of them, and keeps errors of it otherwise.
        """
        again = self.network.config.drawn and len(placed.points) > 0 and isinstance(mask, Segmentation)
        return replace(placed, mask=None) if again else placed

    def _decode(
        self, embedding: Tensor, placed: Sequence[PlacedPrompt], multimask: bool
    ) -> tuple[Tensor, Tensor, Sequence[float | None]]:
        """Logits (P, C, M, M) and quality (P, C), on the CPU, and the probability of what words ask for, P."""
        with torch.no_grad():
            texts = [one.text for one in placed if one.text is not None]
            batch = batch_prompts(placed, self._text_features(texts) if texts else None).to(self.device)
            found = self.network.decode(embedding, batch, multimask=multimask)
            seen = None if batch.text is None else self.network.presence(embedding, batch.text)
        told = [None] * len(placed) if seen is None else seen[0].float().sigmoid().tolist()
        presence = [None if one.text is None else p for one, p in zip(placed, told, strict=True)]
        return found.logits[0].float().cpu(), found.quality[0].float().cpu(), presence

    def _answer(
        self,
        low: Tensor,
        quality: Tensor,
        presence: float | None,
        square: PaddedSquare,
        prompt: Prompt,
        target: str | None,
    ) -> Segmentation:
        confidences, best = self.confidence_map(quality), int(quality.nan_to_num(-torch.inf).argmax())
        rows, columns = (-(-shown * low.shape[-1] // square.size) for shown in square.shown)
        there = bool(low[best, :rows, :columns].amax() > 0)
        sure = not prompt.words_alone or self.confidence_map.sees(float(confidences[best]), presence)
        return Segmentation(low, confidences, best, square, there and sure, prompt, target, presence)

    def _text_features(self, texts: Iterable[str]) -> Tensor:
        """(N, D); each text is encoded once."""
        clean = [check_text(text) for text in texts]
        new = [text for text in dict.fromkeys(clean) if text not in self._features]
        if new:
            for text, features in zip(new, self.text_encoder.encode(new).float().cpu(), strict=True):
                self._features[text] = features.clone()
        rows = []
        for text in clean:
            self._features.move_to_end(text)
            rows.append(self._features[text])
        while len(self._features) > MOST_TEXTS:
            self._features.popitem(last=False)
        return torch.stack(rows)


def _with_bone(reading: XrayFileSettings, bone: BoneTone | None) -> XrayFileSettings:
    if bone is None:
        return reading
    return XrayFileSettings(bone=bone, frame=reading.frame, colour=reading.colour, whole=reading.whole)
