"""Settings made complete for the device at hand, and checked before anything heavy happens."""

from __future__ import annotations

import math
from dataclasses import fields, replace

from xraykit.render import InputError
from xraykit.render.patient import REGIONS
from xraykit.render.training import check_length, check_positive, completed_run

from .detector import chosen_frame
from .poses import chosen_range
from .settings import PoseLengthSettings, TrainingDataSettings, TrainSettings

SOURCES = ("ct", "cts", "dataset", "procedural")
STEPS = 30_000
SHARED = 4
"""Patients in a batch, where nothing speaks against it."""


def completed(settings: TrainSettings) -> TrainSettings:
    """The settings with every default filled in.

    Raises:
        InputError: Options that contradict each other or lie outside their range, no source of images, no GPU where
            one is asked for.
        FileError: A camera file that cannot be used.
    """
    _check_source(settings.data)
    _check_numbers(settings)
    chosen_range(settings.poses)
    _check_network(settings)
    run, length, loss, detector, network = (
        completed_run(settings.run), settings.length, settings.loss, settings.detector, settings.network
    )  # fmt: skip
    cuda, stored = run.device == "cuda", settings.data.dataset is not None
    steps = STEPS if length.steps is None and length.minutes is None else length.steps
    image_loss_from = _first(loss.image_loss_from, 0.0 if cuda and not stored else 1.0)
    length = replace(length, steps=steps, batch=length.batch or (116 if cuda else 16))
    check_length(length)
    return replace(
        settings,
        run=run,
        length=length,
        data=replace(
            settings.data,
            patients=settings.data.patients or (1000 if cuda else 200),
            patients_per_batch=_patients_per_batch(settings.data, image_loss_from, length),
        ),
        loss=replace(loss, image_loss_from=image_loss_from),
        network=replace(
            network,
            norm=network.norm or ("groupnorm" if cuda else "default"),
            pose_frame="template" if stored else network.pose_frame,
        ),
        detector=detector
        if network.checkpoint is not None
        else replace(detector, size=detector.size or (128 if cuda else 64)),
    )


def _check_source(data: TrainingDataSettings) -> None:
    given = [name for name in SOURCES if getattr(data, name) is not None]
    if len(given) != 1:
        came = " and ".join(given) if given else "none of them"
        raise InputError(f"give exactly one of CT, --cts, --dataset and --procedural to learn from, got {came}.")
    if data.labels is not None and data.ct is None:
        raise InputError("--labels belongs to the one CT that it labels, got no CT; leave it out.")
    if data.procedural is not None and data.procedural not in REGIONS:
        raise InputError(f"--procedural must be one of {', '.join(REGIONS)}, got {data.procedural!r}.")


def _check_network(settings: TrainSettings) -> None:
    data, network, detector = settings.data, settings.network, settings.detector
    if network.warp is not None and (network.checkpoint is None or data.ct is None):
        raise InputError("--warp says where the template of a --checkpoint lies in CT; give both, or leave it out.")
    if data.ct is not None and network.pose_frame == "template" and network.checkpoint is None:
        raise InputError("a network of one CT counts from its centre; leave --pose-frame out.")
    late = settings.loss.image_loss_from
    if data.dataset is not None and late is not None and late < 1:
        raise InputError("images of a data set cannot be rendered again; leave --image-loss-from out.")
    if network.checkpoint is not None:
        told = [part.name for part in fields(detector) if getattr(detector, part.name) is not None]
        given = told + ["pretrained"] * network.pretrained
        if given:
            names = ", ".join("--" + name.replace("_", "-") for name in given)
            raise InputError(f"a --checkpoint brings its own network and detector, got also {names}; leave it out.")
    else:
        chosen_frame(settings)


def _check_numbers(settings: TrainSettings) -> None:
    images, loss = settings.images, settings.loss
    check_positive(settings.length, ("batch",))
    check_positive(settings.poses, ("voxel",))
    check_positive(settings.detector, ("size", "sdd", "field_of_view"))
    check_positive(settings.data, ("patients", "steps_per_patient", "patients_per_batch", "validation_views"))
    check_positive(loss, (), or_zero=("weight_pose", "weight_image", "weight_dice"))
    for option, value in (("--augment", images.augment), ("--image-loss-from", loss.image_loss_from)):
        if value is not None and not 0 <= value <= 1:
            raise InputError(f"{option} must lie in 0 to 1, got {value}.")
    low, high = images.bone
    if not (math.isfinite(high) and 0 <= low <= high):
        raise InputError(f"--bone must be a lower and an upper multiplier, 0 or more, got {low} {high}.")


def _patients_per_batch(data: TrainingDataSettings, image_loss_from: float, length: PoseLengthSettings) -> int:
    """How many patients share a batch, and whether they can."""
    many, batch = data.cts is not None or data.procedural is not None, length.batch or 1
    wanted = data.patients_per_batch
    if wanted is None:
        return min(SHARED, batch) if many and image_loss_from >= 1 else 1
    if wanted > 1 and not many:
        raise InputError("--patients-per-batch is for --cts and --procedural; leave it out, or give one of them.")
    if wanted > 1 and image_loss_from < 1:
        raise InputError(
            "images of several patients in a batch cannot be compared; give --patients-per-batch 1, or "
            "--image-loss-from 1."
        )
    if wanted > batch:
        raise InputError(f"--patients-per-batch must be at most --batch, {batch}, got {wanted}.")
    return wanted


def _first(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
