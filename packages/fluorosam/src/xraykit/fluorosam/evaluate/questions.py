"""What is asked of an image: which targets, in which words; drawn by seed, the same for every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from ..prompts.grammar import write_texts
from ..prompts.prompt_files import read_prompts
from ..prompts.text_prompt import WORDINGS, Wording
from ..vocabulary.structures import mirrored_name
from ..vocabulary.targets import all_targets, find_target
from .cases import SegmentationCase
from .error_points import question_stream
from .settings import AskSettings

_TEXTS = 8  # of each target, wording and kind


@dataclass(frozen=True, eq=False)
class AskedTarget:
    """A target of an image.

    Args:
        target: Its name.
        texts: Words by wording; a wording without words is left out.
        mask: (H, W) bool, or None where the image does not show it.
        twin: The mask of the same structure on the other side, where the image shows it.
        area: Share of the image.
    """

    target: str
    texts: Mapping[Wording, str]
    mask: Tensor | None = None
    twin: Tensor | None = None
    area: float = 0.0


class _Text(Protocol):
    @property
    def text(self) -> str: ...


class QuestionTexts:
    """Words for targets, in both wordings.

    Args:
        settings: With a file of prompts, or without: then the grammar writes them.

    Raises:
        FileError: The file is no file of prompts.
    """

    def __init__(self, settings: AskSettings) -> None:
        self._seed = settings.seed
        self._given: dict[tuple[str, Wording], list[str]] | None = None
        self._written: dict[tuple[str, Wording], tuple[str, ...]] = {}
        if settings.texts is not None:
            self._given = {}
            for one in read_prompts(settings.texts, tools=_AnyName()):
                if not one.view:
                    self._given.setdefault((one.target, one.split), []).append(one.text)

    def draw(self, target: str, image: str) -> dict[Wording, str]:
        """One text a wording, by target, image and seed."""
        found: dict[Wording, str] = {}
        for wording in WORDINGS:
            texts = self._texts(target, wording)
            if texts:
                rng = question_stream(self._seed, image, target, wording)
                found[wording] = texts[int(rng.integers(len(texts)))]
        return found

    def _texts(self, target: str, wording: Wording) -> Sequence[str]:
        if self._given is not None:
            return self._given.get((target, wording), ())
        if target not in all_targets():
            return ()
        key = (target, wording)
        if key not in self._written:
            made: list[_Text] = []
            for kind in ("short", "long"):
                made += write_texts(target, _TEXTS, kind=kind, split=wording, image_sides=False, seed=self._seed)
            self._written[key] = tuple(one.text for one in made)
        return self._written[key]


def asked_targets(
    case: SegmentationCase, settings: AskSettings, texts: QuestionTexts
) -> tuple[list[AskedTarget], list[AskedTarget]]:
    """What is asked of an image: targets that it shows, and ones that it does not.

    Args:
        case: The image.
        settings: How many, and of what size.
        texts: Words.

    Raises:
        InputError: `settings.targets` has a name that nobody knows.
    """
    wanted = {find_target(name).name for name in settings.targets}
    areas = {name: share for name, share in case.areas().items() if not wanted or name in wanted}
    fits = [name for name, share in areas.items() if settings.smallest <= share <= settings.largest]
    absent = [name for name in case.absent if not wanted or name in wanted]
    shown = []
    for name in _drawn(fits, settings.per_image or len(fits), settings.seed, case.name, "shown"):
        twin = mirrored_name(name)
        other = case.mask(twin) if twin != name and twin in case.targets else None
        shown.append(AskedTarget(name, texts.draw(name, case.name), case.mask(name), other, areas[name]))
    away = _drawn(absent, settings.absent, settings.seed, case.name, "absent")
    return shown, [AskedTarget(name, texts.draw(name, case.name)) for name in away]


def check_targets(settings: AskSettings) -> None:
    """Raises InputError where `settings.targets` has a name that nobody knows."""
    for name in settings.targets:
        find_target(name)


def _drawn(names: list[str], most: int, seed: int, *facts: str) -> list[str]:
    """At most so many, in the order they come in."""
    if most >= len(names):
        return names
    rng = question_stream(seed, *facts)
    return [names[place] for place in sorted(rng.permutation(len(names))[:most])]


class _AnyName:
    """Every name is a kind of tool: the images say what there is."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self):
        return iter(())

    def __len__(self) -> int:
        return 0
