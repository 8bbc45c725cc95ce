"""The corpus that a text encoder learns from: many texts for every target, and wordings held out to judge it by."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from xraykit.render import InputError
from xraykit.render.views import STANDARD_VIEWS

from ..prompts.grammar import write_texts
from ..prompts.merging import merge_prompts
from ..prompts.prompt_job import PromptJobSettings, make_prompts
from ..prompts.settings import GrammarSettings
from ..prompts.text_prompt import KINDS, TextPrompt
from ..prompts.view_names import is_frontal, view_words
from .words_settings import TextCorpusSettings


@dataclass(frozen=True)
class TextCorpus:
    """Texts by target.

    Args:
        targets: Names; a text's class is its target's place here.
        train: Texts for training of each target, two at least.
        held_out: Prompts in wordings that no text for training has.
    """

    targets: tuple[str, ...]
    train: tuple[tuple[str, ...], ...]
    held_out: tuple[TextPrompt, ...]


def text_corpus(
    settings: TextCorpusSettings, *, seed: int = 0, report: Callable[[int, int], None] | None = None
) -> TextCorpus:
    """The grammar's texts for every known target.

    Among them are texts that name a standard view, or a side of the image in it; those of the settings' file join them.

    Args:
        settings: How many.
        seed: Of the grammar.
        report: Told of targets done and their number.

    Raises:
        InputError: A number outside its range, or a text of the file that asks for something else than the grammar's.
        FileError: The file is damaged.
    """
    held_out = settings.held_out
    grammar = GrammarSettings(settings.short, settings.long, held_out, held_out, seed=seed)
    written = make_prompts(PromptJobSettings(texts=settings.texts, grammar=grammar), report=report)
    targets = tuple(dict.fromkeys(one.target for one in written))
    in_views = [one for name in targets for one in _view_texts(name, settings.view_texts, seed)]
    found: Mapping[str, list[str]] = defaultdict(list)
    for one in merge_prompts(written, in_views):
        if one.split == "train":
            found[one.target].append(one.text)
    if few := [name for name in targets if len(found[name]) < 2]:
        raise InputError(f"every target must have two texts, got fewer for {', '.join(few[:5])}; ask for more texts.")
    held = tuple(one for one in written if one.split == "held_out")
    return TextCorpus(targets, tuple(tuple(found[name]) for name in targets), held)


def _view_texts(target: str, count: int, seed: int) -> Sequence[TextPrompt]:
    """Texts that name a view, or the image's side: "femur on the right side of the image" is a left one.

    Of every frontal view, where sides are said so, and of as many others, other ones for each target.
    """
    if not count:
        return ()
    frontal = [name for name in STANDARD_VIEWS if is_frontal(name)]
    others = [name for name in STANDARD_VIEWS if view_words(name) and name not in frontal]
    first = zlib.crc32(target.encode())
    drawn = [others[(first + 7 * n) % len(others)] for n in range(len(frontal))]
    texts = []
    for view in dict.fromkeys((*frontal, *drawn)):
        for kind in KINDS:
            texts += [one for one in write_texts(target, count, kind=kind, view=view, seed=seed) if one.view]
    return texts
