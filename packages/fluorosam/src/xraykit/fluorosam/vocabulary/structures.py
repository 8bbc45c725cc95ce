"""Every structure by name: labels of TotalSegmentator, of its further tasks and of procedural patients, and pairs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from xraykit.render import InputError

from .bone_rows import BONES
from .levels import rib_rows, vertebra_rows
from .organ_rows import ORGANS
from .structure import AnatomicalStructure, BodySide
from .structure_row import StructureRow


def _sided_name(base: str, side: BodySide) -> str:
    if base.startswith("rib_"):
        return f"rib_{side}_{base.removeprefix('rib_')}"
    return f"{base}_{side}"


def _structures() -> Iterator[AnatomicalStructure]:
    rows = [("", row) for row in (*BONES, *ORGANS)]
    for level, row in (*rows, *vertebra_rows(), *rib_rows()):
        yield from _of_row(row, level)


def _of_row(row: StructureRow, level: str) -> Iterator[AnatomicalStructure]:
    facts = (row.words, row.gloss, level)
    if not row.sided:
        yield AnatomicalStructure(row.base, row.base, row.noun, row.body_part, "", *facts, labels=(row.base,))
        return
    names: list[str] = []
    for side in ("left", "right"):
        names.append(_sided_name(row.base, side))
        yield AnatomicalStructure(names[-1], row.base, row.noun, row.body_part, side, *facts, labels=(names[-1],))
    labels = (*names, row.base)
    yield AnatomicalStructure(row.base, row.base, row.noun, row.body_part, "both", *facts, labels=labels)


STRUCTURES: Mapping[str, AnatomicalStructure] = MappingProxyType({one.name: one for one in _structures()})
"""Structures by name: 101 without twin or by side of TotalSegmentator's tables, and each pair without side."""


def find_structure(name: str) -> AnatomicalStructure:
    """The structure of this name.

    Raises:
        InputError: There is none; the nearest known names are suggested.
    """
    if name not in STRUCTURES:
        raise unknown_name("structure", name, STRUCTURES)
    return STRUCTURES[name]


def label_structures() -> tuple[AnatomicalStructure, ...]:
    """Those that are labels by themselves: without pairs."""
    return tuple(one for one in STRUCTURES.values() if one.side != "both")


def mirrored_name(name: str) -> str:
    """The name with left and right exchanged; "femur_left" is "femur_right", "liver" stays."""
    exchange = {"left": "right", "right": "left"}
    return "_".join(exchange.get(word, word) for word in name.split("_"))


def unknown_name(what: str, name: object, known: Iterable[str]) -> InputError:
    """The error of a name that is not known, with the nearest ones that are."""
    names = list(known)
    near = difflib.get_close_matches(str(name).lower().replace(" ", "_"), names, n=3, cutoff=0.5) or names[:3]
    return InputError(f"{what} must be a known name, got {str(name)[:80]!r}; the nearest are {', '.join(near)}.")
