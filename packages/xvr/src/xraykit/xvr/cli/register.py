"""`xraykit xvr register`: the pose of X-rays relative to a CT, from files to a folder of results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from xraykit.render import InputError
from xraykit.render.cli.settings import ConfigOption, read_settings, write_settings
from xraykit.render.commands.progress import Steps

from .register_options import RegisterConfig

if TYPE_CHECKING:
    from xraykit.render import Volume

    from ..refine.registration import RegistrationSettings
    from ..refine.structure import Anatomy
    from ..result.record import ResultRecord
    from ..xray.shot import Shot

CONFIG_FILE = "register.config.json"
FREE_TO_CHANGE = ("resume", "xrays", "output")  # when a run goes on


@dataclass(frozen=True, eq=False)
class Task:
    """X-rays that get one pose together: the files, what they show, and where the result goes."""

    paths: tuple[Path, ...]
    shots: tuple[Shot, ...]
    numbers: tuple[int, ...]
    folder: Path

    @property
    def name(self) -> str:
        """What to call it."""
        return " + ".join(shot.name for shot in self.shots)


def register(config: Annotated[RegisterConfig, Parameter(name="*")], *, config_file: ConfigOption = None) -> None:
    """Find the pose of X-rays relative to a CT, and say whether to trust it.

    DIR then holds register.config.json and a folder for each X-ray, named after its file, or one called joint; see
    result/folder.py for what is in it and register_help.py for examples.

    Args:
        config: The options.
        config_file: .toml, .yaml or .json with any of these options, as in register.config.json; the command line wins.
    """
    from xraykit.render.storage import check_result_folder

    from .register_starts import check_start_options

    check_start_options(config)
    refinement(config)
    check_result_folder(config.output)
    _check_resume(config)
    with Steps(total=2 + len(config.xrays) * (not config.joint) + config.joint) as steps:
        with steps.step("read the CT"):
            from xraykit.render import Volume

            volume = Volume.from_file(config.ct, labels=config.labels, label_names=config.label_names)
            structures = named_structures(volume, config.structures)
        with steps.step("read the X-rays"):
            tasks = make_tasks(config)
        done = [_finish(task, config, volume, structures, steps) for task in tasks]
    for record, task in zip(done, tasks, strict=True):
        _report(record, task)


def refinement(config: RegisterConfig) -> RegistrationSettings:
    """How to climb, as the options say.

    Raises:
        InputError: No iterations, or scales that do not grow.
    """
    from ..refine.registration import RegistrationSettings

    if config.iterations < 1:
        raise InputError(f"--iterations must be 1 or more, got {config.iterations}; --init-only refines nothing.")
    return RegistrationSettings(
        optimizer=config.optimizer,
        scales=config.scales,
        iterations=config.iterations,
        intrinsics=config.refine_intrinsics,
    )


def named_structures(volume: Volume, text: str | None) -> dict[str, Anatomy]:
    """The rigid structures that --structures asks for, by name; the whole volume where it is silent.

    Raises:
        InputError: There is no label map, or a label does not exist.
    """
    from ..refine.structure import Anatomy, structure_of

    if text is None:
        return {"CT": Anatomy.of(volume)}
    if volume.labels is None:
        raise InputError("--structures needs a label map, got none; add --labels SEG.")
    found = {}
    for group in filter(None, (part.strip() for part in text.split(";"))):
        names = [name.strip() for name in group.split(",") if name.strip()]
        labels = [label for name in names for label in _labels_of(volume, name)]
        found[",".join(names)] = Anatomy.of(structure_of(volume, labels))
    if not found:
        raise InputError(f"--structures must name labels, got {text!r}; leave it out for the whole CT.")
    return found


def _labels_of(volume: Volume, name: str) -> tuple[int, ...]:
    if name.isdigit():
        return (int(name),)
    return volume.find_labels(name)


def make_tasks(config: RegisterConfig) -> list[Task]:
    """All X-rays, read and grouped; folders are named after the files, numbered where names repeat.

    Raises:
        FileError: An X-ray cannot be read.
        InputError: It lacks geometry that no option supplies.
    """
    from ..result.transforms import file_stem
    from ..xray.xray_input import read_shot
    from .xray_options import xray_settings

    settings = xray_settings(config)
    names: list[str] = []
    for path in config.xrays:
        stem = file_stem(path.stem)
        repeats = sum(name == stem or name.startswith(f"{stem}_") for name in names)
        names.append(f"{stem}_{repeats + 1}" if stem in names else stem)
    shots = [read_shot(path, settings, name=name) for path, name in zip(config.xrays, names, strict=True)]
    numbers = range(len(shots))
    if config.joint:
        return [Task(config.xrays, tuple(shots), tuple(numbers), config.output / "joint")]
    return [Task((config.xrays[n],), (shots[n],), (n,), config.output / names[n]) for n in numbers]


def _check_resume(config: RegisterConfig) -> None:
    """Refuse to go on with other options than those that the finished results were made with."""
    path = config.output / CONFIG_FILE
    if not config.resume or not path.exists():
        return
    before = read_settings(path)
    now: dict[str, Any] = {key: _plain(value) for key, value in asdict(config).items() if value is not None}
    changed = sorted(key for key in {*before, *now} - {*FREE_TO_CHANGE} if _plain(before.get(key)) != now.get(key))
    if changed:
        names = ", ".join("--" + key.replace("_", "-") for key in changed)
        raise InputError(f"--resume must go on with the options of {path}, got others: {names}; leave --resume out.")


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _finish(
    task: Task, config: RegisterConfig, volume: Volume, structures: dict[str, Anatomy], steps: Steps
) -> ResultRecord:
    """The result of one task, from the disk where it is already there."""
    from ..result.folder import is_finished, save_result
    from ..result.reading import read_result

    if config.resume and is_finished(task.folder):
        with steps.step(f"{task.name} was finished before"):
            return read_result(task.folder)
    with steps.step(f"register {task.name}"):
        record, history = _registered(task, config, volume, structures)
        bodies = tuple(structures.values())
        config.output.mkdir(parents=True, exist_ok=True)
        write_settings(config.output / CONFIG_FILE, config, "xvr register")
        save_result(task.folder, record, task.shots, bodies, history=history if config.animation else ())
    return record


def _registered(
    task: Task, config: RegisterConfig, volume: Volume, structures: dict[str, Anatomy]
) -> tuple[ResultRecord, Sequence[Any]]:
    from ..refine.registration import register as refine
    from ..result.record import ResultRecord, record_result
    from ..start.spread import spread_starts
    from ..trust.judging import judge
    from .register_starts import Request, find_starts

    isocenter = volume.center if config.structures is None else next(iter(structures.values())).pivot
    starts, kind, notes = find_starts(
        Request(config, task.paths, task.shots, task.numbers, volume, isocenter=isocenter)
    )
    inputs = {
        "ct": str(config.ct),
        "labels": None if config.labels is None else str(config.labels),
        "xrays": [str(path) for path in task.paths],
    }
    options = {key: _plain(value) for key, value in asdict(config).items()}
    if config.init_only:
        return ResultRecord(
            structures=tuple(structures),
            views=tuple(shot.name for shot in task.shots),
            poses=starts[:1].expand(len(structures), -1, -1, -1),
            start=starts[0],
            cameras=tuple(shot.camera for shot in task.shots),
            start_kind=kind,
            inputs=inputs,
            settings=options,
            notes=(*(note for shot in task.shots for note in shot.notes), *notes),
        ), ()
    bodies = tuple(structures.values())
    found = refine(task.shots, bodies, starts, refinement(config))
    trust = judge(found, task.shots, bodies)
    if config.spread and trust.verdict != "trusted":
        wider = refine(task.shots, bodies, spread_starts(starts, isocenter), refinement(config))
        second = judge(wider, task.shots, bodies)
        if second.success_probability > trust.success_probability:
            found, trust = wider, second
            notes = (*notes, "The first try was not trusted; neighbours of its starts led here.")
    record = record_result(
        found,
        task.shots,
        structures=tuple(structures),
        start_kind=kind,
        trust=trust,
        inputs=inputs,
        settings=options,
        notes=notes,
    )
    return record, found.history


def _report(record: ResultRecord, task: Task) -> None:
    from ..result.folder import headline

    print(f"{headline(record)} -> {task.folder}")
    for note in record.notes:
        print(f"  note: {note}")
    if record.trust is not None:
        for warning in record.trust.warnings:
            print(f"  warning: {warning}")
