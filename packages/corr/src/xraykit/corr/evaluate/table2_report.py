"""The report of table 2, from rows alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from xraykit.render.evaluation import EvaluationReport, markdown_table, read_rows

from ..scores.annotated_scores import annotated_interval
from .entry_rows import EntryRow, annotated, best_entry_threshold, difference_interval, entry_scores
from .evaluation_folder import FACTS, is_done, read_facts
from .pair_rows import ROWS

NAMES = {
    "zero_shot": "matcher as it is",
    "finetuned": "fine-tuned",
    "aliked": "ALIKED, mutual matches",
    "aliked_similarity": "ALIKED, best similarity",
    "zero": "prior: nothing matches",
    "thickness": "prior: lesser thickness",
    "marked": "prior: near marked matches of training samples",
    "marked_thickness": "prior: that x lesser thickness",
}
REFERENCE = "zero_shot"


def table2_report(output: Path, lacking: str = "") -> EvaluationReport:
    """The report on what is in the folder of an evaluation.

    Args:
        output: The folder.
        lacking: Why rows are missing, a sentence.
    """
    arms = {name: rows for name in NAMES if (rows := _rows(output, name))}
    reference = arms[REFERENCE]
    numbers: dict[str, Any] = {}
    lines = []
    for name, rows in arms.items():
        found = _numbers(rows) | _facts(output, name)
        if name != REFERENCE and _patients(rows) > 1:
            found["difference"] = difference_interval(_of(rows, "test"), _of(reference, "test"))
        numbers[name] = found
        lines.append(_line(NAMES[name], found))
    head = ["row", "weights M", "GFLOP a pair", "matching pairs/s", "AP (95 %)", "P", "R", "P at 0.5", "R at 0.5"]
    table = markdown_table([*head, "AP - as it is (95 %)"], lines)
    first = numbers[REFERENCE]["scores"]
    notes = (
        f"Test entries: {first['positives']} positive and {first['negatives']} negative ones "
        f"({sum(row.drawn for row in _of(reference, 'test'))} of them drawn at random) of "
        f"{_patients(_of(reference, 'test'))} patients; guessing has AP {100 * first['chance']:.1f}.",
        "P and R at the threshold with the best F1 on validation samples; intervals draw patients.",
        "The true pose's band has no row: annotated X-rays have no known pose.",
        *((lacking,) if lacking else ()),
        "The paper, on 104 private test samples: LoFTR 9.4, fine-tuned 16.1, DINOv2 42.2, theirs 83.8 AP.",
    )
    return EvaluationReport((table,), {"arms": numbers}, notes=notes, title="Table 2: marked points of X-rays")


def _rows(output: Path, name: str) -> list[EntryRow]:
    folders = sorted((output / "arms").glob(f"{name}-seed*"), key=lambda folder: int(folder.name.split("seed")[1]))
    return [row for folder in folders if is_done(folder) for row in read_rows(folder / ROWS, EntryRow)]


def _facts(output: Path, name: str) -> dict[str, Any]:
    folder = output / "arms" / f"{name}-seed0"
    return {"facts": read_facts(folder)} if (folder / FACTS).is_file() else {}


def _numbers(rows: Sequence[EntryRow]) -> dict[str, Any]:
    """Scores of all seeds together, and of each."""
    seeds = sorted({row.seed for row in rows})
    own = {seed: [row for row in rows if row.seed == seed] for seed in seeds}
    thresholds = {seed: best_entry_threshold(_of(each, "val")) for seed, each in own.items()}
    each = [entry_scores(_of(own[seed], "test"), threshold=thresholds[seed]) for seed in seeds]
    half = [entry_scores(_of(own[seed], "test"), threshold=0.5) for seed in seeds]
    interval = annotated_interval(annotated(_of(own[seeds[0]], "test"))) if _patients(rows) > 1 else (math.nan,) * 2
    return {
        "scores": asdict(each[0])
        | {key: fmean(getattr(one, key) for one in each) for key in ("ap", "precision", "recall")},
        "at_half": {key: fmean(getattr(one, key) for one in half) for key in ("precision", "recall")},
        "ap_seeds": [one.ap for one in each],
        "interval_of_first_seed": interval,
        "thresholds": list(thresholds.values()),
    }


def _line(name: str, found: Mapping[str, Any]) -> list[str]:
    scores, facts = found["scores"], found.get("facts")
    cost = ["", "", ""]
    if facts is not None:
        cost = [f"{facts['cost']['weights'] / 1e6:.2f}", f"{facts['cost']['flops'] / 1e9:.2f}"]
        cost.append(f"{facts['match_pairs_per_s']:.3g}")
    seeds = found["ap_seeds"]
    spread = f" +- {100 * stdev(seeds):.1f}" if len(seeds) > 1 else ""
    low, high = found["interval_of_first_seed"]
    ap = f"{100 * scores['ap']:.1f}{spread}" + ("" if math.isnan(low) else f" ({100 * low:.1f} to {100 * high:.1f})")
    shares = [scores["precision"], scores["recall"], found["at_half"]["precision"], found["at_half"]["recall"]]
    ends = found.get("difference")
    apart = "" if ends is None else f"{100 * ends[0]:+.1f} to {100 * ends[1]:+.1f}"
    return [name, *cost, ap, *(f"{100 * share:.1f}" for share in shares), apart]


def _of(rows: Sequence[EntryRow], split: str) -> list[EntryRow]:
    return [row for row in rows if row.split == split]


def _patients(rows: Sequence[EntryRow]) -> int:
    return len({row.patient for row in _of(rows, "test")})
