"""Training of classifiers of studies, one arm or a grid of them: settings in; weights, rows, scores, pictures out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from xraykit.render import InputError
from xraykit.render.evaluation import read_rows, write_evaluation, write_rows
from xraykit.render.extras import require
from xraykit.render.pictures import save_png
from xraykit.render.storage import check_same_settings, make_folder, to_plain, write_settings
from xraykit.render.training import check_folder, check_length, completed_run, fit, prepare_folder

from .network.classifier import StudyClassifier
from .pictures.attention_picture import AttentionLook, draw_attention
from .scores.study_report import arm_report, grid_report
from .scores.study_rows import StudyRow
from .studies.study_batches import StudyMatrices
from .studies.study_store import StudyStore
from .studies.study_truth import TRUTH
from .train.classifier_start import start_classifier
from .train.classify_settings import ClassifyGridSettings, ClassifySettings
from .train.classify_task import ClassifyTask, predict_studies
from .train.ended_trainings import may_have_ended
from .train.study_arm import StudyArm, all_arms
from .train.study_inputs import StudyInputs, StudyTold, load_study_inputs

ROWS, SETTINGS, CHECKPOINT = "rows.json", "settings.json", "last.ckpt"
PICTURES = 4  # of attention
FREE = ("output", "resume", "workers", "device", "devices", "nodes", "strategy", "seeds", "arms", "reference")


@dataclass(frozen=True)
class ClassifyResult:
    """What a training, or a grid of them, has come to.

    Args:
        folder: Where everything lies.
        rows: {arm: rows of each seed}, validation and test studies.
        report: report.md, whose numbers are in report.json.
        trained: Trainings that this call made; others were there.
        left_out: (name, sentence) of each study with an X-ray that could not be used.
    """

    folder: Path
    rows: dict[str, list[list[StudyRow]]]
    report: Path
    trained: int
    left_out: tuple[tuple[str, str], ...] = ()


def classify_studies(
    settings: ClassifySettings,
    *,
    report: StudyTold | None = None,
    say: Callable[[str], None] | None = None,
) -> ClassifyResult:
    """Train a classifier of studies, or all arms of a comparison, and score them on the test studies.

    One arm lies in the output folder itself: weights, curve, rows.json (a row for each validation and test study),
    report.md, and pictures of what it looked at. Of a grid each arm has a folder with one folder for each seed; what
    has its rows.json is finished and is left alone, what was interrupted goes on from its checkpoint. Scores are made
    from the rows alone. Studies with an X-ray that cannot be used are left out of all of them.

    Args:
        settings: See `ClassifySettings`.
        report: Told of progress.
        say: Called with sentences.

    Raises:
        InputError: Settings outside their range or that do not go together, a split without a label, or fewer
            training studies than a batch.
        BackendUnavailableError: lightning or tensorboard is not installed.
        FileError: A manifest, all X-rays, weights or correspondences that cannot be used, or an X-ray is missing.
        OutputError: The folder cannot be written, or holds another training.
        TrainingFailedError: The loss is not finite.
    """
    for module in ("lightning", "tensorboard"):
        require(module, extra="train", distribution="xraykit-corr", what="training a classifier")
    check_length(settings.length)
    settings = replace(settings, run=completed_run(settings.run))
    arms = _arms(settings)
    if not settings.grid.grid:
        check_folder(settings.run)
    inputs = load_study_inputs(settings, arms, report=report)
    if say is not None:
        for line in inputs.told().lines:
            say(line)
    if settings.grid.grid:
        return _run_grid(settings, arms, inputs, report, say)
    arm = arms[0]
    rows = _train(settings, arm, inputs, settings.run.output, report)
    found = replace(arm_report(arm.name, rows), left_out=inputs.store.left_out)
    _, page = write_evaluation(settings.run.output, found, settings=to_plain(settings), stem="report")
    return ClassifyResult(settings.run.output, {arm.name: [rows]}, page, 1, inputs.store.left_out)


def _arms(settings: ClassifySettings) -> list[StudyArm]:
    network, grid = settings.network, settings.grid
    if grid.grid:
        if grid.seeds < 1:
            raise InputError(f"--seeds must be 1 or more, got {grid.seeds}.")
        if grid.arms:
            arms = [StudyArm.named(name) for name in dict.fromkeys(grid.arms)]
        else:
            truth = (settings.data.studies.parent / TRUTH).is_file()
            has = {name: getattr(network, name) is not None for name in ("pretrained", "control", "pretext")}
            arms = list(all_arms(**has, truth=truth))
        names = [arm.name for arm in arms]
        if grid.reference not in (*names, ClassifyGridSettings.reference):
            raise InputError(f"--reference must be one of {', '.join(names)}, got {grid.reference[:60]!r}.")
        return arms
    start = network.start or ("scratch" if network.pretrained is None else "pretrained")
    return [StudyArm(network.fusion, start, network.guidance)]


def _run_grid(
    settings: ClassifySettings,
    arms: Sequence[StudyArm],
    inputs: StudyInputs,
    report: StudyTold | None,
    say: Callable[[str], None] | None,
) -> ClassifyResult:
    folder, grid = settings.run.output, settings.grid
    if (folder / SETTINGS).is_file():
        check_same_settings(folder / SETTINGS, settings, free=FREE)
    else:
        make_folder(folder)
        write_settings(folder / SETTINGS, settings, command="corr classify", distribution="xraykit-corr")
    rows: dict[str, list[list[StudyRow]]] = {arm.name: [] for arm in arms}
    trained = 0
    for number in range(grid.seeds):
        for arm in arms:
            seed = settings.run.seed + number
            own = folder / arm.name / f"seed{seed}"
            if (own / ROWS).is_file():
                rows[arm.name].append(read_rows(own / ROWS, StudyRow))
                continue
            run = replace(settings.run, output=own, seed=seed, resume=(own / CHECKPOINT).is_file())
            network = replace(settings.network, fusion=arm.fusion, start=arm.start, guidance=arm.guidance)
            single = replace(settings, network=network, run=run, grid=replace(grid, grid=False, seeds=1, arms=()))
            with may_have_ended():
                rows[arm.name].append(_train(single, arm, inputs, own, report, pictures=number == 0))
            trained += 1
            if say is not None:
                say(f"{arm.name}, seed {seed}: done")
    reference = grid.reference if grid.reference in rows else arms[0].name
    found = replace(grid_report(rows, reference=reference), left_out=inputs.store.left_out)
    _, page = write_evaluation(folder, found, settings=to_plain(settings), stem="report")
    return ClassifyResult(folder, rows, page, trained, inputs.store.left_out)


def _train(
    settings: ClassifySettings,
    arm: StudyArm,
    inputs: StudyInputs,
    folder: Path,
    report: StudyTold | None,
    *,
    pictures: bool = True,
) -> list[StudyRow]:
    """One training; its rows, which are written first of all."""
    begun, own, store = time.monotonic(), settings.network, inputs.store
    matrices = matrices_of(settings, arm, inputs)
    classifier = start_classifier(
        arm,
        inputs.matcher,
        inputs.starts,
        seed=settings.run.seed,
        per_head=own.per_head,
        centred=own.centred,
        pool=own.pool,
    )
    prepare_folder(settings.run, settings, command="corr classify", distribution="xraykit-corr")
    if settings.run.compile:
        classifier.compile()
    fixed = arm.start not in ("scratch", "permuted") and not settings.objective.renew_statistics
    task = ClassifyTask(classifier, settings, store, matrices=matrices, fixed_statistics=fixed)
    batches = None if report is None else partial(report, f"batches of {arm.name}, seed {settings.run.seed}")
    fit(task, settings.run, settings.length, report=batches, begun=begun, inputs=inputs.told())
    classifier.load_state_dict(task.best_state)
    device = torch.device(settings.run.device)
    classifier.to(device)
    looked_at = [*store.numbers_of("val"), *store.numbers_of("test")]
    rows = predict_studies(classifier, store, looked_at, device, matrices=matrices)
    write_rows(folder / ROWS, rows)
    if pictures and inputs.matcher.module == "standard" and arm.fusion != "single":
        draw_studies(classifier, store, folder, device, matrices=matrices)
    return rows


def matrices_of(settings: ClassifySettings, arm: StudyArm, inputs: StudyInputs) -> StudyMatrices | None:
    """The correspondences that guide an arm."""
    learned = inputs.store.numbers_of("train")
    return inputs.guidance.matrices(arm.guidance, learned=learned, seed=settings.run.seed)


def draw_studies(
    classifier: StudyClassifier,
    store: StudyStore,
    folder: Path,
    device: torch.device,
    *,
    matrices: StudyMatrices | None = None,
    count: int = PICTURES,
) -> list[Path]:
    """Pictures of what a classifier looked at in the first test studies, positive and negative ones in turn.

    A guided one is shown beside itself without guidance (all alphas 0). Returns the files, DIR/attention/STUDY.png.
    """
    classifier.eval()
    by_label = [[n for n in store.numbers_of("test") if int(store.labels[n]) == label] for label in (1, 0)]
    numbers = [n for pair in zip(*by_label, strict=False) for n in pair][:count]
    make_folder(folder / "attention")
    files = []
    for number in numbers:
        there = int(store.present[number].sum())
        images, study = store.images(number), store.studies[number]
        guide = None if matrices is None else matrices(number)[None].to(device)
        present = store.present[number][None].to(device)
        row = predict_studies(classifier, store, [number], device, matrices=matrices)[0]
        looks = []
        for name, given in (("guided", guide), ("not guided", None if guide is None else torch.zeros_like(guide))):
            if guide is not None or name == "not guided":
                maps = classifier.attention_maps(
                    images[None].to(device), correspondences=given, present=present, kind="received"
                )
                looks.append(AttentionLook(name, maps[0, :there].cpu()))
        title = f"{study.name}   label {study.label}, said {row.probability:.2f}"
        views = [image.projection or f"view {image.view + 1}" for image in study.images[:there]]
        safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in study.name)[:100]
        picture = draw_attention(images[:there], looks, views=views, title=title)
        files.append(save_png(folder / "attention" / f"{safe}.png", picture))
    return files
