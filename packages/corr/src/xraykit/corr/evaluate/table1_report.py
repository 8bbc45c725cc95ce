"""The report of table 1: scores of every row, computed from files alone, with cost, speed and config beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from xraykit.render import FileError
from xraykit.render.evaluation import EvaluationReport, holm, markdown_table

from .arm_scores import ArmScores, patient_test, scores_of_arm
from .evaluation_folder import PLAN, is_done, read_facts
from .held_out_views import ROLLS
from .module_arms import REFERENCE
from .pair_rows import ArmRows, joined, read_arm
from .settings import Table1Settings

MEAN = "mean.npy"
PRIORS = {
    "zero": "prior: nothing matches",
    "mean": "prior: mean C",
    "mean_thickness": "prior: mean C x lesser thickness",
    "pose": "prior: true pose's band x lesser thickness",
}
PAPER = {"none": 54.7, "superglue": 80.1, "loftr": 83.5, "standard_mp": 84.1, "standard": 85.0}
"""Average precision in the paper's table 1 [%]"""
COLUMNS = ["MSE 1e-3", "P", "R", "AP macro (95 %)", "AP micro (95 %)"]


@dataclass(frozen=True, eq=False)
class TableRow:
    """One row: its files, scores and facts."""

    name: str
    rows: ArmRows
    scores: ArmScores
    facts: Mapping[str, Any]


def table1_report(output: Path, settings: Table1Settings) -> EvaluationReport:
    """The report on what is in the folder of an evaluation; rows that are not done are left out.

    Args:
        output: The folder.
        settings: What was asked for.

    Raises:
        FileError: A file of a row is damaged, or no row is done.
    """
    arms = [row for name in settings.rows.arms if (row := _arm(output, name)) is not None]
    if not arms:
        raise FileError(f"{output} must hold a row that is done, got none; let the evaluation go on with --resume.")
    priors = [_row(name, [output / "priors" / name]) for name in PRIORS]
    tests = _tests(arms)
    plan = read_facts(output, PLAN)
    numbers = {
        "plan": plan,
        "arms": {row.name: asdict(row.scores) | {"facts": dict(row.facts)} for row in arms},
        "priors": {row.name: asdict(row.scores) for row in priors},
        "tests": {name: {"difference": d, "p": p, "p_holm": adjusted} for name, (d, p, adjusted) in tests.items()},
        "roll": _roll_numbers(output, arms, settings),
        "order": [row.name for row in sorted(arms, key=lambda row: -row.scores.ap_macro)],
    }
    sections = [
        _main_table(arms, priors, tests),
        _threshold_table([*arms, *priors]),
        *([_roll_table(numbers["roll"])] if numbers["roll"] else []),
        _config_table(arms, numbers["order"]),
    ]
    return EvaluationReport(
        tuple(sections), numbers, notes=_notes(plan, arms, settings), title="Table 1: how tokens attend"
    )


def _arm(output: Path, name: str) -> TableRow | None:
    folders = sorted((output / "arms").glob(f"{name}-seed*"), key=lambda folder: int(folder.name.split("seed")[1]))
    folders = [folder for folder in folders if is_done(folder)]
    return _row(name, folders, read_facts(folders[0]), folders) if folders else None


def _row(
    name: str, folders: list[Path], facts: Mapping[str, Any] | None = None, trained: list[Path] | None = None
) -> TableRow:
    rows = joined([read_arm(folder) for folder in folders])
    own = dict(facts or {})
    if trained:
        each = [read_facts(folder) for folder in trained]
        own["match_pairs_per_s"] = fmean(one["match_pairs_per_s"] for one in each)
        own["train_pairs_per_s"] = fmean(_speed(one) for one in each)
        own["seconds"] = [one["seconds"] for one in each]
    return TableRow(name, rows, scores_of_arm(rows), own)


def _speed(facts: Mapping[str, Any]) -> float:
    last = facts["curve"][-1] if facts["curve"] else {}
    return float(last.get("pairs_per_s", math.nan))


def _tests(arms: list[TableRow]) -> dict[str, tuple[float, float, float]]:
    """Difference of the mean over patients to the reference, p, and p for all of them together."""
    reference = next((row for row in arms if row.name == REFERENCE), None)
    others = [row for row in arms if row is not reference]
    if reference is None or not others:
        return {}
    found = {row.name: patient_test(row.rows, reference.rows) for row in others}
    adjusted = holm([test.p for test in found.values()])
    return {name: (t.statistic, t.p, p) for (name, t), p in zip(found.items(), adjusted, strict=True)}


def _main_table(arms: list[TableRow], priors: list[TableRow], tests: Mapping[str, tuple[float, float, float]]) -> str:
    head = ["row", "layers", "weights M", "GFLOP a pair", "training pairs/s", "matching pairs/s", *COLUMNS]
    head += [f"AP - {REFERENCE} (p)", "paper's AP"]
    lines = []
    for row in arms:
        facts, cost = row.facts, row.facts["cost"]
        about = [str(facts["layers"]), f"{cost['weights'] / 1e6:.2f}", f"{cost['flops'] / 1e9:.2f}"]
        about += [f"{facts['train_pairs_per_s']:.3g}", f"{facts['match_pairs_per_s']:.3g}"]
        test = tests.get(row.name)
        against = "" if test is None else f"{100 * test[0]:+.1f} ({test[2]:.2g})"
        lines.append([row.name, *about, *_scores(row.scores), against, _percent(PAPER.get(row.name, math.nan) / 100)])
    lines += [[PRIORS[row.name], "", "0", "", "", "", *_scores(row.scores), "", ""] for row in priors]
    return markdown_table(head, lines)


def _scores(scores: ArmScores) -> list[str]:
    own = scores.at_chosen
    spread = "" if math.isnan(scores.deviation) else f" +- {100 * scores.deviation:.1f}"
    return [
        f"{1000 * scores.mse:.2f}",
        _percent(own.precision),
        _percent(own.recall),
        f"{_percent(scores.ap_macro)}{spread} {_ends(scores.ap_macro_interval)}",
        f"{_percent(scores.ap_micro)} {_ends(scores.ap_micro_interval)}",
    ]


def _threshold_table(rows: list[TableRow]) -> str:
    head = ["row", "P macro", "R macro", "P at 0.5", "R at 0.5", "AP, 0.2 is true", "P at 0.2", "R at 0.2"]
    lines = []
    for row in rows:
        own = row.scores
        shares = [own.at_chosen.precision_macro, own.at_chosen.recall_macro, own.at_half.precision, own.at_half.recall]
        shares += [own.ap_authors, own.at_authors.precision, own.at_authors.recall]
        overlap = "" if math.isnan(own.overlap_auroc) else f"{own.overlap_auroc:.2f}"
        lines.append([PRIORS.get(row.name, row.name), *map(_percent, shares), overlap])
    return "Other thresholds, and whether the overlap score tells pairs of one patient from pairs of two:\n\n" + (
        markdown_table([*head, "overlap AUROC"], lines)
    )


def _roll_numbers(output: Path, arms: list[TableRow], settings: Table1Settings) -> dict[str, dict[str, float]]:
    if settings.rows.roll_pairs == 0:
        return {}
    found = {}
    for row in arms:
        folders = [folder for folder in (output / "arms").glob(f"{row.name}-seed*") if is_done(folder)]
        found[row.name] = {
            f"{roll:g}": scores_of_arm(joined([read_arm(folder / f"roll{roll:g}") for folder in folders])).ap_macro
            for roll in ROLLS
        }
    return found


def _roll_table(numbers: Mapping[str, Mapping[str, float]]) -> str:
    head = ["AP macro, second view turned by"] + [f"{roll:g}" for roll in ROLLS]
    lines = [[name, *(_percent(values[f"{roll:g}"]) for roll in ROLLS)] for name, values in numbers.items()]
    return markdown_table(head, lines)


def _config_table(arms: list[TableRow], order: list[str]) -> str:
    named = {row.name: row.facts["config"] for row in arms}
    keys = ["trunk", "stride", "image_size", "dimension", "module", "layers", "heads", "head", "norm", "density"]
    lines = [[name, *(f"{config[key]:.4g}" if key == "density" else str(config[key]) for key in keys)]
             for name, config in named.items()]  # fmt: skip
    return f"From the best to the last: {', '.join(order)}.\n\n" + markdown_table(["row", *keys], lines)


def _notes(plan: Mapping[str, Any], arms: list[TableRow], settings: Table1Settings) -> tuple[str, ...]:
    first, batch = arms[0].scores, settings.length.batch
    times = plan["times"]
    how = "as asked"
    if times:
        each = ", ".join(f"{name} {time['step']:.3g}" for name, time in times.items())
        how = f"what {plan['minutes']:g} minutes allow all rows alike, from seconds a batch measured before: {each}"
    seeds = settings.rows.repeats
    return (
        f"Every row learned from {plan['steps']} batches of {batch} pairs of {plan['patients']} patients ({how}).",
        f"Test: {first.pairs} pairs of {first.patients} patients that no row learned from, {first.without_match} of "
        "them without any match; intervals draw patients; P and R at the threshold with the best F1 on "
        "validation pairs.",
        f"Pooled average precision is counted in bins: it may be off by at most "
        f"{100 * max(row.scores.ap_micro_error for row in arms):.2g} points in the worst row.",
        f"p: permutation of the means of patients against {REFERENCE}, adjusted by Holm; it speaks of other patients, "
        f"not of other trainings ({seeds} training{'s' if seeds > 1 else ''} a row).",
        "The pose's band is told what no row is told. The paper's numbers come from 217 CTs that are not public and a "
        "scale of its own: orderings can be compared, numbers cannot.",
    )


def _percent(value: float) -> str:
    return "" if math.isnan(value) else f"{100 * value:.1f}"


def _ends(interval: tuple[float, float]) -> str:
    low, high = interval
    return "" if math.isnan(low) else f"({100 * low:.1f} to {100 * high:.1f})"
