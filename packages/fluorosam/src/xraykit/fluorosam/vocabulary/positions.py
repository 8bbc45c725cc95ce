"""Names by place: "vertebra below L3", "bone lateral to the left tibia", "rib between the fourth and the sixth"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from .levels import ORDINALS, VERTEBRAE
from .neighbours import INVERSE, Relation, neighbours_of
from .spelling import normalise
from .structure import AnatomicalStructure
from .structures import STRUCTURES

# What training may use, and what is held out.
_SAID: Mapping[Relation, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "above": (("above", "directly above"), ("cranial to",)),
    "below": (("below", "directly below"), ("caudal to",)),
    "proximal": (("proximal to", "just proximal to"), ("at the proximal end of",)),
    "distal": (("distal to", "just distal to"), ("at the distal end of",)),
    "medial": (("medial to", "on the inner side of"), ("nearer the midline than",)),
    "lateral": (("lateral to", "on the outer side of"), ("further from the midline than",)),
    "front": (("in front of", "anterior to"), ("ventral to",)),
    "behind": (("behind", "posterior to"), ("dorsal to",)),
    "inside": (("inside", "within"), ("enclosed by",)),
    "around": (("around", "surrounding"), ("enclosing",)),
    "left": (("to the left of",), ("on the left-hand side of",)),
    "right": (("to the right of",), ("on the right-hand side of",)),
}
_BETWEEN = (
    ("sacrum", "the hip bones"),
    ("sternum", "the clavicles"),
    ("heart", "the lungs"),
    ("lung_middle_lobe_right", "the right upper and lower lobes"),
    ("gluteus_medius_left", "the left gluteus maximus and minimus"),
    ("gluteus_medius_right", "the right gluteus maximus and minimus"),
)


@lru_cache(maxsize=1)
def position_texts() -> Mapping[str, tuple[tuple[str, bool], ...]]:
    """By structure: (text, held out) of every name by place that no other structure shares."""
    owners: dict[str, set[str]] = {}
    texts: dict[str, dict[str, bool]] = {}
    for name, text, held_out in _texts():
        owners.setdefault(normalise(text), set()).add(name)
        texts.setdefault(name, {}).setdefault(text, held_out)
    return {
        name: tuple((text, held_out) for text, held_out in found.items() if len(owners[normalise(text)]) == 1)
        for name, found in texts.items()
    }


def _texts() -> Iterator[tuple[str, str, bool]]:
    for name, one in STRUCTURES.items():
        for relation, other in neighbours_of(name):
            usual, held_out = _SAID[INVERSE[relation]]
            for said in (*usual, *held_out):
                for anchor in _anchors(STRUCTURES[other]):
                    yield name, f"{one.noun} {said} {anchor}", said in held_out
    for name, around in _BETWEEN:
        yield name, f"{STRUCTURES[name].noun} between {around}", False
    for above, level, below in zip(VERTEBRAE, VERTEBRAE[1:], VERTEBRAE[2:], strict=False):
        yield f"vertebrae_{level}", f"vertebra between {above} and {below}", False
        yield f"vertebrae_{level}", f"vertebra between {below} and {above}", True
    for side in ("left", "right"):
        for n, (first, last) in enumerate(zip(ORDINALS, ORDINALS[2:], strict=False), start=2):
            yield f"rib_{side}_{n}", f"rib between the {side} {first} and {last} ribs", False
            yield f"rib_{side}_{n}", f"rib between the {first} and {last} ribs on the {side}", False
            yield f"rib_{side}_{n}", f"{side} rib enclosed by the {first} and {last} ribs", True


def _anchors(one: AnatomicalStructure) -> Iterator[str]:
    """How the neighbour is called: briefly, and vertebrae and ribs in words as well."""
    if one.noun == "vertebra":
        yield one.level or one.words[0].text
        if one.level != "S1":
            yield f"the {one.words[3].text}"
    elif one.side in ("left", "right"):
        yield f"the {one.side} {one.words[0].text}"
        yield f"the {one.words[0].text} on the {one.side}"
    else:
        yield f"the {one.words[0].text}"
