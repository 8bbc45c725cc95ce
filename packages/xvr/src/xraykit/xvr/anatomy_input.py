"""What is registered, from files: structures of one CT, or bones with a CT of their own each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xraykit.render import InputError, Volume
from xraykit.render.files import VOLUME_SUFFIXES
from xraykit.render.storage import finding_sentences

from .procedure import WHOLE
from .procedure_settings import StructureSettings
from .refine.structure import NamedStructures, Structure
from .refine.surroundings import structures_among


@dataclass(frozen=True, eq=False)
class RegisteredAnatomy:
    """What was read.

    Args:
        volume: The CT; the first bone's, where each has its own.
        structures: What gets a pose of its own.
        notes: What was assumed of the files, one sentence each.
        doubts: What is doubtful about them, one sentence each.
    """

    volume: Volume
    structures: NamedStructures
    notes: tuple[str, ...]
    doubts: tuple[str, ...]


def read_anatomy(ct: Path, settings: StructureSettings) -> RegisteredAnatomy:
    """The structures of a CT that the settings name, or the bones, whose files are named instead of the CT.

    A bone is called what its file is; of two of one name the later ones get a number. The world of each is its CT's.

    Raises:
        FileError: A file that cannot be read.
        InputError: A label that does not exist, or a bone's CT in which nothing attenuates.
    """
    if settings.bone:
        return _bones(settings)
    volume = Volume.from_file(ct, **settings.reading)
    return RegisteredAnatomy(volume, named_structures(volume, settings.structures), *_said("CT", volume))


def check_bones(settings: StructureSettings, first: Path, *, xrays: int, joint: bool) -> None:
    """What can be refused before anything is read.

    Args:
        settings: With bones.
        first: The first file named, which is to be an X-ray.
        xrays: How many there are.
        joint: Whether they are views of one moment.

    Raises:
        InputError: Labels beside bones, a CT beside them, or several X-rays that are not of one moment.
    """
    if first.name.lower().endswith(VOLUME_SUFFIXES):
        raise InputError(f"with --bone every file named is an X-ray, got {first} before them; leave it out.")
    if settings.labels is not None or settings.structures is not None:
        raise InputError("--labels and --structures belong to one CT, got them with --bone; leave them out.")
    if xrays > 1 and not joint:
        raise InputError(
            f"--bone finds bones in the X-rays of one moment, got {xrays} X-rays; add --joint, or register each alone."
        )


def named_structures(volume: Volume, text: str | None) -> NamedStructures:
    """The rigid structures that "a,b;c" asks for; the whole volume, about its middle, where nothing is asked.

    Raises:
        InputError: There is no label map, or a label does not exist.
    """
    if text is None:
        return NamedStructures({WHOLE: Structure.of(volume)}, volume.center)
    if volume.labels is None:
        raise InputError("--structures needs a label map, got none; add --labels SEG.")
    found = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        names = [name.strip() for name in part.split(",") if name.strip()]
        found[",".join(names)] = [label for name in names for label in _labels_of(volume, name)]
    if not found:
        raise InputError(f"--structures must name labels, got {text!r}; leave it out for the whole CT.")
    return structures_among(volume, found)


def bone_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """What bones are called: their files' names up to the first dot, with a number where that is taken."""
    names: list[str] = []
    for path in paths:
        stem = path.name.split(".")[0] or path.name
        names.append(stem if stem not in names else f"{stem}_{len(names) + 1}")
    return tuple(names)


def _bones(settings: StructureSettings) -> RegisteredAnatomy:
    volumes = {
        name: Volume.from_file(path, **settings.reading)
        for name, path in zip(bone_names(settings.bone), settings.bone, strict=True)
    }
    said = [_said(name, volume) for name, volume in volumes.items()]
    bodies = {name: Structure.of(volume) for name, volume in volumes.items()}
    notes, doubts = (tuple(line for lines in kind for line in lines) for kind in zip(*said, strict=True))
    return RegisteredAnatomy(next(iter(volumes.values())), NamedStructures(bodies), notes, doubts)


def _said(name: str, volume: Volume) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was assumed of a CT, and what is doubtful about it."""
    notes, doubts = (finding_sentences(found) for found in (volume.assumptions, volume.doubts))
    return tuple(f"{name}, {line}" for line in notes), tuple(f"{name}, {line}" for line in doubts)


def _labels_of(volume: Volume, name: str) -> tuple[int, ...]:
    return (int(name),) if name.isdigit() else volume.find_labels(name)
