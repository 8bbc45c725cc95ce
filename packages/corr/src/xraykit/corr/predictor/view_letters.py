"""Views as people name them: A, B, C, ... in the order in which they were given."""

from __future__ import annotations

from string import ascii_uppercase

from xraykit.render import InputError


def view_letter(view: int) -> str:
    """The name of view number 0, 1, ...: A to Z, then A1 to Z1, and so on."""
    letter, again = ascii_uppercase[view % 26], view // 26
    return f"{letter}{again}" if again else letter


def view_number(letter: str, count: int) -> int:
    """The number of the view of that name, one of `count`.

    Raises:
        InputError: None of them is called so.
    """
    names = [view_letter(view) for view in range(count)]
    if letter.upper() not in names:
        known = " to ".join((names[0], names[-1])) if count > 2 else " or ".join(names)
        raise InputError(f"a view must be {known}, in the order given, got {letter!r}.")
    return names.index(letter.upper())
