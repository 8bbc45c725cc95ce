"""What a command line asks, as prompts with names."""

from __future__ import annotations

import math

from xraykit.render import InputError

from ..predictor.prompt import Prompt
from ..vocabulary.text_check import check_text
from .settings import SegmentFilesSettings

MOST_PROMPTS = 255
_SIGNS = {"+": 1, "-": 0}


def asked_prompts(settings: SegmentFilesSettings) -> dict[str, Prompt]:
    """Prompts by the names of their masks: the words, or "points", "box".

    Raises:
        InputError: Nothing asked, the same words twice, words that are no legal prompt, points or a box with several
            prompts, or ones that cannot be read.
    """
    texts = [check_text(text) for text in settings.prompt]
    points = [_point(text) for text in settings.point]
    box = None if settings.box is None else _box(settings.box)
    pointed = bool(points) or box is not None
    if not texts and not pointed:
        raise InputError("segmenting needs something to find, got nothing; give --prompt, --point or --box.")
    if len(texts) > 1 and pointed:
        raise InputError(f"points and a box go with one --prompt or none, got {len(texts)} prompts; ask one by one.")
    if len(texts) > MOST_PROMPTS:
        raise InputError(f"at most {MOST_PROMPTS} prompts are taken at a time, got {len(texts)}.")
    twice = next((text for text in texts if texts.count(text) > 1), None)
    if twice is not None:
        raise InputError(f"each prompt must be another, got {twice!r} twice.")
    if not pointed:
        return {text: Prompt(text) for text in texts}
    name = texts[0] if texts else "points" if points else "box"
    xy = [(x, y) for x, y, _ in points] or None
    labels = [label for _, _, label in points] or None
    return {name: Prompt(texts[0] if texts else None, xy, labels, box)}


def _point(text: str) -> tuple[float, float, int]:
    parts = [part.strip() for part in text.split(",")]
    sign = parts.pop() if parts[-1] in _SIGNS else "+"
    numbers = _numbers(parts)
    if len(numbers) != 2:
        raise InputError(f"--point must be X,Y,+ or X,Y,- such as 512,300,+, got {text[:60]!r}.")
    return numbers[0], numbers[1], _SIGNS[sign]


def _box(text: str) -> tuple[float, ...]:
    numbers = _numbers(text.split(","))
    if len(numbers) != 4:
        raise InputError(f"--box must be LEFT,TOP,RIGHT,BOTTOM such as 40,60,200,180, got {text[:60]!r}.")
    return tuple(numbers)


def _numbers(parts: list[str]) -> list[float]:
    """Finite numbers, none at all if one is not."""
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return []
    return numbers if all(map(math.isfinite, numbers)) else []
