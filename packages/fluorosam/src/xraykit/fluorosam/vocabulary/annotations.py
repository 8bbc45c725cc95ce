"""Targets and the annotations of an image: which masks make a target up, what is there, and what surely is not."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from .groups import ANY_TOOL
from .structure import BodyPart
from .structures import STRUCTURES
from .targets import PromptTarget, all_targets
from .tools import TOOLS

_ADJACENT: Mapping[BodyPart, str] = {
    "head": "neck",
    "neck": "head thorax shoulder",
    "thorax": "neck abdomen shoulder upper_arm",
    "abdomen": "thorax pelvis upper_arm forearm",
    "pelvis": "abdomen thigh forearm hand",
    "shoulder": "neck thorax upper_arm",
    "upper arm": "shoulder thorax abdomen forearm",
    "forearm": "upper_arm abdomen pelvis hand",
    "hand": "forearm pelvis thigh",
    "thigh": "pelvis leg hand",
    "leg": "thigh foot",
    "foot": "leg",
}  # arms hang beside the trunk


def tool_kind(name: str, others: Collection[str] = ()) -> str:
    """The kind of a tool from its name in an image: "k_wire_2" and "k-wire 1 left" are "k_wire".

    Args:
        name: As in a data set's record.
        others: Kinds of a tool library, which win.
    """
    plain, without_count = (
        re.sub(r"[\s-]+", "_", part) for part in (name.strip(), re.sub(r"_\d{1,3}$", "", name.strip()))
    )
    for known in (name, plain, without_count):
        if known in others:
            return known
    fits = [kind for kind in TOOLS if plain.lower() == kind or plain.lower().startswith(f"{kind}_")]
    return max(fits, key=len) if fits else without_count


def annotations_of(target: PromptTarget, names: Sequence[str], kinds: Sequence[str] = ()) -> tuple[int, ...]:
    """Which annotations of an image make up a target; their masks' union is the answer. Empty: it is not there.

    Args:
        target: What is asked for.
        names: Of the annotations (`XraySample.names`).
        kinds: "organ" or "tool" for each (`XraySample.kinds`); none given: all are organs.
    """
    found = []
    for index, name in enumerate(names):
        if index < len(kinds) and kinds[index] == "tool":
            belongs = ANY_TOOL in target.members or tool_kind(name, target.members) in target.members
        else:
            belongs = name in target.members or (name == target.name and target.kind != "tool")
        if belongs:
            found.append(index)
    return tuple(found)


def present_targets(names: Sequence[str], kinds: Sequence[str] = ()) -> dict[str, tuple[int, ...]]:
    """Every target that an image shows, and the annotations that make it up."""
    found: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        is_tool = index < len(kinds) and kinds[index] == "tool"
        labels = (tool_kind(name), ANY_TOOL) if is_tool else (name,)
        for target in dict.fromkeys(target for label in labels for target in _owners(is_tool).get(label, ())):
            found.setdefault(target, []).append(index)
    return {name: tuple(found[name]) for name in all_targets() if name in found}


@lru_cache(maxsize=2)
def _owners(is_tool: bool) -> Mapping[str, tuple[str, ...]]:
    """The targets that a label, or a kind of tool, belongs to."""
    owners: dict[str, list[str]] = {}
    for name, target in all_targets().items():
        if target.kind == "tool" or not is_tool:
            for label in target.members if target.kind == "tool" else target.members | {name}:
                owners.setdefault(label, []).append(name)
    return {label: tuple(found) for label, found in owners.items()}


def absent_targets(names: Sequence[str], kinds: Sequence[str] = ()) -> tuple[str, ...]:
    """The targets that an image surely does not show, for prompts whose answer is "not visible".

    A label that is not there may be in the picture all the same: a label map of the trunk alone has no name for the
    arms. So a structure counts as absent if its twin, another rib or another vertebra was labelled, or if it lies in a
    part of the body that neither is seen nor touches one that is. Groups need all members absent; tools are all
    labelled. The image must have been annotated with all labels that its patient has (`labels: all` of a data set).
    """
    organs = [name for n, name in enumerate(names) if n >= len(kinds) or kinds[n] != "tool"]
    seen = [STRUCTURES[name] for name in organs if name in STRUCTURES]
    present = present_targets(names, kinds)
    if not seen:
        return ()
    families = {one.family for one in seen if one.side != "both"}
    near = {part.replace("_", " ") for one in seen for part in _ADJACENT[one.body_part].split()}
    near.update(one.body_part for one in seen)

    def is_absent(name: str) -> bool:
        one = STRUCTURES.get(name)
        return one is not None and name not in organs and (one.family in families or one.body_part not in near)

    absent = []
    for name, target in all_targets().items():
        if name in present:
            continue
        if target.kind == "tool" or all(is_absent(member) for member in target.members if _is_label(member, target)):
            absent.append(name)
    return tuple(absent)


def _is_label(member: str, target: PromptTarget) -> bool:
    """Whether a member is a label by itself; the unsided member of a pair says nothing that its sides do not."""
    return STRUCTURES[member].side != "both" or len(target.members) == 1
