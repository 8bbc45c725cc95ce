"""The words of a prompt beside what it names: those that only ask, those that nobody knows, and those that turn it."""

from __future__ import annotations

from collections.abc import Sequence

from xraykit.render import InputError

from .structures import STRUCTURES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ASKING = _words(
    """
    segment of please me outline where show for mark is it find i you highlight see mask can need and which all could
    trace out draw to that whole let as far be seen every belongs pixel only exactly locate are shows picture part other
    also lie over structures surgeon them contour point planning borders interest region pixels tell am looking
    delineate measurement else in leave color they would like
    on at with from into there here this these those your my our we do does give get select label extract isolate
    identify detect display want think look any some visible image images film scan radiograph xray xrays x ray rays
    view patient patients area structure object one thing thanks
    leg arm body chest abdomen
    """
)
"""What the grammar's sentences and people's say around a name; articles are gone before."""
_TURNING = frozenset({"not", "no", "without", "except", "excluding", "but", "minus", "neither", "nor", "never"})
_BESIDE = _words("next beside adjacent near below above behind beneath between neighboring neighbouring")
_BY_THE_WAY = _BESIDE | {"under", "over", "at", "in", "here", "there", "now"}
"""Words before which "right" is no side: "right below"."""
_SIDES = ("left", "right")
_ENGLISH = _words(
    """
    lift loft felt heft weft cleft lent lest let eft deft theft light bright fight might night sight tight eight wright
    fright rights lefts
    """
)
"""Words that are one letter from a side and are none."""


def check_rest(rest: Sequence[str], named: str, text: str) -> None:
    """Refuse a prompt whose other words mean something else than the one thing that it names.

    Args:
        rest: Normalised words that no known phrase took, in their order, "" where one did.
        named: The target that was found.
        text: The prompt.

    Raises:
        InputError: A negation, a place beside what is named, the other side of what has one, or a side that is spelt
            wrongly.
    """
    turning = next((word for word in rest if word in _TURNING), None)
    if turning is not None:
        raise InputError(
            f"a prompt must say what to find, got {turning!r} in {text[:60]!r}; ask for the thing itself, and mark "
            "what is not meant with points outside."
        )
    beside = next((word for word in rest if word in _BESIDE), None)
    if beside is not None:
        raise InputError(
            f"a prompt must name the thing itself, got {beside!r} before another's name in {text[:60]!r}; ask for it "
            "by its own."
        )
    side = STRUCTURES[named].side if named in STRUCTURES else ""
    if side in _SIDES and _SIDES[side == "left"] in sides_of(rest):
        raise InputError(f"a prompt must name one side, got left and right in {text[:60]!r}; ask for one by one.")
    slip = next(((word, near) for word in rest for near in _SIDES if _is_slip(word, near)), None)
    if side == "both" and slip is not None:
        word, near = slip
        raise InputError(f"a prompt must name something known, got {word!r} in {text[:60]!r}; {near!r} may be meant.")


def sides_of(rest: Sequence[str]) -> set[str]:
    """The sides among the words; "right next to" and "right below" name none."""
    following = [*rest[1:], ""]
    return {word for word, after in zip(rest, following, strict=True) if word in _SIDES and after not in _BY_THE_WAY}


def passed_over(rest: Sequence[str], named: str) -> tuple[str, ...]:
    """Words of the rest, as of `check_rest`, that do not just ask, each once: "alta" in "show me the patella alta"."""
    understood = _SIDES if named in STRUCTURES and STRUCTURES[named].side else ()
    return tuple(dict.fromkeys(word for word in rest if word and word not in _ASKING and word not in understood))


def _is_slip(word: str, side: str) -> bool:
    """Whether one letter left out, put in, changed or two exchanged make the word of the side."""
    if word in _ENGLISH or word == side or abs(len(word) - len(side)) > 1:
        return False
    same = 0
    while same < min(len(word), len(side)) and word[same] == side[same]:
        same += 1
    a, b = word[same:], side[same:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
