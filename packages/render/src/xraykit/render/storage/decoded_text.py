"""Text of the bytes that people's programs write: UTF-8, or what Windows calls Unicode."""

from __future__ import annotations

import codecs


def encoding_of(start: bytes) -> str:
    """UTF-16 where the first bytes are its mark, else UTF-8 with or without one."""
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def text_of(data: bytes) -> str:
    r"""The text in the encoding that its first bytes say, without mark; lines end in \n.

    Raises:
        UnicodeDecodeError: It is neither, as the tables of older spreadsheets with umlauts.
    """
    return data.decode(encoding_of(data)).replace("\r\n", "\n").replace("\r", "\n")
