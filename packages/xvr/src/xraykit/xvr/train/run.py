"""A whole training: settings in; weights, curves and a checkpoint in a folder out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from xraykit.render import FileError, InputError, OutputError
from xraykit.render.storage import write_atomically

from ..network.frame import NetworkFrame
from ..network.pose_network import PoseNetwork
from ..network.weights import load_network
from .driver import fit
from .journal import Journal, Row
from .material import gather
from .module import PoseTraining
from .poses import chosen_camera, chosen_range, start_in_the_middle
from .resolved import resolved
from .schedule import Course
from .settings import CHECKPOINT, SETTINGS, WEIGHTS, TrainSettings

FREE_ON_RESUME = ("resume", "output", "workers", "device", "devices", "nodes", "strategy", "steps", "minutes")


@dataclass(frozen=True)
class Training:
    """What a training has left behind.

    Args:
        folder: Where everything is.
        weights: Folder that `load_network` reads.
        rows: The curve, see `Journal`.
        batches: How many.
        seconds: Wall time.
    """

    folder: Path
    weights: Path
    rows: tuple[Row, ...]
    batches: int
    seconds: float


def train_network(
    settings: TrainSettings,
    *,
    report: Callable[[int, int], None] | None = None,
    begun: float | None = None,
) -> Training:
    """Train a pose network as told and leave weights/, last.ckpt, curve.json, curve.csv, settings.json, tensorboard/.

    Args:
        settings: See `TrainSettings`.
        report: Called with (batches done, batches in all).
        begun: When the wall-clock budget began (`time.monotonic`); None is now.

    Raises:
        InputError: Options outside their range, or lightning is not installed.
        FileError: A CT, data set, checkpoint or warp that cannot be used.
        OutputError: The folder cannot be written, or holds another training.
        TrainingFailedError: The loss is not finite.
    """
    begun = time.monotonic() if begun is None else begun
    lightning_or_sentence()
    settings = resolved(settings)
    checkpoint = prepared_folder(settings)
    network = _network(settings)
    material = gather(settings, network.frame)
    if settings.checkpoint is None:
        start_in_the_middle(network, chosen_range(settings), material.grid, material.warp)
    seconds = None if settings.minutes is None else 60 * settings.minutes
    course = Course(steps=settings.steps, seconds=seconds, begun=begun)
    training = PoseTraining(network, settings, course, material.source, warp=material.warp)
    journal = Journal(settings.output, material.held_out, material.grid, settings, report=report)
    if settings.compile:
        network.backbone.compile()
    fit(training, journal, settings, checkpoint=checkpoint)
    return Training(settings.output, settings.output / WEIGHTS, tuple(journal.rows), training.done, course.elapsed)


def prepared_folder(settings: TrainSettings) -> Path | None:
    """Make the output folder with the settings in it; the checkpoint to resume from, if that is asked for.

    Raises:
        OutputError: The folder cannot be written, or holds another training.
        FileError: Nothing to resume there. InputError: It was made with other settings.
    """
    folder, checkpoint = settings.output, settings.output / CHECKPOINT
    told = {name: value for name, value in asdict(settings).items() if name not in FREE_ON_RESUME}
    told = json.loads(json.dumps(told, default=str))
    if settings.resume:
        if not checkpoint.is_file():
            raise FileError(f"--resume needs {CHECKPOINT} in {folder}, got none; leave --resume out to begin anew.")
        _check_same(told, folder / SETTINGS)
        return checkpoint
    if checkpoint.exists():
        raise OutputError(f"{folder} already holds a training; add --resume to go on, or choose another folder.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} must be a folder that can be made, got {error.strerror or error}.") from error
    whole = json.dumps(asdict(settings), default=str, indent=2) + "\n"
    write_atomically(folder / SETTINGS, lambda file: file.write(whole.encode()))
    return None


def _check_same(told: dict[str, object], path: Path) -> None:
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(f"--resume needs the settings in {path}, which cannot be read ({error}).") from error
    for name, value in told.items():
        if saved.get(name) != value:
            raise InputError(
                f"--resume goes on with the same settings, but {name} was {saved.get(name)!r} and is {value!r}; "
                "use the old value, or begin anew in another folder."
            )


def lightning_or_sentence() -> None:
    """Raise InputError unless what training needs is installed."""
    missing = [name for name in ("lightning", "kornia", "tensorboard") if find_spec(name) is None]
    if missing:
        raise InputError(f"training needs {', '.join(missing)}; run: pip install 'xraykit-xvr[train]'.")


def _network(settings: TrainSettings) -> PoseNetwork:
    torch.manual_seed(settings.seed)
    if settings.checkpoint is not None:
        return load_network(settings.checkpoint).train()
    camera = chosen_camera(settings, settings.size or 64)
    frame = NetworkFrame(
        sdd=float(torch.as_tensor(camera.sdd)),
        height=camera.height,
        delx=float(torch.as_tensor(camera.pixel_spacing)),
        frame=settings.frame,
        parameterization=settings.parameterization,
    )
    return PoseNetwork(
        frame, backbone=settings.backbone, norm=settings.norm or "groupnorm", pretrained=settings.pretrained
    )
