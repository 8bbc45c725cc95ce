"""Two ways to rows of poses: register a data set from drawn starts, or collect results that are there already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import FileError, InputError, Volume
from xraykit.render.commands import LeftOut

from ..refine.climb_settings import RegistrationSettings
from ..refine.registration import Registration, register_structures
from ..refine.structure import structure_of
from ..result.reading import read_result
from ..result.record import FILE_NAME
from ..start.start_errors import StartErrors
from ..xray.shot import Shot
from .datasets.common import Dataset, EvaluationSubject
from .pose_rows import FoundPose, PoseRow, pose_row
from .study import RegistrationStudy

Registrar = Callable[[Shot, Volume, Tensor], Registration]
CountDone = Callable[[int, int], None]


def registrar(settings: RegistrationSettings) -> Registrar:
    """`register` with these settings, for one X-ray and one structure."""
    return lambda shot, volume, start: register_structures(shot, volume, start, settings)


def run_study(
    dataset: Dataset,
    methods: Mapping[str, Registrar],
    study: RegistrationStudy,
    *,
    progress: CountDone | None = None,
    left_out: LeftOut | None = None,
) -> list[PoseRow]:
    """Register every X-ray at every level with every method, each method from the same start.

    Args:
        dataset: X-rays with true poses.
        methods: What registers, by name.
        study: What to register.
        progress: Told the number of registrations done and to do.
        left_out: Takes X-rays that cannot be read or registered, while the others are; None ends at the first.

    Returns:
        One row for each registration; `score_poses` judges them.

    Raises:
        InputError: No method, or labels that do not occur.
    """
    if not methods:
        raise InputError("a study needs at least one method, got none.")
    rows: list[PoseRow] = []
    left_out = left_out or LeftOut(none=True)
    subjects = [dataset.subject(name) for name in study.subjects or dataset.subjects]
    plan = [(subject, name) for subject in subjects for name in subject.xrays[: study.most]]
    total, current, structure = len(plan) * len(study.levels) * len(methods), None, None
    if progress is not None:
        progress(0, total)
    for number, (subject, name) in enumerate(plan):
        if subject is not current or structure is None:
            current = subject
            structure = structure_of(subject.volume, study.labels) if study.labels else subject.volume
        own: list[PoseRow] = []  # all or none of an X-ray, so that methods are compared on the same ones
        with left_out.going_on(f"{subject.name} {name}"):
            xray = subject.xray(name)
            for place, level in enumerate(study.levels):
                generator = torch.Generator().manual_seed((study.seed * 1_000_003 + number) * 101 + place)
                start = StartErrors(level=level).perturb(xray.pose[None], subject.volume.center, generator)
                for method, run in methods.items():
                    found = run(xray.shot, structure, start)
                    ended = FoundPose(start[0], found.poses[0, 0], found.similarity, found.seconds)
                    own.append(pose_row(subject, xray, ended, method=method, dataset=dataset.name, level=level))
                    if progress is not None:
                        progress(len(rows) + len(own), total)
            rows += own
    left_out.check(len(rows))
    return rows


def collect_results(
    dataset: Dataset,
    methods: Mapping[str, Path],
    *,
    progress: CountDone | None = None,
    left_out: LeftOut | None = None,
) -> tuple[list[PoseRow], tuple[str, ...]]:
    """Rows of what `xraykit xvr register` wrote, beside the truth.

    Every result.json below a method's folder counts. The subject is the folder on the way to it that bears a
    subject's name, the X-ray is the view's name in the result; a structure with a true pose of its own is compared
    with that one.

    Args:
        dataset: X-rays with true poses.
        methods: Folder of results, by the method's name.
        progress: Told the number of files done and to do.
        left_out: Takes results and true poses that cannot be used, while the others are judged; None ends at the first.

    Returns:
        One row for each structure in each view, and a note for each method that left X-rays out.

    Raises:
        FileError: A folder without results, or a result of an unknown subject or X-ray.
    """
    rows: list[PoseRow] = []
    notes: list[str] = []
    left_out = left_out or LeftOut(none=True)
    plan = [(method, path) for method, folder in methods.items() for path in _results(folder)]
    subjects = {}
    if progress is not None:
        progress(0, len(plan))
    for done, (method, path) in enumerate(plan, 1):
        with left_out.going_on(str(path)):
            name = _subject_of(path, methods[method], dataset)
            if name not in subjects:
                subjects[name] = dataset.subject(name)
            rows += _rows_of(path, subjects[name], dataset.name, method)
        if progress is not None:
            progress(done, len(plan))
    left_out.check(len(rows))
    for method in methods:
        tried = {(row.subject, row.xray) for row in rows if row.method == method}
        there = sum(len(subject.xrays) for subject in subjects.values())
        if len(tried) < there:
            notes.append(f"{method} has results for {len(tried)} of {there} X-rays; the others are not counted.")
    return rows, tuple(notes)


def _rows_of(path: Path, subject: EvaluationSubject, dataset: str, method: str) -> list[PoseRow]:
    record, rows = read_result(path), []
    similarity = float("nan") if record.similarity is None else record.similarity
    for v, view in enumerate(record.views):
        if view not in subject.xrays:
            raise FileError(
                f"{path} must be of an X-ray of {subject.name}, got {view!r}; {subject.name} has no such X-ray."
            )
        xray = subject.xray(view)
        for k, structure in enumerate(record.structures):
            found = FoundPose(record.start_of(k)[v], record.poses[k, v], similarity, record.seconds)
            rows.append(pose_row(subject, xray, found, method=method, dataset=dataset, structure=structure))
    return rows


def _results(folder: Path) -> Sequence[Path]:
    found = sorted(Path(folder).rglob(FILE_NAME))
    if not found:
        raise FileError(f"{folder} must hold results of xvr register ({FILE_NAME}), got none.")
    return found


def _subject_of(path: Path, folder: Path, dataset: Dataset) -> str:
    parts = [part for part in (Path(folder).name, *path.relative_to(folder).parts) if part in dataset.subjects]
    if len(set(parts)) == 1:
        return parts[0]
    if len(dataset.subjects) == 1 and not parts:
        return dataset.subjects[0]
    known = ", ".join(dataset.subjects[:12])
    raise FileError(
        f"{path} must lie in a folder named after its subject ({known}), got {len(set(parts))} such folders."
    )
