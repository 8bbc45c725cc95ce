"""Texts of other sources: any callable, such as a language model; and several sources made one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from xraykit.render import InputError

from ..vocabulary.spelling import normalise
from ..vocabulary.targets import find_target
from ..vocabulary.text_check import check_text
from .text_prompt import TextPrompt, Wording

PromptSource = Callable[[str, Sequence[str]], Iterable[str]]
"""Called with a target's name and some texts that ask for it; returns further texts. A language model fits."""


def prompts_from(
    source: PromptSource,
    examples: Mapping[str, Sequence[str]],
    *,
    name: str = "callable",
    split: Wording = "train",
    long_from: int = 7,
) -> tuple[TextPrompt, ...]:
    """The texts that a callable has for each target.

    Args:
        source: See `PromptSource`.
        examples: Texts by target that it is shown.
        name: Of the source, kept with each text.
        split: What the texts are for.
        long_from: Words from which on a text counts as long.

    Raises:
        InputError: A text that no prompt may be; the target is named.
    """
    prompts = []
    for target, shown in examples.items():
        for text in source(target, tuple(shown)):
            try:
                clean = check_text(text)
            except InputError as error:
                raise InputError(f"{name}, target {target}: {error}") from error
            kind = "long" if len(clean.split()) >= long_from else "short"
            prompts.append(TextPrompt(target, clean, kind, split, name))
    return tuple(prompts)


def merge_prompts(*sources: Iterable[TextPrompt]) -> tuple[TextPrompt, ...]:
    """All prompts of several sources, each text once; the first of equal ones stays.

    Texts are equal if they differ in case, punctuation or spelling alone.

    Raises:
        InputError: A text that asks for two different things, or is both for training and held out.
    """
    found: dict[str, TextPrompt] = {}
    for one in (one for source in sources for one in source):
        key = normalise(one.text)
        known = found.setdefault(key, one)
        if _members(known.target) != _members(one.target):
            raise InputError(
                f"a text must ask for one thing, got {one.text!r} for {known.target} ({known.source}) and "
                f"{one.target} ({one.source}); change one of them."
            )
        if known.split != one.split:
            raise InputError(
                f"a held-out text must not be trained on, got {one.text!r} in both splits ({known.source} and "
                f"{one.source}); leave one out."
            )
    return tuple(found.values())


def _members(target: str) -> frozenset[str]:
    try:
        return find_target(target).members
    except InputError:  # a kind of tool that a library alone knows
        return frozenset({target})
