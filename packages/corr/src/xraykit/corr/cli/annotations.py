"""`xraykit corr annotations`: check a file of marked points, or make one from a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

app = App(name="annotations", help="Check a file of marked points, or make one from a table.")
MOST_GRID = 128


@app.command
def check(file: Path, *, grid: int = 16, skip_images: bool = False) -> None:
    """Say what is wrong or doubtful in an annotation file.

    Exit status 2 where something makes the file unusable. Looks at every image
    for its size, at points against their images, at patients against splits,
    and at points that contradict each other within a pair of patches.

    Args:
        file: Annotations ("schema": "xcorr-annotations/1").
        grid: Patches a side of the network that will learn from them.
        skip_images: Do not open the images.
    """
    from xraykit.render import InputError

    from ..data.annotation_check import check_annotations
    from ..data.annotations import read_annotations
    from ..data.xray_size import xray_size

    if not 1 <= grid <= MOST_GRID:
        raise InputError(f"--grid must be 1 to {MOST_GRID} patches a side, got {grid}; take that of the network.")
    found = check_annotations(read_annotations(file), grid=grid, size_of=None if skip_images else xray_size)
    for split, counts in found.counts.items():
        print(f"{split}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    for sentence in found.doubts:
        print(f"doubt: {sentence}")
    for sentence in found.errors:
        print(f"error: {sentence}")
    if not found.is_sound:
        raise InputError(f"{file} must be mended before it can be learned from, got {len(found.errors)} errors.")
    print("sound" if not found.doubts else "usable")


@app.command(name="import")
def import_table(file: Path, *, output: Annotated[Path, Parameter(alias="-o")]) -> None:
    """Make an annotation file from a CSV table with a row for each pair of points.

    Columns: image_a, image_b (files, from the table's folder), x_a, y_a, x_b,
    y_b (pixels of the originals, from the top left corner), y (1: both show the
    same; 0: they do not). Optional: sample, patient, split, radius, name,
    neg_source, label, projection_a, projection_b. Separated by , ; or tabs.

    Args:
        file: The table.
        output: The annotation file to write.
    """
    from xraykit.render import InputError

    from ..data.annotation_table import annotations_from_table
    from ..data.annotations import write_annotations
    from ..data.xray_size import xray_size

    if output.resolve() == file.resolve():
        raise InputError(f"--output must be another file than the table, got {output} for both; change its name.")
    annotations = annotations_from_table(file, xray_size)
    write_annotations(annotations, output)
    points = sum(len(pair.points) for sample in annotations.samples for pair in sample.pairs)
    print(f"wrote {output}: {len(annotations.samples)} samples, {points} points")
