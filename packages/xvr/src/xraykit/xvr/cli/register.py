"""`xraykit xvr register`: the pose of X-rays relative to a CT, from files to a folder of results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xraykit.render.commands import LeftOut, Steps, flat, say_left_out, say_lines

from ..procedure_settings import RegisterSettings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..result.record import ResultRecord

FAILED = 4
"""Exit status where a result was written whose verdict is failed."""


def register(settings: RegisterSettings) -> int:
    """Find the pose of X-rays relative to a CT, and say whether to trust it.

    A DICOM X-ray that states its geometry needs no more than:

        xraykit xvr register ct.nii.gz xray.dcm -o out

    A picture states nothing; say what it is and about where it was taken from:

        xraykit xvr register ct.nii.gz xray.png -o out
            --sdd 1020 --pixel-spacing 0.3 --view ap

    With a network trained for this patient; pelvis and femur move by themselves:

        xraykit xvr register ct.nii.gz a.dcm b.dcm -o out
            --network weights/ --labels seg.nii.gz
            --structures "hip_left,hip_right,sacrum;femur_left"

    Implants and tools are found by their meshes, without a CT:

        xraykit xvr register xray.png -o out --sdd 1198 --pixel-spacing 0.373
            --polarity intensity --mesh femoral.stl --mesh tibial.stl

    Bones with a CT of their own each get a pose each, in calibrated views at once;
    --result, --pose or landmarks say where each begins:

        xraykit xvr register cam1.png cam2.png -o out --joint
            --camera cam1.txt cam2.txt --polarity intensity
            --bone radius.tif --bone ulna.tif --voxel-spacing 0.4 0.4 0.6
            --landmarks-ct radius.fcsv --landmarks-ct ulna.fcsv
            --landmarks-xray cam1.csv --landmarks-xray cam2.csv

    OUT/XRAY/ then holds result.json (pose, camera, covariance, chance of success,
    warnings, settings), pose.json (for xraykit render drr --pose), transforms for
    ITK and 3D Slicer, and pictures: overlay, checkerboard, comparison, animation.
    For meshes it holds implants.json, with every answer that fits, and the overlay.
    Look at the pictures before you use a pose. Of several X-rays, one that cannot
    be read or registered is left out, named at the end, and the exit status is 3.
    It is 4 where a result was written that is not to be believed (verdict failed).

    Args:
        settings: The options.
    """
    if settings.meshes.mesh:
        return _register_meshes(settings)
    from ..file_registration import register_files

    left_out, early = LeftOut(), _Early()
    with Steps(total=steps_of(settings)) as steps:
        done = register_files(settings, step=steps.step, left_out=left_out, doubted=early.say)
    for record, folder in done:
        _report(record, folder, early)
    return status_of((record for record, _ in done), say_left_out(left_out.found))


class _Early:
    """Doubts that are said before the work begins, which may take minutes, and not once more after it."""

    def __init__(self) -> None:
        self.said: set[str] = set()

    def say(self, doubts: tuple[str, ...]) -> None:
        say_lines(warnings=doubts)
        self.said |= set(doubts)

    def left(self, doubts: tuple[str, ...]) -> list[str]:
        return [doubt for doubt in doubts if doubt not in self.said]


def steps_of(settings: RegisterSettings) -> int:
    """How many parts the work has: reading what is registered, reading the X-rays, and each X-ray or all together."""
    from xraykit.render.radiographs import count_frames

    if settings.joint:
        return 3
    return 2 + sum(count_frames(path) if settings.xray.frame == "all" else 1 for path in settings.all_xrays)


def status_of(records: Iterable[ResultRecord], status: int) -> int:
    """The exit status of a registration: 4 where a verdict is failed, else the one that left-out X-rays give."""
    verdicts = {record.trust.verdict for record in records if record.trust is not None}
    return FAILED if "failed" in verdicts else status


def _register_meshes(settings: RegisterSettings) -> int:
    from ..mesh_registration import register_mesh_files

    early = _Early()
    with Steps(total=steps_of(settings)) as steps:
        done = register_mesh_files(settings, step=steps.step, doubted=early.say)
    for record, folder in done:
        scores = zip(record.implants, record.found.score.tolist(), strict=True)
        fits = ", ".join(f"{name} fits {score:.2f}" for name, score in scores)
        print(f"{' + '.join(record.views)}: {fits} -> {folder}")
        say_lines(notes=record.notes, warnings=early.left(record.doubts))
    return 0


def _report(record: ResultRecord, folder: Path, early: _Early) -> None:
    from ..result.folder import headline

    print(f"{headline(record)} -> {folder}")
    say_lines(notes=record.notes, warnings=early.left(record.doubts))
    if record.trust is not None:
        for warning in record.trust.warnings:
            print(f"  warning: {warning}")


command = flat(register, RegisterSettings)
