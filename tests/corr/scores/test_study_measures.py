"""Scores by study: closed forms, intervals by patient, thresholds from validation, and comparisons that stay honest."""

import numpy as np
import pytest
from xraykit.corr.scores import (
    StudyRow,
    arm_report,
    best_threshold,
    compare_studies,
    grid_report,
    mean_area_interval,
    study_intervals,
    study_scores,
)
from xraykit.render import InputError
from xraykit.render.evaluation import read_rows, report_text, wilson_interval, write_rows


def rows_of(probability, label, *, split="test", patients=None):
    patients = patients or [f"p{n}" for n in range(len(label))]
    table = zip(probability, label, patients, strict=True)
    return [StudyRow(f"s{n}", patient, split, y, float(p)) for n, (p, y, patient) in enumerate(table)]


def drawn(count, gain, *, seed=0, split="test"):
    """Half positive studies whose scores are shifted by `gain` standard deviations."""
    rng, label = np.random.default_rng(seed), [n % 2 for n in range(count)]
    logit = rng.normal(0, 1, count) + gain * (np.array(label) - 0.5)
    return rows_of(1 / (1 + np.exp(-logit)), label, split=split)


def test_scores_are_those_of_the_confusion_matrix():
    scores = study_scores(rows_of([0.9, 0.8, 0.4, 0.6, 0.2, 0.1, 0.3, 0.2], [1, 1, 1, 0, 0, 0, 0, 0]))
    assert (scores.accuracy, scores.precision, scores.recall) == pytest.approx((6 / 8, 2 / 3, 2 / 3))
    chance = (3 / 8) * (3 / 8) + (5 / 8) * (5 / 8)
    assert scores.kappa == pytest.approx((6 / 8 - chance) / (1 - chance))
    assert scores.auroc == pytest.approx(14 / 15)
    assert (scores.studies, scores.positives, scores.threshold) == (8, 3, 0.5)


def test_a_constant_answer_has_no_kappa_and_half_an_area():
    scores = study_scores(rows_of([0.7] * 4, [1, 0, 1, 0]))
    assert (scores.kappa, scores.auroc, scores.precision) == (0.0, 0.5, 0.5)
    assert study_scores(rows_of([0.2] * 4, [1, 0, 1, 0])).precision == 0.0


def test_rates_are_wilsons_where_each_patient_has_one_study_and_patients_are_drawn_otherwise():
    rows = drawn(60, 2.0)
    scores, intervals = study_scores(rows), study_intervals(rows)
    assert intervals["accuracy"] == pytest.approx(wilson_interval(round(60 * scores.accuracy), 60))
    for name, (low, high) in intervals.items():
        assert low <= getattr(scores, name) <= high
    copies = [
        StudyRow(f"{row.study}{n}", row.patient, "test", row.label, row.probability) for row in rows for n in "abcd"
    ]
    again = study_intervals(copies)
    for name in ("accuracy", "auroc"):  # four copies of each study are no more evidence
        assert again[name][1] - again[name][0] > 0.7 * (intervals[name][1] - intervals[name][0])


def test_the_threshold_parts_the_labels_best():
    assert best_threshold(rows_of([0.1, 0.2, 0.3, 0.7], [0, 0, 1, 1])) == pytest.approx(0.25)
    with pytest.raises(InputError, match="needs studies of both labels, got 0 positive of 2"):
        best_threshold(rows_of([0.1, 0.2], [0, 0]))


def test_a_better_classifier_is_told_from_luck():
    worse, better, label = drawn(200, 0.5), drawn(200, 3.0, seed=1), [n % 2 for n in range(200)]
    assert [row.label for row in worse] == label
    found = compare_studies([better], [worse])
    assert found.difference == pytest.approx(study_scores(better).auroc - study_scores(worse).auroc)
    assert 0 < found.low < found.difference < found.high and found.p < 0.01 and found.mcnemar < 0.01
    same = compare_studies([worse, better], [better, worse])
    assert same.difference == pytest.approx(0) and same.p == 1.0 and same.mcnemar == 1.0
    low, high = mean_area_interval([better])
    assert low < study_scores(better).auroc < high


def test_other_studies_are_not_compared():
    with pytest.raises(InputError, match="the same studies in the same order"):
        compare_studies([drawn(10, 1)], [drawn(12, 1)])
    with pytest.raises(InputError, match="rows of both classifiers, got none"):
        compare_studies([], [drawn(12, 1)])


def test_reports_come_from_rows_alone_and_rows_come_back_from_their_file(tmp_path):
    def arm(gain, seed):
        return [*drawn(40, gain, seed=seed, split="val"), *drawn(40, gain, seed=seed + 50)]

    table = {"early-scratch": [arm(1, 0), arm(1, 1)], "early-pretrained": [arm(3, 2), arm(3, 3)]}
    path = write_rows(tmp_path / "rows.json", table["early-scratch"][0])
    assert read_rows(path, StudyRow) == table["early-scratch"][0]
    report = grid_report(table, reference="early-scratch")
    text = report_text(report)
    assert "| early-scratch | 2 |" in text and "| reference |" in text and "+-" in text
    against = report.numbers["arms"]["early-pretrained"]["against_reference"]
    assert against["difference"] > 0 and against["p_holm"] >= against["p"]
    one = arm_report("late-scratch", table["early-scratch"][0])
    assert "chosen on the validation studies" in report_text(one) and "Calibration" in report_text(one)


def test_a_row_outside_its_range_is_refused():
    with pytest.raises(InputError, match="a row must have a label 0 or 1 and probabilities from 0 to 1, got 2"):
        StudyRow("s", "p", "test", 2, 0.5)
