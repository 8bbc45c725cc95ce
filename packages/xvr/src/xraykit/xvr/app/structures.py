"""What of the CT is rendered and registered: all of it, or the bodies under some labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xraykit.render import InputError, Volume

from ..refine.structure import NamedStructures, Structure, structure_of
from ..refine.surroundings import structures_among

WHOLE = "whole CT"
OFFERED = (
    *("bones", "skull", "spine", "vertebrae_cervical", "vertebrae_thoracic", "vertebrae_lumbar", "rib_cage"),
    *("ribs_left", "ribs_right", "pelvis", "hips", "femora", "scapulae", "humeri", "lungs"),
)
"""Groups of `find_labels` to tick as one, where the CT has any of their labels."""


@dataclass(frozen=True, eq=False)
class ShownStructure:
    """A rigid structure of the CT as the page shows and registers it.

    Args:
        names: The labels or groups it is made of; empty is the whole CT.
        rigid: Its attenuation, zero elsewhere, prepared for registration.
        shown: The same in the storage that renders fastest.
        isocenter: What sliders are seen from, (3,) world RAS [mm]: the middle of the CT, or of the structure's box.
    """

    names: tuple[str, ...]
    rigid: Structure
    shown: Volume
    isocenter: Tensor

    @property
    def title(self) -> str:
        """What results call it."""
        return " + ".join(self.names) or WHOLE


def structure(volume: Volume, names: Sequence[str] = ()) -> ShownStructure:
    """The whole CT, or the union of labels and groups by name.

    Raises:
        InputError: There are no labels, no such label, or no attenuation under it.
    """
    values = sorted({value for name in names for value in volume.find_labels(name)})
    rigid = Structure.of(structure_of(volume, values) if names else volume)
    body = rigid.volume
    quick = body.device.type == "cpu" and body.mu.dtype == torch.float32 and float(body.mu.min()) >= 0
    shown = body.stored_as(torch.int16) if quick else body
    return ShownStructure(tuple(names), rigid, shown, body.center if names else volume.center)


def registered(volume: Volume, chosen: ShownStructure) -> NamedStructures:
    """What is registered where a structure is shown: it, among the rest of the CT, as the command does."""
    if not chosen.names:
        return NamedStructures({chosen.title: chosen.rigid}, chosen.isocenter)
    values = sorted({value for name in chosen.names for value in volume.find_labels(name)})
    return structures_among(volume, {chosen.title: values}, chosen.isocenter)


def offered_structures(volume: Volume) -> dict[str, list[str]]:
    """The names that a page can offer: "groups" that match more than one label, and "labels" that some voxel has."""
    if volume.labels is None:
        return {"groups": [], "labels": []}
    present = {int(value) for value in torch.unique(volume.labels)} - {0}
    names = {value: name for value, name in volume.label_names.items() if value in present}
    found = Volume(volume.mu[:1, :1, :1], volume.affine, label_names=names)
    groups = [name for name in OFFERED if name not in names.values() and len(_matches(found, name)) > 1]
    return {"groups": groups, "labels": sorted(names.values())}


def _matches(volume: Volume, name: str) -> tuple[int, ...]:
    try:
        return volume.find_labels(name)
    except InputError:
        return ()
