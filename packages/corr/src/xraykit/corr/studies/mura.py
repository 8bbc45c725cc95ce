"""MURA as studies: musculoskeletal X-rays of seven regions of the upper limb, normal or abnormal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from xraykit.render import FileError, InputError
from xraykit.render.storage import text_of

from .manifest import check_studies
from .split_patients import carve_patients
from .study import LabelledStudy, StudyImage

MURA_REGIONS = ("ELBOW", "FINGER", "FOREARM", "HAND", "HUMERUS", "SHOULDER", "WRIST")
_PATH = re.compile(r"(train|valid)/XR_([A-Z]+)/(patient\d+)/(study\d+_(positive|negative))/([^/]+\.png)$")
_NUMBER = re.compile(r"\d+")


def mura_studies(
    folder: str | Path,
    *,
    regions: Sequence[str] = MURA_REGIONS,
    min_images: int = 1,
    val_share: float = 0.1,
    seed: int = 0,
) -> tuple[LabelledStudy, ...]:
    """The studies of a folder of MURA v1.1, as it is unpacked.

    A study's label is the end of its folder's name: 1 for abnormal (a fracture, metal, wear, ...), which is not the
    same as a fracture. The official validation set becomes the split "test"; the split "val" is taken out of the
    training set, whole patients. Files are found by the lists {train,valid}_image_paths.csv if these are there (with
    or without a header), else by looking.

    Args:
        folder: With `train` and `valid`.
        regions: Wanted ones, such as WRIST.
        min_images: Studies with fewer X-rays are left out; the paper's selection is 3.
        val_share: Share of the training patients for the split "val".
        seed: Of their draw.

    Raises:
        InputError: No such region, a share outside its range, or no study left.
        FileError: No MURA there, or a list that names other files.
    """
    folder = Path(folder)
    unknown = [name for name in regions if name not in MURA_REGIONS]
    if unknown or not regions:
        raise InputError(f"regions must be some of {', '.join(MURA_REGIONS)}, got {', '.join(unknown) or 'none'}.")
    found: dict[str, tuple[str, str, int, list[Path]]] = {}
    for path in _files(folder):
        part, region, patient, study, ending, name = _PATH.search(path.as_posix()).groups()  # type: ignore[union-attr]
        if region in regions and not name.startswith("._"):
            key = f"{part}_{region}_{patient}_{study}"
            found.setdefault(key, (part, patient, int(ending == "positive"), []))[3].append(folder / path)
    found = {key: entry for key, entry in found.items() if len(set(entry[3])) >= min_images}
    learned = {patient for part, patient, _, _ in found.values() if part == "train"}
    held = carve_patients(learned, val_share, seed=seed)
    studies = []
    for key, (part, patient, label, paths) in sorted(found.items()):
        split = "test" if part == "valid" else "val" if patient in held else "train"
        images = tuple(StudyImage(path, view) for view, path in enumerate(sorted(set(paths), key=_order)))
        studies.append(LabelledStudy(key, patient, split, label, images))
    check_studies(studies, min_images=min_images)
    return tuple(studies)


def _files(folder: Path) -> list[Path]:
    """Paths from the folder on."""
    parts = [part for part in ("train", "valid") if (folder / part).is_dir()]
    if not parts:
        raise FileError(f"{folder} must be MURA-v1.1 as it is unpacked, with train and valid, got neither.")
    files: list[Path] = []
    for part in parts:
        listing = folder / f"{part}_image_paths.csv"
        if listing.is_file():
            files += _listed(listing, folder)
        else:
            files += [path.relative_to(folder) for path in (folder / part).rglob("*.png")]
    return [path for path in files if _PATH.search(path.as_posix())]


def _listed(listing: Path, folder: Path) -> list[Path]:
    """The files that a list names, from the folder on: lines "MURA-v1.1/train/...", a header and a label or not."""
    try:
        lines = text_of(listing.read_bytes()).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{listing} must be a list of paths in UTF-8, got: {error}.") from error
    files = []
    for number, line in enumerate(lines, start=1):
        name = line.split(",")[0].strip().replace("\\", "/")
        if not name or (number == 1 and not name.lower().endswith(".png")):
            continue
        matched = _PATH.search(name)
        if matched is None or ".." in PurePosixPath(name).parts:
            raise FileError(f"{listing}, line {number}: a path of a study's image is needed, got {name[:80]!r}.")
        path = Path(matched.group(0))
        if not path.name.startswith("._") and not (folder / path).is_file():
            raise FileError(f"{listing}, line {number}: {folder / path} must be there, got none.")
        files.append(path)
    return files


def _order(path: Path) -> tuple[int, str]:
    """image2 before image10."""
    number = _NUMBER.search(path.stem)
    return (int(number.group(0)) if number else 0, path.name)
