"""Which targets are easily taken for one another: the other side, the pair, the next level, a group and its members."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from ..vocabulary.levels import VERTEBRAE
from ..vocabulary.structures import STRUCTURES, mirrored_name
from ..vocabulary.targets import all_targets


@lru_cache(maxsize=1)
def related_targets() -> Mapping[str, tuple[str, ...]]:
    """By target, those that differ from it by a word.

    They are its mirror image, its pair or the pair's sides, vertebrae and ribs one or two levels away, groups that hold
    it, and members that it has. The relation goes both ways; tools are related to the groups of tools.
    """
    names = tuple(all_targets())
    return MappingProxyType({name: tuple(other for other in names if _are_related(name, other)) for name in names})


def opposite_side(name: str) -> str | None:
    """The target of the other side; None where there is none."""
    other = mirrored_name(name)
    return other if other != name and other in all_targets() else None


def _are_related(one: str, other: str) -> bool:
    if one == other:
        return False
    if mirrored_name(one) == other:
        return True
    first, second = all_targets()[one].members, all_targets()[other].members
    if first < second or second < first:
        return True
    return _level_distance(one, other) in (1, 2)


def _level_distance(one: str, other: str) -> int:
    """Levels between two vertebrae, or two ribs whose sides do not contradict each other; 0 for all else."""
    first, second = STRUCTURES.get(one), STRUCTURES.get(other)
    if first is None or second is None or not first.level or not second.level:
        return 0
    if first.noun == second.noun == "rib":
        return abs(int(first.level) - int(second.level)) if first.side == second.side else 0
    if first.noun == second.noun == "vertebra" and {first.level, second.level} <= set(VERTEBRAE):
        return abs(VERTEBRAE.index(first.level) - VERTEBRAE.index(second.level))
    return 0
