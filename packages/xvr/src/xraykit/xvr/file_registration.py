"""Register X-rays from files to a folder of results: read, group, register what is not finished, save."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from xraykit.render import InputError
from xraykit.render.commands import LeftOut
from xraykit.render.storage import check_result_folder, check_same_settings, to_plain, write_settings

from .anatomy_input import RegisteredAnatomy, check_bones, read_anatomy
from .bone_registration import register_bones
from .procedure import XrayRegistration, climb_settings, register_xrays
from .procedure_settings import ProcedureSettings, RegisterSettings
from .result.folder import is_finished, save_result
from .result.reading import read_result
from .result.record import ResultRecord
from .start.bones import check_bone_starts
from .start.checks import check_start, start_of
from .xray.calibration import assigned_cameras
from .xray.input_files import InputFiles
from .xray.names import xray_names
from .xray.shot import Shot
from .xray.xray_input import shots_of

SETTINGS_FILE = "settings.json"
FREE_ON_RESUME = ("resume", "xrays", "output")
JOINT = "joint"  # folder of X-rays that were registered together


@dataclass(frozen=True, eq=False)
class XrayGroup:
    """X-rays that get one pose together: their files, what they show, their settings, and where the result goes."""

    files: InputFiles
    shots: tuple[Shot, ...]
    settings: ProcedureSettings
    folder: Path

    @property
    def name(self) -> str:
        """What to call it."""
        return " + ".join(shot.name for shot in self.shots)


def register_files(
    settings: RegisterSettings,
    *,
    step: Callable[[str], AbstractContextManager[object]] | None = None,
    left_out: LeftOut | None = None,
    doubted: Callable[[tuple[str, ...]], None] | None = None,
) -> list[tuple[ResultRecord, Path]]:
    """Register the X-rays of a CT, and write a folder of results for each, or one for all of them together.

    The output folder then holds settings.json and a folder for each X-ray, named after its file, or one called joint;
    see result/folder.py for what is in it. Nothing is written before the first result is there.

    Args:
        settings: All there is to say.
        step: Makes a context for each part of the work: reading twice, then each X-ray or all together. None reports
            nothing.
        left_out: Takes the X-rays that cannot be read or registered, while the others are done; where none is left, or
            all belong together, the error is raised. None raises it at once.
        doubted: Called before anything is registered with what is doubtful about the CT and the X-rays, if anything is.

    Returns:
        The record and the folder of each group of X-rays, in their order.

    Raises:
        InputError: Settings that contradict each other or do not fit the X-rays, or a finished result of others.
        FileError: A file that cannot be read.
        GeometryError: Geometry that contradicts itself.
        OutputError: The folder cannot be written, or holds something else.
    """
    step, output = step or (lambda title: nullcontext()), settings.results.output
    if left_out is None or settings.joint or len(settings.all_xrays) == 1:
        left_out = LeftOut(none=True)
    _check(settings)
    with step("read the CT"):
        anatomy = read_anatomy(settings.ct, settings.anatomy)
    with step("read the X-rays"):
        groups = list(xray_groups(settings, left_out=left_out))
        finished = {group.folder: finished_before(group) for group in groups if settings.results.resume}
    begun_with = tuple(
        dict.fromkeys([*anatomy.doubts, *(line for g in groups for shot in g.shots for line in shot.doubts)])
    )
    if begun_with and doubted is not None:
        doubted(begun_with)
    done = []
    for group in groups:
        record = finished.get(group.folder)
        if record is not None:
            with step(f"{group.name} was finished before"):
                done.append((record, group.folder))
            continue
        with left_out.going_on(group.name), step(f"register {group.name}"):
            found = _registered(group, anatomy)
            record = replace(
                found.record,
                settings=to_plain(settings),
                notes=(*anatomy.notes, *found.record.notes),
                doubts=(*anatomy.doubts, *found.record.doubts),
            )
            output.mkdir(parents=True, exist_ok=True)
            write_settings(output / SETTINGS_FILE, settings, command="xvr register", distribution="xraykit-xvr")
            history = found.history if settings.results.animation else ()
            save_result(group.folder, record, group.shots, anatomy.structures.bodies, history=history)
            done.append((record, group.folder))
    left_out.check(len(done))
    return done


def _registered(group: XrayGroup, anatomy: RegisteredAnatomy) -> XrayRegistration:
    if group.files.bones:
        return register_bones(group.shots, anatomy.structures, group.settings, files=group.files)
    structures = anatomy.structures
    return register_xrays(group.shots, anatomy.volume, group.settings, structures=structures, files=group.files)


def finished_before(group: XrayGroup) -> ResultRecord | None:
    """The record that an earlier run left of a group, None where there is none.

    Raises:
        InputError: The group's folder holds a result of other X-rays.
        FileError: The result there is damaged.
    """
    if not is_finished(group.folder):
        return None
    record = read_result(group.folder)
    before, now = record.inputs.get("xrays"), to_plain(group.files)["xrays"]
    if before != now:
        came = ", ".join(map(str, before)) if isinstance(before, list) else "unnamed X-rays"
        raise InputError(
            f"--resume must find a result of {', '.join(now)} in {group.folder}, got one of {came}; "
            "name the X-rays as before, or choose another --output."
        )
    return record


def xray_groups(settings: RegisterSettings, *, left_out: LeftOut | None = None) -> Iterator[XrayGroup]:
    """All X-rays, read and grouped; folders are named after the files.

    Args:
        settings: Which X-rays, and how they are read.
        left_out: Takes those that cannot be read; None raises the error of the first.

    Raises:
        FileError: An X-ray cannot be read.
        InputError: It lacks geometry that no option supplies.
    """
    output, shots = settings.results.output, list(_shots(settings, left_out or LeftOut(none=True)))
    together = [tuple(range(len(shots)))] if settings.joint else [(n,) for n in range(len(shots))]
    for numbers in together:
        start = settings.start if settings.anatomy.bone else start_of(settings.start, numbers, len(shots))
        chosen = tuple(shot for n in numbers if (shot := shots[n]) is not None)
        if not chosen:
            continue
        folder = output / (JOINT if settings.joint else chosen[0].name)
        procedure = ProcedureSettings(start, settings.refinement, settings.xray, settings.init_only)
        bones, sources = settings.anatomy.bone, tuple(Path(str(shot.source)) for shot in chosen)
        files = InputFiles(None if bones else settings.ct, settings.anatomy.labels, sources, bones)
        yield XrayGroup(files, chosen, procedure, folder)


def _shots(settings: RegisterSettings, left_out: LeftOut) -> Iterator[Shot | None]:
    """The X-rays of each file; None in the place of one that cannot be read, so that the others keep their numbers."""
    files = settings.all_xrays
    each = [settings.xray.of_view(n, len(files)) for n in range(len(files))]
    cameras = assigned_cameras(settings.camera, files)
    for path, own, name, choice in zip(files, each, xray_names(files), cameras, strict=True):
        shots: tuple[Shot | None, ...] = (None,)
        with left_out.going_on(str(path)) if path.exists() else nullcontext():
            shots = shots_of(path, own, name=name, choice=choice)
        yield from shots


def _check(settings: RegisterSettings) -> None:
    """What can be refused before anything is read."""
    count, bones = len(settings.all_xrays), settings.anatomy.bone
    if count == 0:
        raise InputError("a CT and one X-ray at least must be named, got the CT alone; name the X-rays after it.")
    if settings.joint and count < 2:
        raise InputError("--joint needs two X-rays or more, got one; leave it out.")
    assigned_cameras(settings.camera, settings.all_xrays)
    if bones:
        check_bones(settings.anatomy, settings.ct, xrays=count, joint=settings.joint)
        check_bone_starts(settings.start, len(bones), views=count)
    else:
        check_start(settings.start, views=count if settings.joint else 1)
        if settings.xray.frame != "all":
            start_of(settings.start, range(count), count)
    climb_settings(settings.refinement)
    check_result_folder(settings.results.output)
    path = settings.results.output / SETTINGS_FILE
    if settings.results.resume and path.exists():
        check_same_settings(path, settings, free=FREE_ON_RESUME)
