"""Study manifests: a CSV table with a row for each X-ray, which any data set can be written as."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from xraykit.render import FileError, InputError
from xraykit.render.storage import kind_at, text_of, write_atomically

from ..data.json_fields import shown
from .study import LabelledStudy, StudyImage

NEEDED = ("study_id", "patient_id", "split", "label", "view_idx", "path")
OPTIONAL = ("projection",)
MOST_LISTED = 5  # names in a sentence
MOST_DIGITS = 9  # of a whole number


def read_studies(
    path: str | Path, *, min_images: int = 1, skip_short: bool = False, check_files: bool = True
) -> tuple[LabelledStudy, ...]:
    """The studies of a manifest, in the order of its rows.

    Args:
        path: A CSV table with the columns study_id, patient_id, split, label (0 or 1), view_idx (from 0), path (from
            the table's folder) and, if there is one, projection; others are left alone. Rows whose file begins with
            "._", which some systems leave beside each file, are left out.
        min_images: Fewest X-rays of a study.
        skip_short: Leave studies with fewer out, else refuse them.
        check_files: Make sure that each file is there.

    Raises:
        FileError: No such table, a value that is none, a file that is missing, or studies that `check_studies` refuses.
    """
    path = Path(path)
    entries: dict[str, list[tuple[tuple[str, str, int], StudyImage]]] = {}
    for number, row in _rows(path):
        if Path(row["path"]).name.startswith("._"):
            continue
        try:
            about = row["patient_id"], row["split"], _whole(row["label"], "label", "0 or 1", (0, 1))
            view = _whole(row["view_idx"], "view_idx", "a whole number from 0 up")
        except ValueError as error:
            raise FileError(f"{path}, line {number}: {error}.") from error
        empty = next((name for name in NEEDED if not row[name]), None)
        if empty:
            raise FileError(f"{path}, line {number}: {empty} must not be empty.")
        image = StudyImage(path.parent / row["path"], view, row.get("projection", ""))
        entries.setdefault(row["study_id"], []).append((about, image))
    try:
        studies = tuple(_study(name, rows) for name, rows in entries.items())
        if skip_short:
            studies = tuple(study for study in studies if len(study.images) >= min_images)
        check_studies(studies, min_images=min_images)
    except InputError as error:
        raise FileError(f"{path}: {error}") from error
    if check_files:
        _check_files(path, studies)
    return studies


def write_studies(studies: Sequence[LabelledStudy], path: str | Path) -> Path:
    """Write a manifest, whole or not at all; paths are written from its folder where they lie below it.

    Raises:
        InputError: Studies that `check_studies` refuses.
        OutputError: The file cannot be written.
    """
    path = Path(path)
    check_studies(studies)
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([*NEEDED, *OPTIONAL])
    folder = path.absolute().parent
    for study in studies:
        for image in study.images:
            place = Path(os.path.relpath(image.path.absolute(), folder)).as_posix()
            about = (study.name, study.patient, study.split, study.label)
            writer.writerow([*about, image.view, place, image.projection])
    return write_atomically(path, lambda file: file.write(table.getvalue().encode()))


def check_studies(studies: Sequence[LabelledStudy], *, min_images: int = 1) -> None:
    """Make sure that studies can be learned from.

    Raises:
        InputError: None at all, a name twice, a label other than 0 and 1, two X-rays with one number, a patient in two
            splits, or studies with fewer X-rays than asked for.
    """
    if not studies:
        raise InputError(f"there must be studies with {min_images} or more X-rays, got none.")
    splits: dict[str, str] = {}
    names: set[str] = set()
    for study in studies:
        if study.name in names:
            raise InputError(f"a study must be listed once, got {study.name} twice.")
        names.add(study.name)
        if study.label not in (0, 1):
            raise InputError(f"a label must be 0 or 1, got {study.label!r} for {study.name}.")
        if len({image.view for image in study.images}) < len(study.images):
            raise InputError(f"the X-rays of a study must have numbers of their own, got one twice in {study.name}.")
        before = splits.setdefault(study.patient, study.split)
        if before != study.split:
            raise InputError(
                f"a patient must be in one split, got {study.patient} in {before} and in {study.split}; what is "
                "learned from a patient must not be tested on it."
            )
    short = [study.name for study in studies if len(study.images) < min_images]
    if short:
        raise InputError(
            f"a study must have {min_images} or more X-rays, got fewer in {listed(short)}; skip these studies "
            "(--skip-short), or ask for fewer (--min-images)."
        )


def check_trainable(studies: Sequence[LabelledStudy], *, splits: Collection[str] = ("train", "val", "test")) -> None:
    """Make sure that each split has studies of both labels.

    Raises:
        InputError: A split or a label is missing.
    """
    for split in splits:
        labels = {study.label for study in studies if study.split == split}
        for label, what in ((0, "negative (label 0)"), (1, "positive (label 1)")):
            if label not in labels:
                raise InputError(f'the split "{split}" must have studies of both labels, got no {what} one.')


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def _rows(path: Path) -> list[tuple[int, Mapping[str, str]]]:
    if kind_at(path) is None:
        raise FileError(f"{path} must be a study manifest, a CSV table in UTF-8, got: No such file or directory.")
    try:
        with io.StringIO(text_of(path.read_bytes()), newline="") as file:
            reader = csv.reader(file, strict=True)
            names = [name.strip() for name in next(reader, [])]
            missing = [name for name in NEEDED if name not in names]
            if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
                mark = "semicolons" if ";" in names[0] else "tabs"
                raise FileError(f"{path} must have its columns separated by commas, got {mark}; export it with commas.")
            if missing:
                raise FileError(f"{path} must have the columns {', '.join(NEEDED)}, got none called {missing[0]}.")
            rows = []
            for values in reader:
                if not any(value.strip() for value in values):
                    continue
                if len(values) != len(names):
                    raise FileError(f"{path}, line {reader.line_num}: {len(names)} values, got {len(values)}.")
                rows.append((reader.line_num, dict(zip(names, map(str.strip, values), strict=True))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} must be a study manifest, a CSV table in UTF-8, got: {reason}.") from error
    return rows


def _whole(text: str, name: str, wanted: str, legal: Collection[int] | None = None) -> int:
    is_whole = text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
    if not is_whole or (legal is not None and int(text) not in legal):
        raise ValueError(f"{name} must be {wanted}, got {shown(text)}")
    return int(text)


def _study(name: str, rows: Sequence[tuple[tuple[str, str, int], StudyImage]]) -> LabelledStudy:
    kinds = {about for about, _ in rows}
    for place, what in enumerate(("patient", "split", "label")):
        values = sorted({str(about[place]) for about in kinds})
        if len(values) > 1:
            raise InputError(f"a study must have one {what}, got {' and '.join(values)} for {name}.")
    images = sorted((image for _, image in rows), key=lambda image: image.view)
    return LabelledStudy(name, *rows[0][0], tuple(images))


def _check_files(path: Path, studies: Sequence[LabelledStudy]) -> None:
    try:
        missing = [str(image.path) for study in studies for image in study.images if not image.path.is_file()]
    except (OSError, ValueError) as error:
        name = shown(getattr(error, "filename", None) or "a path")
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{path} must list files that are there, got {name}, which cannot be one: {reason}.") from error
    if missing:
        raise FileError(f"{path} must list files that are there, got {len(missing)} missing: {listed(missing)}.")
