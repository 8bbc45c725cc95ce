"""What lies next to what: an anatomical graph whose arrows all have their counterpart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

from .levels import VERTEBRAE
from .structures import STRUCTURES, find_structure

Relation = Literal[
    "above", "below", "proximal", "distal", "medial", "lateral", "front", "behind", "inside", "around", "left", "right"
]  # fmt: skip
RELATIONS: tuple[Relation, ...] = get_args(Relation)
INVERSE: Mapping[Relation, Relation] = {
    "above": "below", "below": "above", "proximal": "distal", "distal": "proximal",
    "medial": "lateral", "lateral": "medial", "front": "behind", "behind": "front",
    "inside": "around", "around": "inside", "left": "right", "right": "left",
}  # fmt: skip

# One direction alone: the first is <relation> the second. Pairs stand without side: each side then has the arrow.
_SPINE = ("skull", *(f"vertebrae_{level}" for level in VERTEBRAE), "sacrum")
_ARROWS: tuple[tuple[Relation, str], ...] = (
    ("above", " > ".join(_SPINE)),
    ("above", " > ".join(f"rib_{n}" for n in range(1, 13))),
    ("above", "sinus_frontal > sinus_maxillary > teeth_upper > teeth_lower"),
    ("above", "mandible > hyoid > thyroid_gland"),
    ("above", "lung_upper_lobe_left > lung_lower_lobe_left"),
    ("above", "lung_upper_lobe_right > lung_middle_lobe_right > lung_lower_lobe_right > liver > gallbladder"),
    ("above", "esophagus > stomach"),
    ("above", "adrenal_gland > kidney"),
    ("above", "urinary_bladder > prostate"),
    ("above", "superior_vena_cava > heart"),
    ("above", "aorta > iliac_artery"),
    ("above", "inferior_vena_cava > iliac_vena"),
    ("above", "brachiocephalic_vein > superior_vena_cava"),
    ("above", "heart_atrium_left > heart_ventricle_left"),
    ("above", "heart_atrium_right > heart_ventricle_right"),
    ("proximal", "scapula > humerus > radius > carpal > metacarpal > phalanges_hand"),
    ("proximal", "humerus > ulna > carpal"),
    ("proximal", "hip > femur > tibia > tarsal > metatarsal > phalanges_feet"),
    ("medial", "sternum > clavicula > scapula > humerus"),
    ("medial", "ulna > radius"),
    ("medial", "tibia > fibula"),
    ("medial", "sacrum > hip"),
    ("medial", "sternum > costal_cartilages"),
    ("lateral", "spleen > stomach"),
    ("front", "patella > femur"),
    ("front", "trachea > esophagus"),
    ("front", "stomach > pancreas"),
    ("front", "gluteus_minimus > gluteus_medius > gluteus_maximus"),
    ("front", "iliac_artery > iliac_vena"),
    ("inside", "brain > skull"),
    ("left", "aorta > inferior_vena_cava"),
    ("left", "heart_atrium_left > heart_atrium_right"),
    ("left", "heart_ventricle_left > heart_ventricle_right"),
)


class Neighbour(NamedTuple):
    """`structure` is <relation> the one that was asked about: above it, medial to it, ...; both are names."""

    relation: Relation
    structure: str


def neighbours_of(name: str) -> tuple[Neighbour, ...]:
    """What lies next to a structure, in the order of the table.

    Those of "fibula_left" include ("medial", "tibia_left"); those of the pair "fibula" ("medial", "tibia"). Of a
    neighbour without twin both sides have the arrow, and so has the pair.

    Raises:
        InputError: The name is not known.
    """
    find_structure(name)
    return _graph().get(name, ())


@lru_cache(maxsize=1)
def _graph() -> Mapping[str, tuple[Neighbour, ...]]:
    graph: dict[str, dict[Neighbour, None]] = {}
    for relation, chain in _ARROWS:
        names = chain.split(" > ")
        for first, second in pairwise(names):
            for one, other in _sides(first, second):
                graph.setdefault(other, {})[Neighbour(relation, one)] = None
                graph.setdefault(one, {})[Neighbour(INVERSE[relation], other)] = None
    return {name: tuple(found) for name, found in graph.items()}


def _sides(first: str, second: str) -> Iterator[tuple[str, str]]:
    """The pair without sides, and each side; what has no twin meets both."""
    yield first, second
    if "both" not in (STRUCTURES[first].side, STRUCTURES[second].side):
        return
    left, right = (_labels(name) for name in (first, second))
    for index in (0, 1):
        yield left[index % len(left)], right[index % len(right)]


def _labels(name: str) -> tuple[str, ...]:
    found = STRUCTURES[name]
    return found.labels[:2] if found.side == "both" else (name,)
