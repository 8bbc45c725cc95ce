"""Labels in any form that people have: a label map, a folder of masks, 3D Slicer's segmentations, DICOM SEG.

Each form is a list of layers; `read_labels` lays them onto the CT and says what merged, was padded, cut or rounded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import FileError
from ..storage.brief import brief
from ..storage.declared_grid import DeclaredGrid
from ..storage.dicom_header import is_dicom
from ..storage.grid_files import grid_suffix
from ..storage.named_place import kind_at
from ..storage.nrrd import read_nrrd_layers, segments
from ..storage.nrrd_header import read_nrrd_header
from ..storage.provenance import ASSUMED, DOUBT, Found, Origin, Provenance
from .label_grid import MAX_LABEL, Labels, as_labels, onto_grid
from .volumes import VOLUME_SUFFIXES, declared_grid

_NRRD = (".nrrd", ".nhdr")


@dataclass(frozen=True)
class LabelLayer:
    """Labels that do not overlap: one label map, or one mask.

    Args:
        grid: Where it lies.
        label: What every voxel but 0 becomes; None keeps the values.
        values: Stored value to label; None keeps the values.
    """

    grid: DeclaredGrid
    label: int | None = None
    values: Mapping[int, int] | None = None


@dataclass(frozen=True)
class LabelMap:
    """Labels on the grid of their volume.

    Args:
        voxels: One label each, [k, j, i], uint8 or int16, 0 where there is none.
        names: Names of the labels, as the files have them.
        provenance: What was merged, padded, cut or rounded on the way.
    """

    voxels: Labels
    names: Mapping[int, str] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=dict)


def read_labels(path: str | Path, volume: DeclaredGrid, *, numbers: Mapping[str, int] | None = None) -> LabelMap:
    """The labels in a file or folder, on the voxels of a volume.

    Read are: a label map in any type of volume file or a DICOM series, or alone in a folder; a folder of masks, one
    file for each structure (TotalSegmentator's usual output), named after the files; .seg.nrrd with segments in one or
    several layers, cropped or not; DICOM SEG, binary, fractional (from one half) or a label map. Where structures
    overlap, the later one wins.

    Args:
        path: The file or folder.
        volume: Where its labels shall lie.
        numbers: The label of a name, for masks that have no numbers of their own; None counts from 1.

    Raises:
        FileError: A file is missing or damaged, its voxels are not voxels of the volume, or no whole numbers; one of
            several masks holds several labels.
    """
    path = Path(path)
    layers, names = _layers(path, volume, numbers or {})
    placed = [onto_grid(layer.grid, volume) for layer in layers]  # a wrong grid is refused before voxels are read
    found: Found = {}
    merged: Labels | None = None
    overlap = lost = 0
    for layer, place in zip(layers, placed, strict=True):
        labels, is_rounded = as_labels(layer.grid, layer.grid.read())
        if layer.label is not None and (values := _several_values(labels)):
            if len(layers) > 1:
                raise FileError(
                    f"{path} must hold masks of one value each, {layer.grid.path.name} holds {len(values)} labels "
                    f"({brief(values, limit=40)}); name that file alone, or take it away."
                )
            layer, names = LabelLayer(layer.grid), layer.grid.label_names
        labels, outside = place(_renumbered(labels, layer))
        lost += outside
        if is_rounded:
            found["labels rounded"] = Origin(layer.grid.path.name, "values", "almost whole numbers were rounded")
        if merged is None:
            merged = labels
            continue
        merged, twice = _on_top(merged, labels)
        overlap += twice
    if merged is None:
        raise FileError(f"{path} must hold labels, it holds none.")
    for layer in layers[:1]:
        found |= {f"labels {name}": origin for name, origin in layer.grid.provenance.items()
                  if origin.is_assumed or origin.is_doubt}  # fmt: skip
    if any(sorted(layer.grid.size) != sorted(volume.size) for layer in layers):
        note = "their voxels lie on the CT's, its other voxels have no label"
        found["labels padded"] = Origin(" x ".join(map(str, layers[0].grid.size)), ASSUMED, note)
    if overlap:
        note = "voxels belong to several structures; the later structure has them"
        found["labels overlap"] = Origin(overlap, DOUBT, note)
    if lost:
        found["labels outside"] = Origin(lost, DOUBT, "labelled voxels lie outside the CT and are left out")
    if not merged.any():
        found["labels empty"] = Origin(0, DOUBT, "no voxel has a label")
    return LabelMap(merged, names, found)


def _layers(path: Path, volume: DeclaredGrid, numbers: Mapping[str, int]) -> tuple[list[LabelLayer], Mapping[int, str]]:
    kind = kind_at(path)
    if kind is None:
        raise FileError(f"{path} must be labels in a file or folder, there is nothing by that name.")
    if kind == "folder":
        inside = (file for file in path.iterdir() if not file.name.startswith("."))
        masks = sorted(file for file in inside if grid_suffix(file) in VOLUME_SUFFIXES and file.is_file())
        if masks:
            return _masks(masks, numbers)
    elif grid_suffix(path) in _NRRD:
        return _slicer_segments(path)
    if kind == "file" and not is_dicom(path):
        grid = declared_grid(path)
        return [LabelLayer(grid)], grid.label_names
    from .seg_labels import find_segmentation, segmentation_layers  # with pydicom, which other files can do without

    segmentation = find_segmentation(path)
    if segmentation is not None:
        found, names = segmentation_layers(segmentation, volume)
        return [LabelLayer(grid, label=number) for grid, number in found], names
    grid = declared_grid(path)
    return [LabelLayer(grid)], grid.label_names


def _masks(files: Sequence[Path], numbers: Mapping[str, int]) -> tuple[list[LabelLayer], Mapping[int, str]]:
    stems = [file.name[: -len(grid_suffix(file))] for file in files]
    known = all(stem in numbers for stem in stems)
    labels = [numbers[stem] if known else n for n, stem in enumerate(stems, start=1)]
    if len(labels) > MAX_LABEL:
        raise FileError(f"{files[0].parent} must hold at most {MAX_LABEL} masks, it holds {len(labels)}.")
    layers = [LabelLayer(declared_grid(file), label=label) for file, label in zip(files, labels, strict=True)]
    return layers, dict(zip(labels, stems, strict=True))


def _several_values(labels: Labels) -> list[int]:
    """The labels of what is no mask, since it holds several; [] of a mask, whatever its one value."""
    top = int(labels.max())
    if top <= 1 or not ((labels != 0) & (labels != top)).any():
        return []
    return [int(value) for value in np.unique(labels) if value]


def _slicer_segments(path: Path) -> tuple[list[LabelLayer], Mapping[int, str]]:
    """The layers of a .seg.nrrd; labels are counted anew where two segments of different layers share a value."""
    header = read_nrrd_header(path)
    if len(header.sizes) == 3:
        grid = declared_grid(path)
        return [LabelLayer(grid)], grid.label_names
    grids, stored = read_nrrd_layers(header), segments(header.keys)
    if any(segment.layer >= len(grids) for segment in stored):
        raise FileError(f"{path} must hold the layers that its segments name, it holds {len(grids)}; save it again.")
    if not stored:
        return [LabelLayer(grid, label=n) for n, grid in enumerate(grids, start=1)], {}
    values = [segment.value for segment in stored]
    if max(values) > MAX_LABEL:
        raise FileError(f"{path} must number its segments up to {MAX_LABEL}, it has {max(values)}; save it again.")
    anew = len(set(values)) < len(values)
    labels = {segment: n if anew else segment.value for n, segment in enumerate(stored, start=1)}
    layers = [
        LabelLayer(grid, values={s.value: label for s, label in labels.items() if s.layer == n})
        for n, grid in enumerate(grids)
    ]
    return layers, {label: segment.name for segment, label in labels.items()}


def _renumbered(labels: Labels, layer: LabelLayer) -> Labels:
    top = layer.label or max([*(layer.values or {}).values(), 0])
    kind = np.uint8 if top <= 255 else np.int16
    if layer.label is not None:
        return np.where(labels > 0, layer.label, 0).astype(kind)
    if layer.values is None:
        return labels
    table = np.zeros(max([int(labels.max()), *layer.values]) + 1, kind)
    table[list(layer.values)] = list(layer.values.values())
    return table[labels]


def _on_top(below: Labels, above: Labels) -> tuple[Labels, int]:
    """Labels with later ones laid over them, and how many voxels had another label before."""
    kind = np.promote_types(below.dtype, above.dtype)
    covered = above > 0
    twice = int(np.count_nonzero(covered & (below > 0) & (below != above)))
    below = below.astype(kind, copy=False)
    np.copyto(below, above, where=covered, casting="unsafe")
    return below, twice
