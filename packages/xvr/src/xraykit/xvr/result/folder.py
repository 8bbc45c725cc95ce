"""The folder of one result: record, transforms, pictures and animation, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xraykit.render import OutputError, Volume
from xraykit.render.storage import atomic_folder

from ..refine.structure import Structure
from ..trust.judgement import percent
from ..xray.names import file_stem
from ..xray.shot import Shot
from .animation import convergence_frames, write_animation
from .pictures import registration_pictures, write_pictures
from .record import FILE_NAME, ResultRecord, write_result
from .transforms import write_transforms

if TYPE_CHECKING:
    from ..refine.registration import RefinementStep

UNKNOWN = 1000.0  # mm: what is expected to be that far off is not known at all


def save_result(
    folder: str | Path,
    record: ResultRecord,
    shots: Sequence[Shot],
    structures: Sequence[Volume | Structure],
    *,
    history: Sequence[RefinementStep] = (),
) -> list[Path]:
    """Write everything there is to say of one registration into a folder: every file, or none at all.

    - result.json: the record, see record.py.
    - [STRUCTURE.][VIEW.]pose.json and .tfm files: see transforms.py.
    - [VIEW.]overlay.png, checkerboard.png, comparison.png: see pictures.py.
    - [VIEW.]convergence.gif: the refinement, where there is a history.

    Args:
        folder: Made if need be; an earlier result there is replaced, a folder with anything else is refused.
        record: What was found.
        shots: The V X-rays.
        structures: The K volumes.
        history: Steps of the refinement; () leaves the animation out.

    Returns:
        The files.

    Raises:
        OutputError: The folder cannot be made or written, or holds something else than a result.
    """
    folder = Path(folder)
    if folder.exists() and not is_finished(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(
            f"{folder} must be new or hold an earlier result, got something else; choose another --output."
        )
    with atomic_folder(folder) as staging:
        written = [write_result(staging / FILE_NAME, record), *write_transforms(staging, record)]
        for view, shot in enumerate(shots):
            stem = f"{file_stem(shot.name)}." if len(shots) > 1 else ""
            written += _pictures(staging, stem, record, shot, structures, view)
            if history:
                frames = convergence_frames(shot, structures, history, view=view)
                written.append(write_animation(staging / f"{stem}convergence.gif", frames))
    return [folder / path.name for path in written]


def is_finished(folder: str | Path) -> bool:
    """Whether the folder holds a whole result; folders appear whole, so the record is proof enough."""
    return (Path(folder) / FILE_NAME).is_file()


def headline(record: ResultRecord) -> str:
    """One line that says what was found and whether to trust it."""
    name = " + ".join(record.views)
    if record.trust is None:
        return f"{name}: starting pose, nothing refined"
    error, each = record.trust.expected_error, record.trust.view_errors
    limit = record.trust.error_limit
    said = f"{error:.1f} mm" + (f" (nine of ten are below {limit:.1f} mm)" if limit < UNKNOWN else "")
    if each:
        known = [f"{one:.1f} mm" if one < UNKNOWN else "unknown" for one in each]
        said = ", ".join(f"{view} {one}" for view, one in zip(record.views, known, strict=True))
    tail = f", expected error {said}" if error < UNKNOWN and record.trust.verdict != "failed" else ""
    return f"{name}: {record.trust.verdict}, chance of success {percent(record.trust.success_probability)}{tail}"


def _pictures(
    folder: Path, stem: str, record: ResultRecord, shot: Shot, structures: Sequence[Volume | Structure], view: int
) -> list[Path]:
    pictures = registration_pictures(
        Shot(shot.image, record.cameras[view], valid=shot.valid, name=shot.name),
        structures,
        record.poses[:, view],
        names=record.structures,
        title=headline(record),
        pivot=None if record.pivot is None else record.pivot[0],
    )
    return write_pictures(folder, pictures, stem=stem)
