"""The file of marked pairs: read, extended by one sample, written whole; nothing in it is lost."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from xraykit.render import FileError, InputError
from xraykit.render.storage import make_folder, read_json_object, write_atomically

from ..data.json_fields import file_name, text

SCHEMA = "xcorr-annotations/1"
LARGEST = 1 << 28  # bytes


def read_pair_file(path: Path) -> dict[str, Any]:
    """What the file holds, or a table without samples where there is none.

    Raises:
        FileError: It is no such file, of another schema, or damaged.
    """
    if not path.exists():
        return {"schema": SCHEMA, "samples": []}
    table = read_json_object(path, what="a file of annotations", most_bytes=LARGEST)
    if table.get("schema") != SCHEMA:
        said = str(table.get("schema"))[:60]
        raise FileError(f"{path} must have the schema {SCHEMA}, got {said}; choose another file with -o.")
    samples = table.get("samples")
    if not isinstance(samples, list) or not all(_is_sample(sample) for sample in samples):
        raise FileError(f"{path} must hold a list of samples with their views, got something else; repair it first.")
    try:
        for number, sample in enumerate(samples):
            for key in ("id", "patient", "split"):
                text(sample.get(key), f"sample {number}, {key}", may_lack=True)
            for view, entry in enumerate(sample["views"]):
                file_name(entry["file"], f"sample {number}, view {view}, file")
    except ValueError as error:
        raise FileError(f"{path}: {error}; repair it first.") from error
    return table


def find_sample(table: dict[str, Any], path: Path, xrays: Sequence[Path]) -> dict[str, Any] | None:
    """The sample of exactly these X-rays, in any order; None where there is none."""
    wanted = sorted(xray.resolve() for xray in xrays)
    for sample in table["samples"]:
        if sorted((path.parent / view["file"]).resolve() for view in sample["views"]) == wanted:
            return sample
    return None


def check_patient(table: dict[str, Any], patient: str, split: str, *, besides: dict[str, Any] | None) -> None:
    """Refuse a patient in two splits.

    Raises:
        InputError: Another sample of the patient is in another split.
    """
    for sample in table["samples"]:
        if sample is not besides and sample.get("patient") == patient and sample.get("split") != split:
            raise InputError(
                f"patient {patient} must be in one split, got {split} and in sample {sample.get('id')} "
                f"{sample.get('split')}; use --split {sample.get('split')}."
            )


def free_id(table: dict[str, Any]) -> str:
    """The first of s001, s002, ... that no sample has."""
    taken = {sample.get("id") for sample in table["samples"]}
    return next(name for n in range(1, len(taken) + 2) if (name := f"s{n:03d}") not in taken)


def relative_file(path: Path, xray: Path) -> str:
    """How the file names an X-ray: from its own folder, with /.

    Raises:
        InputError: There is no way from one to the other.
    """
    try:
        return Path(os.path.relpath(xray.resolve(), path.resolve().parent)).as_posix()
    except ValueError as error:
        raise InputError(f"{path} must lie on the drive of {xray}, which it names by a relative path.") from error


def write_pair_file(path: Path, table: dict[str, Any]) -> None:
    """Write the table whole or not at all, in a folder that is made if need be.

    Raises:
        OutputError: The folder cannot be made or written.
        FileError: The table holds a number that is not finite, which JSON cannot say.
    """
    make_folder(path.absolute().parent)
    try:
        written = json.dumps(table, indent=1, allow_nan=False)
    except ValueError as error:
        raise FileError(f"{path} must hold finite numbers alone, got another in it; repair it first.") from error
    write_atomically(path, lambda file: file.write(f"{written}\n".encode()))


def _is_sample(sample: Any) -> bool:
    views = sample.get("views") if isinstance(sample, dict) else None
    return isinstance(views, list) and all(isinstance(v, dict) and isinstance(v.get("file"), str) for v in views)
