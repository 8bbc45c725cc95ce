"""Changes to bytes, text and trees that make files hostile; each takes its chances from one random generator."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

Mutation = Callable[[Random, bytes], bytes]

EDGES = {
    1: (0, 1, 0x7F, 0x80, 0xFF),
    2: (0, 1, 0x7FFF, 0x8000, 0xFFFF),
    4: (0, 1, 1 << 16, 1_000_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF),
    8: (0, 1, 1 << 31, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1),
}
"""Numbers at which widths and signs end, by bytes."""
WORDS = (
    "0", "1", "-1", "nan", "inf", "-inf", "1e999", "1e308", "1e-320", "9" * 30, "9" * 5000, "1_0", "0x10", "1,5", "1 2",
    "2147483648", "18446744073709551616", "", " ", "null", "true", "None", "[]", "{}", "x", "A" * 3000, "\0",
    "\x1b]0;t\x07", "\x1b[31m", "é", "\u2028", "../../x", "/etc/passwd", "~", "&a", "*a", "<<", "!!python/name:os.fork",
    "%s%n", "\\", '"', "'", ",", ":", "\r\n", "\t",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 1.5, -0.0, 1e308, float("nan"), float("inf"), 10**18, 10**30, 10**400, -(10**400),
    2**31, 2**63, "", "x", "nan", "\0", "\x1b]0;t\x07", "\ud800", "é" * 40, "A" * 2000, [], {}, [[]], [None], [1, 2],
    [1, 2, 3], ["1", "2", "3"], [[1, 2, 3, 4]] * 4, {"a": 1}, {"": None}, "../../x", "/etc/passwd", "<script>",
)  # fmt: skip


def change_bytes(random: Random, data: bytes) -> bytes:
    """One to five edits: bits, bytes, numbers at their edges, pieces cut, doubled, moved or blanked."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        if changed:
            random.choice(_EDITS)(random, changed)
    return bytes(changed)


def change_text(random: Random, data: bytes) -> bytes:
    """Lines and words deleted, doubled, exchanged or replaced; now and then plain bytes."""
    if random.random() < 0.2:
        return change_bytes(random, data)
    text = data.decode("latin-1")
    for _ in range(random.choice((1, 1, 2, 3))):
        text = random.choice((_change_line, _change_word, _change_word, _change_word, _insert, _cut))(random, text)
    return text.encode(random.choice(("utf-8", "utf-8", "latin-1")), "replace")


def change_tree(random: Random, tree: Any) -> Any:
    """A copy of nested lists and mappings with values replaced, moved, renamed, left out or nested deeply."""
    tree = copy.deepcopy(tree)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            return random.choice(VALUES)
        holder, key = random.choice(places)
        match random.randrange(7):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 1:
                holder[random.choice(("", "x", f"{key}s", str(key).upper()))] = holder[key]
            case 2:
                other, place = random.choice(places)
                holder[key] = copy.deepcopy(other[place])
            case 3 if isinstance(holder[key], int | float):
                number = holder[key]
                large = number * 1e6 if abs(number) < 1e300 else math.inf
                holder[key] = random.choice((-number, str(number), [number], large, number + 1, number * 10**9))
            case 4 if random.random() < 0.3:
                for _ in range(random.choice((1, 3, 300))):
                    holder[key] = [holder[key]] if random.random() < 0.5 else {"x": holder[key]}
            case _:
                holder[key] = copy.deepcopy(random.choice(VALUES))
    return tree


def change_json(random: Random, data: bytes) -> bytes:
    """The values of a JSON text changed, or its letters."""
    if random.random() < 0.25:
        return change_text(random, data)
    return as_json(random, change_tree(random, json.loads(data)))


def as_json(random: Random, tree: Any) -> bytes:
    """A tree as JSON, lone surrogates and all."""
    try:
        return json.dumps(tree, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    except (RecursionError, OverflowError):
        return b"[" * 5000


def change_yaml(random: Random, data: bytes) -> bytes:
    """The values of a YAML text changed, or its letters."""
    import yaml

    if random.random() < 0.4:
        return change_text(random, data)
    try:
        text = yaml.safe_dump(change_tree(random, yaml.safe_load(data)), allow_unicode=True, sort_keys=False)
    except (yaml.YAMLError, RecursionError, ValueError):
        return change_text(random, data)
    return text.encode("utf-8", "replace")


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from _places(tree[key])


def _at(random: Random, data: bytearray) -> int:
    """Where: headers and ends more often than the middle."""
    size = len(data)
    near = random.choice((64, 512, 4096, size, size))
    return size - 1 - random.randrange(min(size, 64)) if random.random() < 0.1 else random.randrange(min(size, near))


def _flip(random: Random, data: bytearray) -> None:
    data[_at(random, data)] ^= 1 << random.randrange(8)


def _number(random: Random, data: bytearray) -> None:
    width, order = random.choice((1, 2, 2, 4, 4, 4, 8)), random.choice(("little", "little", "big"))
    at = _at(random, data)
    at -= at % width if random.random() < 0.6 else 0
    value = random.choice(EDGES[width])
    if random.random() < 0.3:
        value = (int.from_bytes(data[at : at + width], order) + random.choice((-1, 1, -255, 255))) % (1 << 8 * width)
    data[at : at + width] = value.to_bytes(width, order)[: len(data) - at]


def _delete(random: Random, data: bytearray) -> None:
    at = _at(random, data)
    del data[at : at + random.choice((1, 2, 4, 16, 132, 512))]


def _double(random: Random, data: bytearray) -> None:
    at, to = _at(random, data), _at(random, data)
    data[to:to] = data[at : at + random.choice((1, 4, 16, 100, 512))]


def _blank(random: Random, data: bytearray) -> None:
    at = _at(random, data)
    size = min(random.choice((4, 16, 64, 512)), len(data) - at)
    data[at : at + size] = random.choice((b"\0", b"\xff")) * size


def _truncate(random: Random, data: bytearray) -> None:
    del data[_at(random, data) :]


def _extend(random: Random, data: bytearray) -> None:
    data += random.choice((b"\0", b"\xff", b"A")) * random.choice((1, 7, 512, 5000))


_EDITS = (_flip, _flip, _flip, _number, _number, _number, _delete, _double, _blank, _truncate, _extend)


def _change_line(random: Random, text: str) -> str:
    lines = text.split("\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(3):
        case 0:
            del lines[one]
        case 1:
            lines[other:other] = [lines[one]] * random.choice((1, 1, 50))
        case _:
            lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _change_word(random: Random, text: str) -> str:
    words = list(re.finditer(r"[-+\w.]+", text))
    if not words:
        return text
    word = random.choice(words)
    return text[: word.start()] + random.choice(WORDS) + text[word.end() :]


def _insert(random: Random, text: str) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice((*WORDS, *"{}[]()")) + text[at:]


def _cut(random: Random, text: str) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + text[at + random.choice((1, 3, 20)) :]
