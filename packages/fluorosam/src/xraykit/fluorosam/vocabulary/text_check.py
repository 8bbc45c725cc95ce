"""What a prompt may be, and one sentence about what it may not."""

from __future__ import annotations

import re
import unicodedata

from xraykit.render import InputError

MOST_WORDS, MOST_CHARACTERS = 45, 250
"""CLIP's text tower sees 77 tokens; English medical words take 1.6 on average, Latin ones up to 4."""

_MARKUP = re.compile(r"[<>{}\[\]|\\`]|&\w+;|https?://")


def check_text(text: str) -> str:
    """The text of a prompt with single spaces.

    Raises:
        InputError: It is empty, too long, in another script than Latin, or has control characters or markup.
    """
    if not isinstance(text, str):
        raise InputError(f"a prompt must be text, got {type(text).__name__}.")
    if any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co") and sign not in "\t\n" for sign in text):
        raise InputError(f"a prompt must be plain text, got control characters in {text[:60]!r}; remove them.")
    clean = " ".join(text.split())
    if not any(sign.isalpha() for sign in clean):
        raise InputError(f"a prompt must say in words what to find, got {clean[:60]!r}; write such as 'left femur'.")
    if found := _MARKUP.search(clean):
        raise InputError(f"a prompt must be plain text, got the markup {found[0]!r} in {clean[:60]!r}; remove it.")
    other = next((sign for sign in clean if sign.isalpha() and "LATIN" not in unicodedata.name(sign, "")), None)
    if other is not None:
        raise InputError(f"a prompt must be in English, got the letter {other!r} in {clean[:60]!r}; translate it.")
    words = len(clean.split())
    if words > MOST_WORDS or len(clean) > MOST_CHARACTERS:
        raise InputError(
            f"a prompt must have {MOST_WORDS} words and {MOST_CHARACTERS} characters at most, got {words} and "
            f"{len(clean)}; shorten it."
        )
    return clean
