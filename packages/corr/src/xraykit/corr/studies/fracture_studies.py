"""Fracture studies: standard views of procedural patients, broken or not, with decoys, labels and true matches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import FileError, GeometryError, InputError, OutputError
from xraykit.render.dataset import ReadingOrder, XrayDataset, XraySample
from xraykit.render.radiographs import save_image
from xraykit.render.storage import atomic_folder

from ..data.letterbox import Letterbox
from ..ground_truth.packed import pack_matrix
from ..ground_truth.pair_matrices import correspondences
from ..ground_truth.projection import change_projection, image_projection
from ..ground_truth.support import Support
from ..ground_truth.support_cells import grid_support
from .decoys import draw_decoy
from .leaks import LeakCheck, StudyFacts, leak_checks
from .manifest import check_studies, write_studies
from .settings import FractureStudySettings
from .study import LabelledStudy, StudyImage
from .study_truth import TRUTH, write_truth
from .twins import TwinDifference, twin_check

MANIFEST, IMAGES = "studies.csv", "images"
WINDOW = -1.0, 14.0  # line integrals that are 0 and 65,535 in the files, the same for all


@dataclass(frozen=True)
class FractureStudies:
    """What was made.

    Args:
        manifest: The table of studies.
        studies: All of them.
        decoys: Names of the studies with a decoy.
        left_out: (name, sentence) of patients that make no study.
        checks: Whether anything but the X-rays tells the label.
        twins: Whether the true correspondence does; None if nobody asked.
    """

    manifest: Path
    studies: tuple[LabelledStudy, ...]
    decoys: frozenset[str]
    left_out: tuple[tuple[str, str], ...]
    checks: tuple[LeakCheck, ...]
    twins: TwinDifference | None


@dataclass
class _Made:
    """What has been collected so far."""

    studies: list[LabelledStudy] = field(default_factory=list)
    facts: list[StudyFacts] = field(default_factory=list)
    truth: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    twins: list[tuple[Any, Tensor]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)


def make_fracture_studies(
    jobs: Sequence[str | Path],
    folder: str | Path,
    settings: FractureStudySettings | None = None,
    *,
    twins: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> FractureStudies:
    """Make studies of the patients of data set jobs: studies.csv, images (16 bits, bone bright), correspondences.npz.

    A study is positive if its patient has a fracture whose middle lies in the field of at least one view, negative if
    the patient has none; patients whose fracture no view shows are left out. Whether a study has a decoy, in which view
    and where, follows from (settings.seed, study) alone and not from the label. Patients keep the splits of the job.

    Args:
        jobs: Folders of data sets of procedural patients, made with `image.tissue`, in standard views.
        folder: Where to; made if need be, and must not hold studies.
        settings: How.
        twins: How many patients are made anew with and without a fracture, see `twin_check`; a few seconds each.
        report: Called with (samples read, samples in all).

    Raises:
        InputError: No job, one twice, or no study.
        FileError: A damaged data set, or one without tissue or without procedural patients.
        OutputError: The folder cannot be written, or holds studies.
    """
    settings, folder = settings or FractureStudySettings(), Path(folder)
    sources = _opened(jobs)
    if (folder / MANIFEST).exists():
        raise OutputError(f"{folder} already holds {MANIFEST}; choose another folder, or delete it.")
    made, total, done = _Made(), sum(len(data) for data in sources.values()), 0
    with atomic_folder(folder, owned=(MANIFEST, IMAGES, TRUTH)) as staged:
        (staged / IMAGES).mkdir()
        for source, data in sources.items():
            for patient, samples in _patients(data):
                _add(made, f"{source}-{patient:06d}", samples, staged, settings, twins)
                done += len(samples)
                if report is not None:
                    report(done, total)
        if settings.balance:
            _balance(made, settings.seed)
        check_studies(made.studies)
        write_studies(made.studies, staged / MANIFEST)
        write_truth(staged, made.truth)
    checks = leak_checks(made.facts, seed=settings.seed)
    difference = twin_check(*zip(*made.twins, strict=True), grid=settings.grid) if made.twins else None
    final = tuple(_moved(study, staged, folder) for study in made.studies)
    decoys = frozenset(one.name for one in made.facts if one.decoy)
    return FractureStudies(folder / MANIFEST, final, decoys, tuple(made.left_out), checks, difference)


def _opened(jobs: Sequence[str | Path]) -> dict[str, XrayDataset]:
    places = [Path(job).resolve() for job in jobs]
    names = [place.name for place in places]
    if not places or len(set(names)) < len(names):
        raise InputError(f"fracture studies need data sets of different names, got {', '.join(names) or 'none'}.")
    order = ReadingOrder(shuffle=False)
    return {
        place.name: XrayDataset(place, order=order, parts=("image", "tissue"), rank=0, world_size=1) for place in places
    }


def _patients(data: XrayDataset) -> Iterator[tuple[int, list[XraySample]]]:
    for patient, samples in groupby(data, key=lambda sample: sample.patient):
        yield patient, sorted(samples, key=lambda sample: sample.key)


def _add(
    made: _Made, name: str, samples: list[XraySample], folder: Path, settings: FractureStudySettings, twins: int
) -> None:
    """Add the study of a patient, or why it makes none."""
    if len(samples) < settings.min_images:
        made.left_out.append((name, f"it has {len(samples)} views, {settings.min_images} are needed"))
        return
    broken, shown = fracture_in(samples)
    if broken and not shown:
        made.left_out.append((name, "no view shows the middle of its fracture"))
        return
    projections = torch.stack([_square_projection(sample) for sample in samples])
    try:
        tissue = samples[0].tissue
        support = grid_support(tissue.classes, tissue.affine, tissue=settings.tissue)
        matrices = _matrices(support, projections, settings)
    except (GeometryError, InputError) as error:
        made.left_out.append((name, str(error).rstrip(".")))
        return
    lines = [sample.log_attenuation()[0] for sample in samples]
    rng = np.random.default_rng([settings.seed, *name.encode()])
    decoy = bool(rng.random() < settings.decoys)
    place = int(rng.integers(len(lines)))
    if decoy:
        lines[place] = draw_decoy(lines[place], rng)
    images = []
    for view, (sample, image) in enumerate(zip(samples, lines, strict=True)):
        path = save_image(folder / IMAGES / f"{name}_{view}.png", image[None, None], window=WINDOW, bits=16)
        images.append(StudyImage(path, view, sample.view))
    study = LabelledStudy(name, name, samples[0].split, int(broken), tuple(images))
    made.studies.append(study)
    made.truth[name] = pack_matrix(matrices).numpy()
    made.facts.append(_facts(study, samples, lines, matrices, projections, support.points, decoy))
    if len(made.twins) < twins and len(samples) > 1:
        made.twins.append((samples[0].record["description"], projections))


def _balance(made: _Made, seed: int) -> None:
    """Leave out studies of the more frequent label of each region and split, drawn by seed."""
    region = {one.name: one.region for one in made.facts}
    groups: dict[tuple[str, str], tuple[list[LabelledStudy], list[LabelledStudy]]] = {}
    for study in sorted(made.studies, key=lambda study: study.name):
        groups.setdefault((study.split, region[study.name]), ([], []))[study.label].append(study)
    rng, dropped = np.random.default_rng([seed, 5]), set()
    for _, pair in sorted(groups.items()):
        few, many = sorted(pair, key=len)
        for place in rng.permutation(len(many))[len(few) :]:
            study = many[int(place)]
            dropped.add(study.name)
            made.left_out.append((study.name, f"{region[study.name]} has more of its label in the split {study.split}"))
            for image in study.images:
                image.path.unlink()
            made.truth.pop(study.name)
    made.studies = [study for study in made.studies if study.name not in dropped]
    made.facts = [one for one in made.facts if one.name not in dropped]


def fracture_in(samples: Sequence[XraySample]) -> tuple[bool, bool]:
    """Whether the patient has a fracture, and whether the middle of one lies in the field of any view.

    Raises:
        FileError: The record does not say, as for patients read from files.
    """
    broken = shown = False
    for sample in samples:
        findings = sample.record.get("description", {}).get("findings")
        if not isinstance(findings, dict) or not isinstance(findings.get("fractures"), list):
            raise FileError(
                f"{sample.key} must be of a procedural patient, whose fractures are known, got another; make the data "
                "set of procedural patients alone."
            )
        broken = broken or bool(findings["fractures"])
        marks = sample.landmarks
        field_ = sample.open_field
        for name, (u, v), visible in zip(marks.names, marks.uv.tolist(), marks.visible.tolist(), strict=True):
            if name.startswith("fracture_") and visible:
                row, column = min(int(v), field_.shape[0] - 1), min(int(u), field_.shape[1] - 1)
                shown = shown or bool(field_[max(row, 0), max(column, 0)])
    return broken, shown


def _square_projection(sample: XraySample) -> Tensor:
    """The projection (3, 4) of the padded square that networks see."""
    letterbox = Letterbox(sample.camera.height, sample.camera.width, size=1)
    return change_projection(image_projection(sample.camera, sample.pose)[0], letterbox.share_change())


def _matrices(support: Support, projections: Tensor, settings: FractureStudySettings) -> Tensor:
    if len(projections) < 2:
        return torch.zeros(0, settings.grid**2, settings.grid**2)
    return correspondences(support, projections, grid=settings.grid, mode=settings.mode)


def _facts(
    study: LabelledStudy,
    samples: Sequence[XraySample],
    lines: Sequence[Tensor],
    matrices: Tensor,
    projections: Tensor,
    points: Tensor,
    decoy: bool,
) -> StudyFacts:
    middle = torch.cat([points.mean(0), points.new_ones(1)])
    depths = (projections[:, 2] @ middle).tolist()
    widths = [
        _detector_width(sample) * depth / sample.camera.sdd_mm for sample, depth in zip(samples, depths, strict=True)
    ]
    sums = torch.cat([matrices[0].sum(1), matrices[0].sum(0)]) if len(matrices) else torch.zeros(0)
    return StudyFacts(
        study.name,
        study.label,
        str(samples[0].record["description"].get("region", "unknown")),
        decoy,
        tuple(float(image.path.stat().st_size) for image in study.images),
        tuple(float(image.mean()) for image in lines),
        tuple(widths),
        sums.numpy(),
    )


def _detector_width(sample: XraySample) -> float:
    _, spacing, _ = sample.camera.tensors(dtype=torch.float64, device="cpu")
    return sample.camera.width * float(spacing[0, 1])


def _moved(study: LabelledStudy, before: Path, after: Path) -> LabelledStudy:
    images = tuple(
        StudyImage(after / image.path.relative_to(before), image.view, image.projection) for image in study.images
    )
    return LabelledStudy(study.name, study.patient, study.split, study.label, images)
