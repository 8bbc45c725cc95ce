"""Reports of classifiers of studies, from their rows alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from statistics import fmean, stdev
from typing import Any

from xraykit.render.evaluation import EvaluationReport, auroc, holm, markdown_table, reliability

from .study_comparison import compare_studies, mean_area_interval
from .study_measures import StudyScores, best_threshold, study_intervals, study_scores
from .study_rows import StudyRow

SHOWN = ("accuracy", "precision", "recall", "kappa", "auroc", "ap")


def arm_report(name: str, rows: Sequence[StudyRow]) -> EvaluationReport:
    """Scores of the test studies at one half and at the threshold that validation studies chose, and calibration.

    Raises:
        InputError: A split without studies of both labels.
    """
    test, chosen = _split(rows, "test"), best_threshold(_split(rows, "val"))
    tables, numbers = [], {}
    for threshold, what in ((0.5, "one half"), (chosen, "chosen on the validation studies")):
        scores, intervals = study_scores(test, threshold=threshold), study_intervals(test, threshold=threshold)
        numbers[what] = {**asdict(scores), "intervals": {key: list(pair) for key, pair in intervals.items()}}
        lines = [[key, f"{getattr(scores, key):.3f}", "{:.3f} to {:.3f}".format(*intervals[key])] for key in SHOWN]
        head = f"Threshold {threshold:.3f} ({what}):\n\n"
        tables.append(head + markdown_table(["", "test studies", "95 %"], [*lines, ["ECE", f"{scores.ece:.3f}", ""]]))
    numbers |= _by_view(test)
    return EvaluationReport(
        sections=(*tables, _calibration(test)),
        numbers={"arm": name, **numbers},
        notes=(f"{len(test)} test studies, {sum(row.label for row in test)} of them positive.",),
        title=name,
    )


def grid_report(rows: Mapping[str, Sequence[Sequence[StudyRow]]], *, reference: str) -> EvaluationReport:
    """All arms: mean and deviation over seeds, interval by patient, and paired tests against a reference.

    Args:
        rows: {arm: rows of each seed}.
        reference: The arm that the others are compared with.

    Raises:
        InputError: Arms of different studies, or a split without studies of both labels.
    """
    tests = {name: [_split(each, "test") for each in seeds] for name, seeds in rows.items()}
    compared = {name: compare_studies(seeds, tests[reference]) for name, seeds in tests.items() if name != reference}
    adjusted = dict(zip(compared, holm([one.p for one in compared.values()]), strict=True))
    lines, numbers = [], {}
    for name, seeds in tests.items():
        scores = [study_scores(each) for each in seeds]
        thresholds = [best_threshold(_split(each, "val")) for each in rows[name]]
        tuned = [study_scores(each, threshold=t) for each, t in zip(seeds, thresholds, strict=True)]
        low, high = mean_area_interval(seeds)
        numbers[name] = {"seeds": [asdict(one) for one in scores], "tuned": [asdict(one) for one in tuned]}
        numbers[name] |= {"auroc_interval": [low, high], **_by_view(seeds[0])}
        shown = [_spread(scores, "auroc"), f"{low:.3f} to {high:.3f}"]
        shown += [_spread(scores, key) for key in ("ap", "accuracy", "kappa", "ece")] + [_spread(tuned, "accuracy")]
        if name in compared:
            one = compared[name]
            numbers[name]["against_reference"] = {**asdict(one), "p_holm": adjusted[name]}
            shown += [f"{one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f})", f"{one.p:.3f}"]
            shown += [f"{adjusted[name]:.3f}", f"{one.mcnemar:.3f}"]
        else:
            shown += ["reference", "", "", ""]
        lines.append([name, str(len(seeds)), *shown])
    head = ["arm", "seeds", "AUROC", "95 %", "AP", "accuracy", "kappa", "ECE", "accuracy, threshold from val"]
    head += ["AUROC - reference (95 %)", "p", "p, Holm", "McNemar p"]
    first = next(iter(tests.values()))[0]
    return EvaluationReport(
        sections=(markdown_table(head, lines),),
        numbers={"reference": reference, "arms": numbers},
        notes=_notes(first, reference),
        title="Arms",
    )


def _notes(test: Sequence[StudyRow], reference: str) -> tuple[str, ...]:
    positives = sum(row.label for row in test)
    error = math.sqrt(0.25 / len(test))
    return (
        f"{len(test)} test studies, {positives} positive: the standard error of an accuracy is up to {error:.3f}, and "
        f"guessing has AP {positives / len(test):.3f}.",
        "Mean and deviation are over seeds; intervals and p are a bootstrap that draws patients and keeps arms paired, "
        f"against {reference}; McNemar's test is of the mean probability over seeds at one half.",
        "Single views are scored by the first X-ray of each study; report.json has them by X-ray as well.",
    )


def _by_view(rows: Sequence[StudyRow]) -> dict[str, Any]:
    """The AUROC of single views, each X-ray counted with its study's label."""
    pairs = [(p, row.label) for row in rows for p in row.view_probabilities]
    if not pairs:
        return {}
    probability, label = zip(*pairs, strict=True)
    return {"auroc_by_view": auroc(probability, [bool(one) for one in label])}


def _calibration(rows: Sequence[StudyRow]) -> str:
    bins = reliability([row.probability for row in rows], [float(row.label) for row in rows], bins=10)
    lines = [[str(one.count), f"{one.predicted:.3f}", f"{one.observed:.3f}"] for one in bins]
    return "Calibration:\n\n" + markdown_table(["studies", "said on average", "came true"], lines)


def _split(rows: Sequence[StudyRow], split: str) -> list[StudyRow]:
    return [row for row in rows if row.split == split]


def _spread(scores: Sequence[StudyScores], key: str) -> str:
    values = [getattr(one, key) for one in scores]
    return f"{fmean(values):.3f}" + (f" +- {stdev(values):.3f}" if len(values) > 1 else "")
