"""The images of a pre-training: prepared once, those of held-out splits set aside, labelled ones to look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.training import TrainingInputs, is_follower

from ..data.frame_images import frames_to_images, pad_frames
from ..data.frame_job import prepare_frames, wait_for_frames
from ..data.frames import FrameStore
from ..data.preprocessing import standardise
from ..data.settings import PreprocessSettings
from ..data.square import to_square
from ..data.stage_told import StageTold
from ..data.xrays import FrameChoice, XrayCollection, find_xrays
from .settings import PretrainSettings
from .watched import WatchedImages

HELD_OUT = ("val", "test")
"""Images of these splits of a data set job or list are never learned from."""
MOST_WATCHED = 480


@dataclass(frozen=True, eq=False)
class TrainingFrames:
    """What is learned from, and what is only looked at.

    Args:
        store: Prepared images.
        learned: Numbers of those that are learned from.
        watched: Labelled images for the k-NN accuracy, or None.
        inputs: What was assumed of them, what is doubtful, and which X-rays could not be read.
    """

    store: FrameStore
    learned: Sequence[int]
    watched: WatchedImages | None
    inputs: TrainingInputs


@dataclass(frozen=True, eq=False)
class TrainingXrays:
    """X-rays to learn from, and more that are only looked at, before they are read."""

    learned: XrayCollection
    watched: XrayCollection | None


def find_training_xrays(settings: PretrainSettings) -> TrainingXrays:
    """The X-rays that the settings name; headers are read, nothing is written.

    Raises:
        FileError: A source does not exist. InputError: No X-rays, or fewer than all processes see at once.
    """
    own, run = settings.data, settings.run
    learned = _found(own.sources, settings)
    together = (settings.length.batch or 1) * run.devices * run.nodes
    if together > len(learned):
        raise InputError(f"a batch of {together} needs as many images, got {len(learned)}; lower --batch.")
    return TrainingXrays(learned, _found(own.held_out, settings) if own.held_out else None)


def load_training_data(
    settings: PretrainSettings,
    found: TrainingXrays,
    *,
    report: StageTold | None = None,
    say: Callable[[str], None] | None = None,
) -> TrainingFrames:
    """Prepare the images, or take those prepared before, and set aside what is held out.

    Of several processes of a training the first prepares, and the others wait for it.

    Args:
        settings: Of the pre-training.
        found: Its X-rays.
        report: Told of images that are prepared.
        say: Called with what was assumed of images.

    Raises:
        FileError: A damaged image, unless those are skipped. InputError: No image to learn from.
        OutputError: The cache cannot be written.
    """
    cache = settings.data.cache if settings.data.cache is not None else settings.run.output / "frames"
    store = _prepared(found.learned, cache, settings, report, say)
    held = [number for number, labels in enumerate(store.labels) if labels.get("split") in HELD_OUT]
    learned = sorted(set(range(len(store))) - set(held))
    if not learned:
        raise InputError("there must be images to learn from, got those of the splits val and test only.")
    parts, inputs = [_labelled(store, held, settings)], TrainingInputs()
    _keep(inputs, found.learned, store)
    if found.watched is not None:
        more = _prepared(found.watched, cache.with_name(f"{cache.name}_held_out"), settings, report, say)
        parts.append(_labelled(more, range(len(more)), settings))
        _keep(inputs, found.watched, more)
    watched = watched_images([part for part in parts if part is not None])
    return TrainingFrames(store, learned, watched, inputs)


def _keep(inputs: TrainingInputs, found: XrayCollection, store: FrameStore) -> None:
    for address in found.datasets:
        inputs.note_data_set(address)
    for note, count in store.notes.items():
        inputs.note(note, count=count)
    inputs.leave_out(store.damaged)


def watched_images(parts: Sequence[tuple[Tensor, list[str], list[str]]]) -> WatchedImages | None:
    """Images with labels and patients as numbers; None where fewer than two labels are there."""
    labels = [label for _, part, _ in parts for label in part]
    patients = [f"{number}/{patient}" for number, (_, _, part) in enumerate(parts) for patient in part]
    classes = sorted(set(labels))
    if len(classes) < 2:
        return None
    people = sorted(set(patients))
    return WatchedImages(
        torch.cat([images for images, _, _ in parts]),
        torch.tensor([classes.index(label) for label in labels]),
        torch.tensor([people.index(patient) for patient in patients]),
    )


def _found(sources: Sequence[str], settings: PretrainSettings) -> XrayCollection:
    own = settings.data
    return find_xrays(
        sources,
        frames=_choice(own.frames),
        polarity=own.polarity,  # type: ignore[arg-type]
        field=settings.preprocess.field == "exposed",
        skip_damaged=own.on_error == "skip",
    )


def _prepared(
    found: XrayCollection,
    cache: Path,
    settings: PretrainSettings,
    report: StageTold | None,
    say: Callable[[str], None] | None,
) -> FrameStore:
    options = {"longest": settings.data.longest, "settings": settings.preprocess}
    if is_follower():
        return wait_for_frames(found, cache, **options)
    store = prepare_frames(
        found,
        cache,
        **options,
        workers=settings.run.workers,
        report=None if report is None else partial(report, "images"),
    )
    if say is not None:
        for note, count in store.notes.items():
            say(f"{count} images: {note}")
    return store


def _labelled(
    store: FrameStore, numbers: Sequence[int], settings: PretrainSettings
) -> tuple[Tensor, list[str], list[str]] | None:
    """At most 480 images that have the label, evenly chosen, as the network takes them; their labels and patients."""
    wanted = settings.data.label
    known = [number for number in numbers if store.labels[number].get(wanted)]
    if not known:
        return None
    step = max(1.0, len(known) / MOST_WATCHED)
    known = [known[int(place * step)] for place in range(min(len(known), MOST_WATCHED))]
    images = torch.cat([_image(store, number, settings.preprocess) for number in known])
    labels = [store.labels[number][wanted] for number in known]
    return images, labels, [store.labels[number].get("patient") or store.names[number] for number in known]


def _image(store: FrameStore, number: int, settings: PreprocessSettings) -> Tensor:
    batch = pad_frames([store[number]])
    deviations = torch.tensor([settings.deviations])
    images = frames_to_images(batch, deviations, torch.tensor([False]), lowpass=settings.lowpass)
    return standardise(to_square(images, settings)[0], settings)


def _choice(frames: str) -> FrameChoice:
    return int(frames) if frames.isdecimal() else frames  # type: ignore[return-value]
