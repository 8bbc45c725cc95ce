"""What a file says, fit for one line of a message."""

from __future__ import annotations


def brief(said: object, *, limit: int = 100) -> str:
    """What a file or a library said, on one printable line of at most `limit` characters, fit for a message."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(said)).split())
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
