"""What turns words into features, behind one small protocol; CLIP's vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from xraykit.render import InputError

LONGEST = 2000
"""Characters of a prompt."""


class TextEncoder(Protocol):
    """Anything that gives each text a vector.

    Attributes:
        dimension: D, the length of a vector.
    """

    dimension: int

    def encode(self, texts: Sequence[str] | Tensor) -> Tensor:
        """Features (N, D) of N texts, or of their tokens (N, L)."""
        ...


def tokenise(texts: Sequence[str], *, context: int = 77) -> Tensor:
    """Tokens (N, context) of texts by CLIP's byte pair encoding: start, text, end, zeros.

    Text is lower-cased and its white space joined, as CLIP has it.

    Args:
        texts: Descriptions of what to find.
        context: Most tokens of one, with start and end.

    Raises:
        InputError: A text that is no text, is empty, holds control characters, or is too long.
    """
    if isinstance(texts, str):
        raise InputError(f"texts must be a list of texts, got one text {texts[:40]!r}; put it into a list.")
    tokens = torch.zeros(len(texts), context, dtype=torch.long)
    tokenizer = _tokenizer()
    for row, text in enumerate(texts):
        ids = tokenizer.encode(_checked(text))
        if len(ids) > context - 2:
            raise InputError(
                f"a prompt must have at most {context - 2} tokens, got {len(ids)} in {text[:60]!r}...; say it shorter."
            )
        ids = [tokenizer.sot_token_id, *ids, tokenizer.eot_token_id]
        tokens[row, : len(ids)] = torch.tensor(ids)
    return tokens


def vocabulary_size() -> int:
    """Entries of CLIP's vocabulary, with start and end."""
    return 49408


@lru_cache(maxsize=1)
def vocabulary_words() -> tuple[str, ...]:
    """The plain words of CLIP's vocabulary that are one token each: three letters and more, a to z."""
    ends = (entry.removesuffix("</w>") for entry in _tokenizer().encoder if entry.endswith("</w>"))
    return tuple(word for word in ends if len(word) >= 3 and word.isascii() and word.isalpha())


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    """CLIP's tokenizer; it and its table lie in the wheel of open_clip.

    Its file is run by itself: it needs nothing of its package, whose import (torchvision, timm, torch's compiler) takes
    longer than all answers to an X-ray.
    """
    package: Any = find_spec("open_clip")
    spec: Any = spec_from_file_location("open_clip_tokenizer", Path(package.origin).with_name("tokenizer.py"))
    module: Any = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SimpleTokenizer()


def _checked(text: object) -> str:
    if not isinstance(text, str):
        raise InputError(f"a prompt must be text, got {type(text).__name__}.")
    if not text.strip():
        raise InputError("a prompt must say what to find, got an empty text; write for example 'left femur'.")
    if len(text) > LONGEST:
        raise InputError(f"a prompt must have at most {LONGEST} characters, got {len(text)}; say it shorter.")
    strange = [c for c in text if not c.isprintable() and c not in "\t\n\r"]
    if strange:
        raise InputError(f"a prompt must hold printable characters, got {strange[0]!r}; leave it out.")
    return text
