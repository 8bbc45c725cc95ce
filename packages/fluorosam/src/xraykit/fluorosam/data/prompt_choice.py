"""What is asked of an image: targets, rare ones more often than they occur, and now and then one that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..vocabulary.annotations import annotations_of
from ..vocabulary.structures import STRUCTURES
from ..vocabulary.targets import find_target
from .framing import Framing, mask_places
from .segmentation_store import LEAST_AREA, MOST_AREA, SegmentationStore
from .target_texts import TargetTexts, askable, mirrored_view

NEAR = 0.5  # share of absent prompts for twins and neighbours of what is seen


@dataclass(frozen=True, eq=False)
class ChosenPrompt:
    """A prompt.

    Args:
        target: Asked for, left and right as in the image.
        text: In words.
        mask: (M, M) bool; all False where it is absent.
        absent: Whether it is not in the image.
    """

    target: str
    text: str
    mask: NDArray[np.bool_]
    absent: bool


class PromptChoice:
    """Draws the prompts of an image.

    A target comes up with a weight of one over the square root of the number of images that show it, whatever it
    covers, tools and implants with a multiple of that; no target comes twice before all have come.

    Args:
        store: The images.
        numbers: Of those that count for how rare a target is.
        texts: What targets are asked by.
        prompts: P, of an image.
        absent: How often a prompt asks for what is not there.
        tools: The multiple.
    """

    def __init__(
        self,
        store: SegmentationStore,
        numbers: Sequence[int],
        texts: TargetTexts,
        *,
        prompts: int,
        absent: float,
        tools: float = 1.0,
    ) -> None:
        self.store, self.texts, self.prompts, self.absent = store, texts, prompts, absent
        often = store.shows[list(numbers)].sum(axis=0)
        metal = np.array([find_target(target).kind == "tool" for target in store.targets_known], dtype=np.bool_)
        self._weights = np.where(metal, tools, 1.0) / np.sqrt(np.maximum(often, 1))

    def has_any(self, number: int) -> bool:
        """Whether anything can be asked of an image."""
        known = self.store.targets_known
        return any(known[t] in self.texts.targets for t in np.flatnonzero(self.store.shows[number]).tolist())

    def draw(
        self, number: int, framing: Framing, rng: np.random.Generator, *, any_size: bool = False
    ) -> list[ChosenPrompt]:
        """P prompts of image `number` as a framing shows it; none if it shows nothing to ask for.

        Args:
            number: Of the image.
            framing: How it lies.
            rng: Random numbers.
            any_size: Whether targets may cover less than 0.1 % or more than 90 % of it.
        """
        seen = _Seen(self.store, number, framing)
        lacked = [asked for _, asked in askable(self.store.absent(number), self.texts, mirrored=framing.mirrored)]
        wanted = self.prompts - (int(rng.binomial(self.prompts, self.absent)) if lacked else 0)
        least, most = (0.0, 1.0) if any_size else (LEAST_AREA, MOST_AREA)
        present: list[ChosenPrompt] = []
        vanished: list[str] = []
        for target, asked in self._order(number, framing, rng) if wanted else ():
            mask, share = seen.mask(target)
            if share == 0:
                vanished.append(asked)
            elif least <= share <= most:
                present.append(ChosenPrompt(asked, self._text(asked, seen, mask, rng), mask, absent=False))
            if len(present) == wanted:
                break
        if wanted and not present:
            return []
        for n in range(wanted - len(present)):  # fewer targets than prompts: in other words
            one = present[n]
            present.append(replace(one, text=self._text(one.target, seen, one.mask, rng)))
        found = present + self._absent(lacked, vanished, self.prompts - wanted, seen, rng)
        return [found[n] for n in rng.permutation(len(found)).tolist()]

    def _order(self, number: int, framing: Framing, rng: np.random.Generator) -> list[tuple[str, str]]:
        """Targets that may be asked for, in a random order in which those of more weight come first more often."""
        known = self.store.targets_known
        shown = [known[t] for t in np.flatnonzero(self.store.shows[number]).tolist()]
        pairs = list(askable(shown, self.texts, mirrored=framing.mirrored))
        weights = self._weights[[self.store.target_numbers[target] for target, _ in pairs]]
        keys = rng.exponential(size=len(pairs)) / weights
        return [pairs[n] for n in np.argsort(keys, kind="stable").tolist()]

    def _absent(
        self, lacked: Sequence[str], vanished: Sequence[str], count: int, seen: _Seen, rng: np.random.Generator
    ) -> list[ChosenPrompt]:
        """Prompts for what is not in the image: half of them for something close to what is."""
        names = list(dict.fromkeys([*lacked, *vanished]))
        near = [name for name in names if name in vanished or seen.is_near(name)] if count else []
        found = []
        for _ in range(count):
            among = near if near and rng.random() < NEAR else names
            asked = among[int(rng.integers(len(among)))]
            text = self.texts.draw(asked, rng, view=seen.view, turned=seen.turned)
            found.append(ChosenPrompt(asked, text, seen.nothing, absent=True))
        return found

    def _text(self, asked: str, seen: _Seen, mask: NDArray[np.bool_], rng: np.random.Generator) -> str:
        return self.texts.draw(asked, rng, view=seen.view, turned=seen.turned, side=seen.side(mask))


class _Seen:
    """An image as a framing shows it: masks of targets, and what may be said of it."""

    def __init__(self, store: SegmentationStore, number: int, framing: Framing) -> None:
        self.store, self.number, self.framing = store, number, framing
        self.names, self.kinds = store.annotation_names(number), store.annotation_kinds(number)
        size = store.mask_size
        self.places = mask_places(framing, store.shown(number), store.edge, size)
        self.rows, self.columns = framing.shown_cells(size)
        self.view = mirrored_view(store.view(number), mirrored=framing.mirrored)
        self.turned = framing.quarters != 0 or framing.flipped
        self.nothing = np.zeros((size, size), dtype=np.bool_)

    def mask(self, target: str) -> tuple[NDArray[np.bool_], float]:
        """The mask (M, M) of a target, and the share of the image that it covers."""
        union = self.store.union(self.number, annotations_of(find_target(target), self.names, self.kinds))
        mask = union[self.places].reshape(self.nothing.shape)
        return mask, float(mask.sum()) / (self.rows * self.columns)

    def is_near(self, name: str) -> bool:
        """Whether another of a structure's family is in the image: its twin, another rib, another vertebra."""
        one = STRUCTURES.get(name)
        return one is not None and one.family in self.families

    @cached_property
    def families(self) -> set[str]:
        """Of the structures that are in the image."""
        return {STRUCTURES[name].family for name in self.names if name in STRUCTURES}

    def side(self, mask: NDArray[np.bool_]) -> str:
        """On which side of the image a mask is: where all but a tenth of it is; else ""."""
        left = float(mask[:, : self.columns // 2].sum()) / max(float(mask.sum()), 1.0)
        return "left" if left > 0.9 else "right" if left < 0.1 else ""
