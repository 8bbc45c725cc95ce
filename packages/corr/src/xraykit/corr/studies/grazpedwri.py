"""GRAZPEDWRI-DX as studies: X-rays of children's wrists, most in two projections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from xraykit.render import FileError

from .dataset_table import is_set, read_dataset_table
from .manifest import check_studies, listed
from .split_patients import carve_patients
from .study import LabelledStudy, StudyImage

_NEEDED = ("filestem", "patient_id", "study_number", "laterality", "projection", "fracture_visible")
_PROJECTIONS = {"1": "PA", "2": "lateral", "3": "oblique"}


def grazpedwri_studies(
    folder: str | Path, *, min_images: int = 2, val_share: float = 0.1, test_share: float = 0.2, seed: int = 0
) -> tuple[LabelledStudy, ...]:
    """The studies of a folder of GRAZPEDWRI-DX: dataset.csv, and the X-rays in `images` or `images_part1` ....

    A study is one wrist of a patient at one time. Its label is 1 if a fracture is visible in any of its X-rays. The
    data set has no official splits: whole patients are drawn for "test" and "val".

    Args:
        folder: With dataset.csv.
        min_images: Studies with fewer X-rays are left out.
        val_share: Share of the patients for the split "val".
        test_share: Share of the patients for the split "test".
        seed: Of their draw.

    Raises:
        InputError: Shares outside their range, or no study left.
        FileError: No such table, or X-rays that are missing.
    """
    folder = Path(folder)
    rows = read_dataset_table(folder / "dataset.csv", _NEEDED)
    files = _files(folder)
    missing = [row["filestem"] for row in rows if row["filestem"] and row["filestem"] not in files]
    if missing:
        raise FileError(f"{folder} must hold the X-rays of dataset.csv, got {len(missing)} missing: {listed(missing)}.")
    found: dict[tuple[str, str, str], list[Mapping[str, str]]] = {}
    for row in rows:
        if row["filestem"]:
            found.setdefault((row["patient_id"], row["study_number"], row["laterality"]), []).append(row)
    found = {key: members for key, members in found.items() if len(members) >= min_images}
    patients = {key[0] for key in found}
    tested = carve_patients(patients, test_share, seed=seed)
    held = carve_patients(patients - tested, val_share / (1 - test_share), seed=seed)
    studies = []
    for (patient, number, side), members in found.items():
        members = sorted(members, key=lambda row: (row["projection"], row["filestem"]))
        images = tuple(
            StudyImage(files[row["filestem"]], view, _PROJECTIONS.get(row["projection"], row["projection"]))
            for view, row in enumerate(members)
        )
        label = int(any(is_set(row["fracture_visible"]) for row in members))
        split = "test" if patient in tested else "val" if patient in held else "train"
        studies.append(LabelledStudy(f"{patient}_{number}_{side or 'X'}", patient, split, label, images))
    check_studies(studies, min_images=min_images)
    return tuple(studies)


def _files(folder: Path) -> dict[str, Path]:
    """Files of the X-rays by their stem."""
    folders = sorted(path for path in folder.glob("images*") if path.is_dir())
    return {path.stem: path for place in folders for path in place.rglob("*.png") if not path.name.startswith("._")}
