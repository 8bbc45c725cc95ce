"""What a prompt can ask for: a structure, a group or a kind of tool, as the set of labels that make it up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from .groups import ANY_TOOL, GROUP_ALIASES, TARGET_GROUPS
from .structures import STRUCTURES, unknown_name
from .tools import TOOLS

TargetKind = Literal["structure", "group", "tool"]


@dataclass(frozen=True)
class PromptTarget:
    """What a prompt asks for.

    Args:
        name: Of a structure, a group or a kind of tool.
        kind: Which of these.
        members: Labels and kinds of tools whose masks together are the answer; "tool" is every tool.
    """

    name: str
    kind: TargetKind
    members: frozenset[str]


@lru_cache(maxsize=1)
def all_targets() -> Mapping[str, PromptTarget]:
    """Every target by name: labels, pairs without side, groups, kinds of tools."""
    structures = {name: PromptTarget(name, "structure", frozenset(one.labels)) for name, one in STRUCTURES.items()}
    groups = {
        name: PromptTarget(name, "tool" if group.members <= {ANY_TOOL, *TOOLS, "screw"} else "group", group.members)
        for name, group in TARGET_GROUPS.items()
    }
    tools = {name: PromptTarget(name, "tool", frozenset({name})) for name in TOOLS}
    return MappingProxyType(structures | groups | tools)


def find_target(name: str) -> PromptTarget:
    """The target of this name; the core's names of groups ("kidneys") are known as well.

    Raises:
        InputError: There is none; the nearest known names are suggested.
    """
    targets = all_targets()
    known = GROUP_ALIASES.get(name, name)
    if known not in targets:
        raise unknown_name("target", name, [*targets, *GROUP_ALIASES])
    return targets[known]
