"""A trained network that takes X-rays as they are: prepares them, matches every pair, and answers in their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from xraykit.render import InputError
from xraykit.render.rendering import usable_device
from xraykit.render.storage import from_plain, to_plain

from ..data.settings import XrayInputSettings
from ..data.xray_input import PreparedXray, XrayLike, prepare_xray
from ..data.xray_reading import XrayReading
from ..network.matcher import MatchNetwork
from ..network.matcher_weights import load_matcher
from .matches import Matches
from .memory import check_memory
from .view_letters import view_letter

LINEAR = ("none", "loftr")  # modules without an attention matrix


class Matcher:
    """A frozen network that matches X-rays.

    Args:
        source: A network, or where to load one from, see `load_matcher`; "shipped" is the small one that comes with
            the package. It is moved to the device, set to evaluation mode, and stays as it is otherwise.
        device: "cpu", "cuda", "cuda:N", or "auto": a GPU if there is one.

    Raises:
        FileError: No such weights. InputError: No such device, or a network that learned something else.

    Example:
        `Matcher().match(["ap.dcm", "lateral.dcm"]).query(0, x=512, y=300)[1].places()`
    """

    def __init__(self, source: MatchNetwork | str | Path = "shipped", *, device: str = "auto") -> None:
        chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else usable_device(device)
        self.source = None if isinstance(source, nn.Module) else str(source)
        self.network: Any = source if isinstance(source, nn.Module) else load_matcher(source)
        if getattr(self.network, "trained_on", {}).get("target") == "thickness":
            raise InputError(
                "weights must be those of a matcher that learned correspondence, got one that learned thickness "
                "(--target thickness), which is a start for `xraykit corr classify --pretext`."
            )
        self.network.to(chosen).eval()
        self.device = torch.device(chosen)

    @property
    def settings(self) -> XrayInputSettings:
        """How X-rays become the network's input."""
        return _input_settings(self.network.config)

    def prepare(self, xray: XrayLike, *, reading: XrayReading | None = None, name: str | None = None) -> PreparedXray:
        """One X-ray as the network sees it, see `prepare_xray`."""
        return prepare_xray(xray, self.settings, reading=reading, name=name)

    def match(self, xrays: Sequence[XrayLike], *, reading: XrayReading | None = None, jointly: bool = False) -> Matches:
        """The probability that patches match, for every pair of the X-rays.

        Args:
            xrays: Two or more: files, radiographs, or intensities (H, W), bone dark.
            reading: How files are read.
            jointly: All views in one pass, where tokens see all of them; else each pair by itself, as networks that
                learned from pairs do best.

        Returns:
            The matches, on the CPU.

        Raises:
            FileError: A file is missing, damaged, in colour, or no X-ray.
            InputError: Fewer than two X-rays, one that shows nothing, or more than fit into memory (says how many do).
        """
        check_count(xrays)
        config = self.network.config
        tokens = (self.settings.size // config.stride) ** 2
        heads = 1 if config.module in LINEAR else config.heads
        facts = {"tokens": tokens, "dimension": config.dimension, "jointly": jointly}
        check_memory(len(xrays), self.device, heads=heads, **facts)
        prepared = tuple(
            self.prepare(xray, reading=reading, name=None if _has_name(xray) else f"X-ray {view_letter(view)}")
            for view, xray in enumerate(xrays)
        )
        images = torch.stack([xray.image for xray in prepared])
        probability, overlap = self._forward(images) if jointly else self._pairwise(images)
        made_by = {"weights": self.source, "config": to_plain(config)}
        return Matches(prepared, probability, made_by, _notes(prepared), overlap)

    def _pairwise(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        pairs = combinations(range(len(images)), 2)
        probability, overlap = zip(*(self._forward(images[list(pair)]) for pair in pairs), strict=True)
        return torch.cat(probability), None if overlap[0] is None else torch.cat(overlap)

    def _forward(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """(V, 1, S, S) to probabilities (P, L, L) and, if the network tells it, (P,), on the CPU."""
        with torch.inference_mode():
            output = self.network(images[None].to(self.device))
        told = None if output.overlap is None else output.overlap[0].float().sigmoid().cpu().clone()
        return output.probability[0].float().cpu().clone(), told


def check_count(xrays: Sequence[XrayLike]) -> None:
    """Refuse fewer than two X-rays.

    Raises:
        InputError: One, or none.
    """
    count = 1 if isinstance(xrays, str | Path) else len(xrays)
    if count < 2:
        raise InputError(f"matching needs two X-rays or more, got {count}; give another view of the same part.")


def _notes(xrays: Sequence[PreparedXray]) -> tuple[str, ...]:
    """What was assumed, once each, with the letters of the views that it concerns."""
    whose: dict[str, list[str]] = {}
    for view, xray in enumerate(xrays):
        for note in xray.notes:
            whose.setdefault(note, []).append(view_letter(view))
    return tuple(f"{', '.join(letters)}: {note}" for note, letters in whose.items())


def _has_name(xray: XrayLike) -> bool:
    return isinstance(xray, str | Path | PreparedXray) or getattr(xray, "source", None) is not None


def _input_settings(config: Any) -> XrayInputSettings:
    """The preprocessing that the network's config holds; what it leaves out has its default."""
    stated = config.preprocess
    if isinstance(stated, XrayInputSettings):
        return stated
    return from_plain(XrayInputSettings, {"size": config.image_size, **stated})
