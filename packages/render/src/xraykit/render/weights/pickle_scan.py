"""What a pickle would make, told from its opcodes before anything is made: which classes, and how much of it."""

from __future__ import annotations

import pickletools
import re
from collections.abc import Container

from ..errors import FileError

MOST = 1_000_000  # entries, counted as often as they are referred to
_ALLOWED = re.compile(
    r"torch\.(Size|device|\w*Storage|storage\.\w+Storage|_utils\._rebuild_(tensor_v2|parameter)"
    r"|(u?int|float|bfloat|complex)\d+(_\w+)?|bool|nn\.parameter\.Parameter)"
    r"|collections\.OrderedDict|_codecs\.encode"  # the last is how bytes, as in dates, are written
)


def check_pickle(data: bytes, *, source: str, allowed: Container[str] = ()) -> None:
    """Refuse a pickle that names classes or functions other than those of tensors, or that swells when it is read.

    Args:
        data: The pickle.
        source: Where it is from, for messages.
        allowed: Names that it may hold besides, such as "datetime.datetime".

    Raises:
        FileError: It names something else, builds more than a million entries (references counted each time), or is
            no pickle.
    """
    try:
        _walk(data, source, allowed)
    except FileError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, EOFError, OverflowError) as error:
        raise FileError(f"{source} must be a whole torch checkpoint, got a damaged one; download it again.") from error


def _walk(data: bytes, source: str, allowed: Container[str]) -> None:
    stack: list[int | None] = []  # how many entries each object stands for; None is a mark
    memo: dict[int, int] = {}
    texts: list[str] = []
    for code, argument, _ in pickletools.genops(data):
        name = code.name
        if name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if argument is None else int(argument)] = stack[-1] or 0
            continue
        if name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[int(argument or 0)])
        else:
            if isinstance(argument, str):
                texts.append(argument)
            if name in ("GLOBAL", "INST", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4"):
                _check_name(" ".join(texts[-2:]) if name == "STACK_GLOBAL" else str(argument), source, allowed)
            _apply(stack, code, 1 + (len(argument) // 64 if isinstance(argument, str | bytes) else 0))
        if stack and (stack[-1] or 0) > MOST:
            raise FileError(f"{source} must hold at most {MOST:,} entries, got lists in lists that unfold to more.")


def _apply(stack: list[int | None], code: pickletools.OpcodeInfo, own: int) -> None:
    """Take from the stack what the opcode takes, and put what it gives."""
    takes = [thing.name for thing in code.stack_before]
    total = own
    if "mark" in takes:
        while (entry := stack.pop()) is not None:
            total += entry
        takes = takes[: takes.index("mark")]
    for _ in takes:
        total += stack.pop() or 0
    for given in code.stack_after:
        stack.append(None if given.name == "mark" else total)


def _check_name(text: str, source: str, allowed: Container[str]) -> None:
    name = ".".join(text.split(" "))
    if not _ALLOWED.fullmatch(name) and name not in allowed:
        raise FileError(
            f"{source} must hold tensors, numbers and text only, got other Python objects ({name[:100]}), which could "
            "run code when read; it was refused and nothing of it was run. Ask its author for weights alone."
        )
