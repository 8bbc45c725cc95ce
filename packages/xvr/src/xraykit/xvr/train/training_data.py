"""What a training works with: patients or stored images, held-out views, the warp."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xraykit.render import InputError, Volume
from xraykit.render.dataset import XrayDataset

from ..network.frame import NetworkFrame
from ..template.warp import read_warp
from .patients import HOLD_OUT_FROM, KEPT, ROOM, CTFolder, ManyPatients, OnePatient, Patients, Procedural, files_in
from .poses import chosen_range, draw
from .rendered_patient import RenderedPatient, prepare
from .rendered_views import drawn_views, worth_learning
from .settings import TrainSettings
from .sources import HELD_OUT, RenderedViews, ViewSource
from .stored import StoredViews, held_out_samples
from .validation import HeldOut

TRIES = 8
LEAST_SHOWN = 0.5
"""Share of stored images that must show something on the network's detector."""
VALIDATION_SEED = 1_000_000
"""Seeds of held-out procedural patients lie so far from those of the training."""


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What is learned from.

    Args:
        source: The batches of (rank, ranks).
        held_out: Views for the validation.
        grid: A CT that poses refer to.
        warp: Template to patient, (4, 4), for networks in a template frame.
        left_out: (name, sentence) of each damaged shard of a data set.
    """

    source: Callable[[int, int], ViewSource]
    held_out: HeldOut
    grid: Volume
    warp: Tensor | None
    left_out: tuple[tuple[str, str], ...] = ()


def load_training_data(
    settings: TrainSettings,
    frame: NetworkFrame,
    *,
    on_read: Callable[[Volume], None] | None = None,
    meet: Callable[[RenderedPatient], None] | None = None,
) -> TrainingData:
    """Read or make what the settings name, as the network's detector sees it.

    Args:
        settings: What is learned from.
        frame: The network's camera and pose frame.
        on_read: Called with the one CT that is learned from, as its file has it.
        meet: Called with each of many CTs when it comes for the first time.

    Raises:
        FileError: A CT, data set or warp that cannot be used.
        InputError: A warp is missing or superfluous, or hardly any pose of the range shows the patient.
    """
    if settings.data.dataset is not None:
        return _stored(settings, settings.data.dataset, frame)
    poses = chosen_range(settings.poses)
    depth = (poses.ty[0] + poses.ty[1]) / 2
    voxel = settings.poses.voxel or frame.delx * min(depth / frame.sdd, 1.0)
    warp = None
    first: RenderedPatient | None = None
    if settings.data.ct is not None:
        volume = Volume.from_file(settings.data.ct, labels=settings.data.labels, **settings.data.volume.reading)
        if on_read is not None:
            on_read(volume)
        warp = _warp(settings, frame, volume)
        first = prepare(volume, voxel=voxel, name=settings.data.ct.name)
    elif frame.frame == "template":
        warp = torch.eye(4, dtype=torch.float64)

    def patients(rank: int, ranks: int) -> Patients:
        return OnePatient(first) if first is not None else _many(settings, voxel, rank, ranks, meet)

    known = patients(0, 1)

    def source(rank: int, ranks: int) -> ViewSource:
        own = known if ranks == 1 else patients(rank, ranks)
        return RenderedViews(
            own,
            poses=poses,
            camera=frame.camera(),
            batch=settings.length.batch or 1,
            bone=settings.images.bone,
            seed=settings.run.seed,
            rank=rank,
            together=settings.data.patients_per_batch or 1,
            aligned=frame.frame == "template",
        )

    return TrainingData(source, _held_out(known.held_out, settings, frame), known.held_out.grid, warp)


def _many(
    settings: TrainSettings, voxel: float, rank: int, ranks: int, meet: Callable[[RenderedPatient], None] | None
) -> ManyPatients:
    data, seed = settings.data, settings.run.seed
    if data.cts is not None:
        files = files_in(data.cts)
        held_out = CTFolder(files[::-1], voxel, data.volume)(0) if len(files) >= HOLD_OUT_FROM else None
        number = len(files) if held_out is None else [file.name for file in files].index(held_out.name)
        make = CTFolder(files[: max(number, 1)], voxel, data.volume)
    else:
        organs = (settings.loss.image_loss_from or 0.0) < 1
        make = Procedural(data.procedural or "", seed * VALIDATION_SEED, data.voxels, voxel, organs)
        number = data.patients or 1
        held_out = make(number)
    return ManyPatients(
        make,
        max(number, 1),
        held_out=held_out,
        each=data.steps_per_patient,
        seed=seed,
        together=data.patients_per_batch or 1,
        keep=KEPT if held_out is None else max(KEPT, ROOM // held_out.nbytes),
        rank=rank,
        ranks=ranks,
        workers=settings.run.workers,
        meet=meet,
    )


def _held_out(patient: RenderedPatient, settings: TrainSettings, frame: NetworkFrame) -> HeldOut:
    """Views that show the patient, drawn with keys of their own, with the contrast of the CT."""
    wanted = settings.data.validation_views
    images, poses = [], []
    for attempt in range(TRIES):
        key = (settings.run.seed, HELD_OUT, attempt)
        pose = draw(chosen_range(settings.poses), patient.grid.center, wanted, key, frame.camera())
        views = drawn_views(patient, frame.camera(), pose, bone=(1.0, 1.0))
        images.append(views.image[views.kept])
        poses.append(pose[views.kept])
        if sum(map(len, poses)) >= wanted:
            image, pose = torch.cat(images)[:wanted], torch.cat(poses)[:wanted]
            return HeldOut(image, pose, patient.points, patient.grid.center, frame.camera())
    share = sum(map(len, poses)) / (TRIES * wanted)
    raise InputError(
        f"the range of poses must show {patient.name}, but only {100 * share:.0f} % of its views meet it on a tenth "
        "of the image; check the range and the CT's position."
    )


def _stored(settings: TrainSettings, folder: Path, frame: NetworkFrame) -> TrainingData:
    camera = frame.camera()
    damaged = XrayDataset(folder, parts=(), rank=0, world_size=1, on_damage="skip").damaged
    known: dict[str, Any] = {"camera": camera, "on_damage": "skip" if damaged else "stop"}
    image, pose, points = held_out_samples(folder, count=settings.data.validation_views, **known)
    shown = float(worth_learning(image, None).double().mean())
    if shown < LEAST_SHOWN:
        raise InputError(
            f"the network's detector must see what the images of {folder} show, but only {100 * shown:.0f} % of them "
            "cover a tenth of it; set --field-of-view and --sdd to those of the data set."
        )
    origin = torch.zeros(3, dtype=torch.float64)
    held_out = HeldOut(image, pose, points, origin, camera)

    def source(rank: int, ranks: int) -> ViewSource:
        batch, run = settings.length.batch or 1, settings.run
        return StoredViews(folder, batch=batch, seed=run.seed, workers=run.workers, **known)

    grid = Volume(torch.zeros(1, 1, 1), torch.eye(4, dtype=torch.float64))
    warp = torch.eye(4, dtype=torch.float64) if frame.frame == "template" else None
    return TrainingData(source, held_out, grid, warp, damaged)


def _warp(settings: TrainSettings, frame: NetworkFrame, volume: Volume) -> Tensor | None:
    warp = None if settings.network.warp is None else read_warp(settings.network.warp, volume)
    frame.check_warp(warp)
    return warp
