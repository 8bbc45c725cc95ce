"""FracAtlas as studies: X-rays of hand, leg, hip and shoulder, fractured or not; few of them are true pairs."""

from __future__ import annotations

from pathlib import Path

from xraykit.render import FileError, InputError

from .dataset_table import is_set, read_dataset_table
from .manifest import check_studies, listed
from .split_patients import carve_patients
from .study import LabelledStudy, StudyImage

_NEEDED = ("image_id", "fractured", "frontal", "lateral", "oblique")
_FOLDERS = ("Fractured", "Non_fractured")


def fracatlas_studies(
    folder: str | Path, *, min_images: int = 1, val_share: float = 0.1, test_share: float = 0.2, seed: int = 0
) -> tuple[LabelledStudy, ...]:
    """The studies of a folder of FracAtlas: dataset.csv, images/Fractured and images/Non_fractured.

    The table names no patients, so that nobody can say which X-rays belong together: each one is a study, and a
    patient, of its own. An X-ray with both flags, frontal and lateral, shows two projections in one picture; its
    projection reads "frontal+lateral". What a classifier of several views learns here is the single view.

    Args:
        folder: With dataset.csv.
        min_images: 1; more are refused.
        val_share: Share of the X-rays for the split "val".
        test_share: Share of the X-rays for the split "test".
        seed: Of their draw.

    Raises:
        InputError: More than one X-ray a study is asked for, or shares outside their range.
        FileError: No such table, X-rays that are missing, or a label that is not that of the folder.
    """
    if min_images > 1:
        raise InputError(
            f"studies of FracAtlas have one X-ray, as its table names no patients, got --min-images {min_images}; "
            "take 1, or another data set for several views."
        )
    folder = Path(folder)
    rows = read_dataset_table(folder / "dataset.csv", _NEEDED)
    files = {
        path.name: path
        for name in _FOLDERS
        for path in (folder / "images" / name).glob("*")
        if path.is_file() and not path.name.startswith("._")
    }
    missing = [row["image_id"] for row in rows if row["image_id"] not in files]
    if missing:
        raise FileError(f"{folder} must hold the X-rays of dataset.csv, got {len(missing)} missing: {listed(missing)}.")
    names = {row["image_id"] for row in rows}
    tested = carve_patients(names, test_share, seed=seed)
    held = carve_patients(names - tested, val_share / (1 - test_share), seed=seed)
    studies = []
    for row in rows:
        name, label = row["image_id"], int(is_set(row["fractured"]))
        if (files[name].parent.name == _FOLDERS[0]) != bool(label):
            raise FileError(f"{files[name]} must lie in the folder of its label, got fractured = {label} in the table.")
        projection = "+".join(flag for flag in ("frontal", "lateral", "oblique") if is_set(row[flag]))
        split = "test" if name in tested else "val" if name in held else "train"
        stem = Path(name).stem
        studies.append(LabelledStudy(stem, stem, split, label, (StudyImage(files[name], 0, projection),)))
    check_studies(studies)
    return tuple(studies)
