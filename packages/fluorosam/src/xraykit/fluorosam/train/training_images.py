"""What a training learns from: images prepared once, some patients held out, and texts that ask for what they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from xraykit.render.training import hold_out_patients, is_follower

from ..data.segmentation_batches import SegmentationBatch, SegmentationBatches
from ..data.segmentation_preparation import prepare_segmentations, wait_for_segmentations
from ..data.segmentation_store import SegmentationStore
from ..network.config import FluoroSamConfig
from ..prompts.merging import merge_prompts
from ..prompts.prompt_files import read_prompts
from ..prompts.prompt_job import PromptJobSettings, make_prompts
from ..prompts.settings import GrammarSettings
from ..prompts.text_prompt import TextPrompt
from .encoder_settings import EncoderDataSettings
from .held_out_prompts import HeldOutBatches
from .settings import SegmentationDataSettings, SegmentationTrainSettings

SPLIT_SEED = 0
"""Trainings of all seeds hold out the same patients."""
HELD_OUT_SEED = 1_000_003
"""Of the prompts that every validation asks."""
HELD_OUT_ABSENT = 0.25
"""Share of them that ask for what is not there."""
HELD_OUT_BATCH = 8


@dataclass(frozen=True, eq=False)
class TrainingImages:
    """What is learned from, and what is only looked at.

    Args:
        store: Prepared images.
        settings: Of the training.
        config: Of the network.
        numbers: Images that are learned from.
        texts: By target.
        held_out: Fixed batches of other patients, or None.
    """

    store: SegmentationStore
    settings: SegmentationTrainSettings
    config: FluoroSamConfig
    numbers: Sequence[int]
    texts: Mapping[str, Sequence[TextPrompt]]
    held_out: HeldOutBatches | None

    def batches(self, rank: int, ranks: int) -> SegmentationBatches:
        """Changed images for a process of the training."""
        own = self.settings
        return SegmentationBatches(
            self.store,
            self.numbers,
            self.texts,
            own.changes,
            batch=own.length.batch or 1,
            prompts=own.data.prompts,
            tools=own.data.tools,
            absent=own.data.absent,
            seed=own.run.seed,
            rank=rank,
            ranks=ranks,
            input=self.config.input,
            workers=own.run.workers,
        )


def load_training_images(
    settings: SegmentationTrainSettings,
    config: FluoroSamConfig,
    *,
    report: Callable[[str, int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> TrainingImages:
    """Prepare the images, or take those prepared before; hold patients out; write or read texts.

    Of several processes of a training the first prepares, and the others wait for it.

    Args:
        settings: Of the training.
        config: Of the network.
        report: Told of images that are prepared, and of texts.
        say: Called with who is held out.

    Raises:
        InputError: Nobody to learn from, or nothing to ask for. FileError: Damaged data or texts.
        OutputError: The cache cannot be written.
    """
    own = settings.data
    store = prepared_images(own, config, settings.run.output, report)
    learned, held = split_images(store, own.held_out_share)
    texts = texts_by_target(own, None if report is None else partial(report, "texts"))
    fixed = _held_out(store, held, texts, own, config) if held and own.held_out_images else None
    if say is not None:
        patients = [len({store.patient(number) for number in numbers}) for numbers in (learned, held)]
        count = 0 if fixed is None else sum(len(batch.images) for batch in fixed.batches)
        say(
            f"{len(learned)} images of {patients[0]} patients to learn from, {len(held)} of {patients[1]} held out: "
            f"scores on {count} of theirs in the curve"
        )
        say(f"{sum(map(len, texts.values()))} texts for {len(texts)} targets")
    return TrainingImages(store, settings, config, learned, texts, fixed)


def split_images(store: SegmentationStore, share: float) -> tuple[list[int], list[int]]:
    """Numbers of the images to learn from, and of those of held-out patients.

    Patients of the split "val" are held out, those of "test" are in neither. Without a "val" a share of the others is
    held out, at least one of two or more, none if the share is 0.

    Raises:
        InputError: Nobody is left to learn from, or a patient is in two splits.
    """
    splits: dict[str, set[str]] = {}
    for number in range(len(store)):
        splits.setdefault(store.patient(number), set()).add(store.split(number))
    kept, held = map(set, hold_out_patients(splits, share, seed=SPLIT_SEED))
    numbers = range(len(store))
    return [n for n in numbers if store.patient(n) in kept], [n for n in numbers if store.patient(n) in held]


def texts_by_target(
    own: SegmentationDataSettings, report: Callable[[int, int], None] | None = None
) -> dict[str, list[TextPrompt]]:
    """Texts of the file, or of the grammar: for every target, and for what the images show in their views.

    Raises:
        InputError: A text that asks for two things. FileError: A damaged file or data set.
    """
    if own.texts is not None:
        found = read_prompts(own.texts)
    else:
        many, few = own.texts_per_target, max(1, own.texts_per_target // 10)
        grammar = GrammarSettings(short=many, long=many, held_out_short=few, held_out_long=few)
        jobs = [PromptJobSettings(None, (), None, grammar)]
        jobs += [PromptJobSettings(Path(source), (), None, grammar) for source in own.sources]
        found = merge_prompts(*(make_prompts(job, report=report) for job in jobs))
    texts: dict[str, list[TextPrompt]] = {}
    for one in found:
        texts.setdefault(one.target, []).append(one)
    return texts


def _held_out(
    store: SegmentationStore,
    numbers: Sequence[int],
    texts: Mapping[str, Sequence[TextPrompt]],
    own: SegmentationDataSettings,
    config: FluoroSamConfig,
) -> HeldOutBatches:
    """Batches of images as they are, in both wordings."""
    some = any(one.split == "held_out" for found in texts.values() for one in found)
    size = min(HELD_OUT_BATCH, own.held_out_images, len(numbers))
    batches = partial(
        SegmentationBatches, store, numbers, texts, None, batch=size, prompts=own.held_out_prompts,
        seed=HELD_OUT_SEED, input=config.input,
    )  # fmt: skip
    plain = batches(absent=HELD_OUT_ABSENT)
    count = range(max(1, min(own.held_out_images, len(plain)) // size))
    other = batches(absent=0.0, wording="held_out") if some else None
    rewritten: list[SegmentationBatch] = [] if other is None else [other.batch(n) for n in count]
    return HeldOutBatches([plain.batch(n) for n in count], rewritten, HELD_OUT_SEED)


def prepared_images(
    own: SegmentationDataSettings | EncoderDataSettings,
    config: FluoroSamConfig,
    output: Path,
    report: Callable[[str, int, int], None] | None,
) -> SegmentationStore:
    """The prepared images of a training; of several processes the first prepares them, the others wait.

    Args:
        own: Sources and cache.
        config: Of the network.
        output: Folder of the training, for the images if there is no other cache.
        report: Told of "images".
    """
    cache = own.cache if own.cache is not None else output / "images"
    if is_follower():
        return wait_for_segmentations(own.sources, config, cache)
    return prepare_segmentations(own.sources, config, cache, None if report is None else partial(report, "images"))
