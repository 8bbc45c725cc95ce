"""The images of a user's own table for a probe: path, patient, label and, for masks, the file of each."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from xraykit.render import FileError
from xraykit.render.storage import text_of

from ..data import PreprocessSettings, find_xrays
from .job_images import prepared
from .probe_set import ProbeImage, ProbeSet, digest_of_files, images_of_files, spread

COLUMNS = ("path", "patient", "label", "mask", "polarity")


@dataclass(frozen=True)
class TableEntry:
    """A row of the table.

    Args:
        path: The X-ray, as written.
        patient: Whose it is.
        label: The class, "" where there is none.
        mask: An image file of the same size, not 0 where the object is; "" is none.
        polarity: What pixel values mean, as for `find_xrays`; "" follows the file.
    """

    path: str
    patient: str
    label: str = ""
    mask: str = ""
    polarity: str = ""


def images_of_table(
    table: str | Path, settings: PreprocessSettings, *, masks: bool = False, limit: int | None = None
) -> ProbeSet:
    """The X-rays of a CSV file with the columns path, patient, label or mask, if it likes polarity, and any others.

    Paths count from the folder of the table. Each X-ray is read as `find_xrays` reads it; of a cine the middle frame.

    Args:
        table: The CSV file.
        settings: The backbone's preprocessing.
        masks: Whether each row must have a mask; else each must have a label.
        limit: At most so many, evenly from all.

    Raises:
        FileError: The table cannot be read, a missing column or an empty cell, or no file that can be opened; when the
            images are gone through, an X-ray or a mask that cannot be read, or a mask of another size than its X-ray.
    """
    table = Path(table)
    entries = read_table_entries(table, needs="mask" if masks else "label")
    entries = [entries[n] for n in spread(len(entries), limit)]
    files = [table.parent / name for one in entries for name in ((one.path, one.mask) if masks else (one.path,))]

    def read(entry: TableEntry) -> ProbeImage:
        frame = find_xrays(
            [table.parent / entry.path],
            frames="middle",
            polarity=entry.polarity or None,  # type: ignore[arg-type]
            field=settings.field == "exposed",
        )[0]
        image, mapping = prepared(frame.intensity, settings, frame.field)
        mask = None
        if masks:
            mask = mapping.masks_to_input(read_mask(table.parent / entry.mask, tuple(frame.intensity.shape[-2:])))
        return ProbeImage(entry.path, entry.patient, image, entry.label, mask)

    return images_of_files(
        entries,
        read,
        name=lambda entry: entry.path,
        case=lambda entry: (entry.patient, entry.label),
        identity=digest_of_files((masks, settings, entries), files),
    )


def read_table_entries(table: Path, *, needs: str) -> list[TableEntry]:
    """The rows of the table, each with a path, a patient and what else is needed.

    Raises:
        FileError: It cannot be read, a column is missing, or a cell is empty; it says in which row.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(text_of(table.read_bytes()), newline=""), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise FileError(f"{table} must be a CSV file in UTF-8, got {error}.") from error
    wanted = ("path", "patient", needs)
    missing = [name for name in wanted if not rows or name not in rows[0]]
    if missing:
        raise FileError(
            f"{table} must have rows with the columns {', '.join(wanted)}, got none of {', '.join(missing)}."
        )
    entries = []
    for number, row in enumerate(rows, 1):
        cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
        if empty := [name for name in wanted if not cells[name]]:
            raise FileError(f"{table} row {number} must have a {empty[0]}, got an empty cell; fill it or drop the row.")
        entries.append(TableEntry(**cells))
    return entries


def read_mask(path: Path, size: tuple[int, ...]) -> Tensor:
    """The mask in an image file, (H, W) bool, True where any channel is not 0.

    Raises:
        FileError: It cannot be read, or has another size.
    """
    try:
        with Image.open(path) as image:
            values = np.asarray(image)
    except (OSError, UnidentifiedImageError) as error:
        raise FileError(f"{path} must be an image file of a mask, got {error}.") from error
    mask = torch.from_numpy(np.atleast_3d(values)[..., :3].any(-1))
    if tuple(mask.shape) != size:
        came, wanted = (" x ".join(map(str, one)) for one in (mask.shape, size))
        raise FileError(f"{path} must be as large as its X-ray, {wanted} pixels, got {came}.")
    return mask
