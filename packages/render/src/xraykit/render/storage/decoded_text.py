"""Text of the bytes that people's programs write: UTF-8, or what Windows calls Unicode."""

from __future__ import annotations

import codecs


def text_of(data: bytes) -> str:
    r"""The text: UTF-16 where the bytes begin with its mark, else UTF-8, without mark; lines end in \n.

    Raises:
        UnicodeDecodeError: It is neither, as the tables of older spreadsheets with umlauts.
    """
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data.decode("utf-16" if utf16 else "utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")
