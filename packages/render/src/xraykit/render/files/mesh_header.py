"""What a mesh file says about itself besides its numbers: the patient's axes, and the unit."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import FileError

MESH_UNITS = {
    "mm": 1.0, "millimeter": 1.0, "millimetre": 1.0, "cm": 10.0, "centimeter": 10.0, "centimetre": 10.0,
    "m": 1000.0, "meter": 1000.0, "metre": 1000.0, "in": 25.4, "inch": 25.4, "um": 1e-3, "micron": 1e-3,
}  # fmt: skip
"""mm per unit, by the name in a header; one entry for each spelling, plurals are known."""
_SPACE = re.compile(r"\bspace\s*[=:]\s*(lps|ras)\b", re.IGNORECASE)
_UNIT = re.compile(r"\b(?:file\s+)?units?\s*[=:]\s*([a-z]+)\b", re.IGNORECASE)


def stated_space(path: Path, said: str) -> str | None:
    """LPS or RAS where header or comments say SPACE=LPS, as 3D Slicer writes it; None where they do not.

    Raises:
        FileError: They say both.
    """
    return _only(path, {found.upper() for found in _SPACE.findall(said)}, "SPACE")


def stated_unit(path: Path, said: str) -> str | None:
    """The unit that header or comments name, a key of `MESH_UNITS`; None where they name none that is known.

    Raises:
        FileError: They name several.
    """
    names = (found.lower() for found in _UNIT.findall(said))
    singular = (re.sub(r"(?<=inch)es$|(?<=[a-z]{4})s$", "", name) for name in names)
    return _only(path, {name for name in singular if name in MESH_UNITS}, "a unit")


def _only(path: Path, found: set[str], what: str) -> str | None:
    if len(found) > 1:
        raise FileError(f"{path} must state {what} once, got {' and '.join(sorted(found))}; save it again.")
    return next(iter(found), None)
