"""One spelling for texts that mean the same."""

from __future__ import annotations

import re
import unicodedata

from .levels import NUMBERS, ORDINALS, ordinal

_SPELLINGS = (
    ("oesoph", "esoph"), ("haem", "hem"), ("grey", "gray"), ("centre", "center"), ("colour", "color"),
    ("labelled", "labeled"), ("foetal", "fetal"), ("paediatric", "pediatric"),
)  # fmt: skip
_TOKENS = {
    **{word: ordinal(n) for n, word in enumerate(ORDINALS, start=1)},
    **{word: str(n) for n, word in enumerate(NUMBERS, start=1)},
    **{"l": "left", "r": "right", "lt": "left", "rt": "right"},
}
_LEVEL = re.compile(r"\b([ctls]) (\d{1,2})\b")
_ARTICLES = {"the", "a", "an"}


def normalise(text: str) -> str:
    """Lower case, American spelling, no punctuation and articles, digits for numbers, "left" for "L".

    "The Patient's Left Fifth Rib" becomes "patients left 5th rib", "L-4 vertebra" "l4 vertebra".
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    plain = re.sub(r"['\u2019`]s\b", "s", plain)
    for british, american in _SPELLINGS:
        plain = plain.replace(british, american)
    plain = _LEVEL.sub(r"\1\2", " ".join(re.findall(r"[^\W_]+", plain)))
    return " ".join(_TOKENS.get(token, token) for token in plain.split() if token not in _ARTICLES)


def without_plurals(text: str) -> str:
    """Each word of a normalised text without a final s: "femurs" and "femur" are one."""
    return " ".join(token[:-1] if len(token) > 3 and token[-1] == "s" else token for token in text.split())
