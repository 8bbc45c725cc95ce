"""What a command says about its input: what was assumed, and what is doubtful, one line each on stderr."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ..storage.brief import brief
from ..storage.provenance import Origin, finding_sentences


class Described(Protocol):
    """What was read from a file and knows what its reader found: a `Volume` or a `Radiograph`."""

    @property
    def assumptions(self) -> Mapping[str, Origin]:
        """What no field stated."""
        ...

    @property
    def doubts(self) -> Mapping[str, Origin]:
        """What is hardly true, or was lost."""
        ...


def say_findings(name: str | Path, found: Described) -> None:
    """Print the assumptions and doubts about an input, as `say_lines` does.

    Args:
        name: What to call the input, its path.
        found: A volume or radiograph.
    """
    said = brief(name, limit=200)
    say_lines(
        notes=[f"{said}: {line}" for line in finding_sentences(found.assumptions)],
        warnings=[f"{said}: {line}" for line in finding_sentences(found.doubts)],
    )


def say_lines(*, notes: Sequence[str] = (), warnings: Sequence[str] = ()) -> None:
    """Print `xraykit: note: ...` for each note and `xraykit: warning: ...` for each warning on stderr."""
    for kind, lines in (("note", notes), ("warning", warnings)):
        for line in lines:
            print(f"xraykit: {kind}: {brief(line, limit=600)}", file=sys.stderr)
