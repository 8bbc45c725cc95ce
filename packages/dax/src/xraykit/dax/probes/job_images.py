"""The images of a data set job for a probe: regions from records, metal from tools' masks, screws from their ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

from torch import Tensor

from xraykit.render import InputError
from xraykit.render.dataset import ReadingOrder, XrayDataset, XraySample
from xraykit.render.evaluation import input_digest

from ..data import PreprocessSettings, SquareMap, network_square
from .probe_set import ProbeImage, ProbeSet, spread

ProbeTruth = Literal["region", "metal", "screws"]
"""What a probe asks for."""
VERSION = 1  # a new number where images or truth would come out otherwise


def images_of_job(
    folder: str | Path,
    truth: ProbeTruth,
    settings: PreprocessSettings,
    *,
    split: str | None = None,
    limit: int | None = None,
) -> ProbeSet:
    """The samples of a data set, in the order of its shards, on the square that a backbone sees.

    The class of "region" is `XraySample.region`. The mask of "metal" is the union of the masks of annotations of kind
    "tool" within the open field, for stored masks reach behind the collimator; all False where there are none. The
    keypoints of "screws" are head and tip of every screw, invisible where the square does not show them.

    Args:
        folder: Of the data set.
        truth: What the probe asks for.
        settings: The backbone's preprocessing.
        split: Of the data set; None takes all.
        limit: At most so many images, evenly from all.

    Raises:
        FileError: No finished data set there, or one without a whole shard; damaged shards are left out.
        InputError: No such split, no images, or another truth.
    """
    if truth not in get_args(ProbeTruth):
        raise InputError(f"a probe asks for {', '.join(get_args(ProbeTruth))}, got {truth!r}.")
    parts: tuple[Literal["image", "masks"], ...] = ("image", "masks") if truth == "metal" else ("image",)
    asked: dict[str, Any] = {"split": split, "order": ReadingOrder(shuffle=False), "rank": 0, "world_size": 1}
    dataset = XrayDataset(folder, parts=parts, on_damage="skip", **asked)
    chosen = spread(len(dataset), limit)
    told = [f"{shard.name} {shard.sha256}" for shard in dataset.shards]
    identity = input_digest(*(repr(one).encode() for one in (VERSION, truth, settings, chosen, told)))

    def images() -> Iterator[ProbeImage]:
        wanted = set(chosen)
        for place, sample in enumerate(dataset):
            if place in wanted:
                yield _of_sample(sample, truth, settings)

    def cases() -> list[tuple[str, str]]:
        kept, records = (
            set(chosen),
            XrayDataset(folder, parts=(), on_damage="skip" if dataset.damaged else "stop", **asked),
        )
        told = [(_patient(sample), sample.region) for place, sample in enumerate(records) if place in kept]
        return told if truth == "region" else [(patient, "") for patient, _ in told]

    return ProbeSet(identity, len(chosen), images, cases, dataset.damaged)


def prepared(intensity: Tensor, settings: PreprocessSettings, field: Tensor | None) -> tuple[Tensor, SquareMap]:
    """The network's input (1, S, S) of an intensity (H, W), and where its pixels went."""
    square, mapping = network_square(intensity, settings, field=field)
    return square[None], mapping


def _of_sample(sample: XraySample, truth: ProbeTruth, settings: PreprocessSettings) -> ProbeImage:
    image, mapping = prepared(sample.intensity()[0], settings, sample.open_field)
    name, patient = sample.key, _patient(sample)
    if truth == "region":
        return ProbeImage(name, patient, image, label=sample.region)
    if truth == "metal":
        return ProbeImage(name, patient, image, mask=mapping.masks_to_input(_tool_mask(sample) & sample.open_field))
    from .screws.data import screws_of_sample, square_keypoints

    return ProbeImage(name, patient, image, keypoints=square_keypoints(screws_of_sample(sample), mapping))


def _patient(sample: XraySample) -> str:
    return f"{sample.patient:06d}"


def _tool_mask(sample: XraySample) -> Tensor:
    """(H, W) bool."""
    tools = [n for n, kind in enumerate(sample.kinds) if kind == "tool"]
    return sample.masks[tools].any(0)
