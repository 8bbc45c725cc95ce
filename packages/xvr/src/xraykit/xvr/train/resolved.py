"""Settings made complete and checked before anything heavy happens."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from xraykit.render import InputError
from xraykit.render.patient import REGIONS

from .poses import chosen_range
from .settings import TrainSettings

SOURCES = ("ct", "cts", "dataset", "procedural")
STEPS = 30_000
POSITIVE = ("batch", "size", "rate", "steps", "minutes", "voxel", "sdd", "field_of_view", "accumulate", "devices")
COUNTS = ("nodes", "patients", "steps_per_patient", "validate_every", "validation_views", "save_every")
NOT_NEGATIVE = ("weight_pose", "weight_image", "weight_dice", "warmup", "clip", "workers", "seed")
DETECTOR = ("sdd", "field_of_view", "size")


def resolved(settings: TrainSettings) -> TrainSettings:
    """The settings with every default filled in for the device at hand.

    Raises:
        InputError: Options that contradict each other or lie outside their range, no source of images, no GPU where
            one is asked for.
    """
    _check_source(settings)
    _check_numbers(settings)
    chosen_range(settings)
    cuda = torch.cuda.is_available() if settings.device == "auto" else settings.device == "cuda"
    if cuda and not torch.cuda.is_available():
        raise InputError("--device cuda needs a GPU that torch sees, got none; leave --device out, or say cpu.")
    steps = STEPS if settings.steps is None and settings.minutes is None else settings.steps
    defaults = {
        "device": "cuda" if cuda else "cpu",
        "steps": steps,
        "batch": settings.batch or (116 if cuda else 16),
        "precision": settings.precision or _precision(cuda=cuda),
        "image_loss_from": _image_loss_from(settings, cuda=cuda),
        "norm": settings.norm or ("groupnorm" if cuda else "default"),
        "frame": "template" if settings.dataset is not None else settings.frame,
    }
    if settings.checkpoint is None:
        defaults["size"] = settings.size or (128 if cuda else 64)
    return replace(settings, **defaults)  # type: ignore[arg-type]


def _check_source(s: TrainSettings) -> None:
    given = [name for name in SOURCES if getattr(s, name) is not None]
    if len(given) != 1:
        came = " and ".join(given) if given else "none of them"
        raise InputError(f"give exactly one of CT, --cts, --dataset and --procedural to learn from, got {came}.")
    if s.labels is not None and s.ct is None:
        raise InputError("--labels belongs to the one CT that it labels, got no CT; leave it out.")
    if s.warp is not None and (s.checkpoint is None or s.ct is None):
        raise InputError("--warp says where the template of a --checkpoint lies in CT; give both, or leave it out.")
    if s.procedural is not None and s.procedural not in REGIONS:
        raise InputError(f"--procedural must be one of {', '.join(REGIONS)}, got {s.procedural!r}.")
    if s.ct is not None and s.frame == "template" and s.checkpoint is None:
        raise InputError("a network of one CT counts from its centre; leave --frame out.")
    if s.dataset is not None and s.image_loss_from is not None and s.image_loss_from < 1:
        raise InputError("images of a data set cannot be rendered again; leave --image-loss-from out.")
    if s.checkpoint is not None:
        told = [name for name in (*DETECTOR, "pretrained") if getattr(s, name)]
        if told:
            names = ", ".join("--" + name.replace("_", "-") for name in told)
            raise InputError(f"a --checkpoint brings its own network and detector, got also {names}; leave it out.")


def _check_numbers(s: TrainSettings) -> None:
    for name in (*POSITIVE, *COUNTS):
        value = getattr(s, name)
        if value is not None and not (math.isfinite(value) and value > 0):
            raise InputError(f"{_option(name)} must be positive and finite, got {value}.")
    for name in NOT_NEGATIVE:
        value = getattr(s, name)
        if not (math.isfinite(value) and value >= 0):
            raise InputError(f"{_option(name)} must be 0 or more and finite, got {value}.")
    for name in ("augment", "image_loss_from"):
        value = getattr(s, name)
        if value is not None and not 0 <= value <= 1:
            raise InputError(f"{_option(name)} must lie in 0 to 1, got {value}.")
    low, high = s.bone
    if not (math.isfinite(high) and 0 <= low <= high):
        raise InputError(f"--bone must be a lower and an upper multiplier, 0 or more, got {low} {high}.")


def _image_loss_from(s: TrainSettings, *, cuda: bool) -> float:
    if s.image_loss_from is not None:
        return s.image_loss_from
    return 0.0 if cuda and s.dataset is None else 1.0


def _precision(*, cuda: bool) -> str:
    if cuda:
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    return "bf16-mixed" if torch.cpu.get_capabilities().get("avx512_bf16", False) else "32-true"


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
