"""What X-rays are called: after their files, so that no two have the same name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path


def xray_names(paths: Sequence[Path]) -> list[str]:
    """A name for each file that every file system takes as well: its stem, then stem_2, stem_3 where that is taken.

    The name of a file does not depend on those after it.
    """
    names: list[str] = []
    for path in paths:
        name = stem = file_stem(path.stem)
        number = 1
        while name in names:
            number += 1
            name = f"{stem}_{number}"
        names.append(name)
    return names


def file_stem(name: str) -> str:
    """A name that every file system takes: letters, digits, dots, _ and - stay, the rest becomes _."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "unnamed"
