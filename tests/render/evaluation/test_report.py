"""A report is the same for people and machines."""

import json
import math

import pytest
from xraykit.render import InputError
from xraykit.render.evaluation import EvaluationReport, MethodRanking, markdown_table, report_text, write_evaluation

RANKING = MethodRanking(("ours", "other"), (0.5, 1.25), ("a", "b"), (), 0.05, "A mixed model.")
REPORT = EvaluationReport(
    (markdown_table(("method", "AUROC"), [("ours", "0.9"), ("other", "0.8")]), "All of them."),
    {"auroc": {"ours": 0.9, "other": math.nan}, "edges": (0.0, math.inf)},
    RANKING,
    ("true TRE", "mm"),
    ("one thing to know",),
    "Two methods",
)


def test_the_page_has_title_sections_ranking_and_notes_in_this_order():
    text = report_text(REPORT)
    parts = ["# Two methods\n", "| ours | 0.9 |\n", "\nAll of them.\n", "Geometric mean true TRE:\n"]
    parts += ["1. ours: 0.50 mm (a)\n2. other: 1.25 mm (b)\n", "p < 0.05 (Holm).", "- one thing to know"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places) and text.endswith("know\n")


def test_both_files_are_written_and_json_holds_no_infinity(tmp_path):
    numbers, page = write_evaluation(tmp_path, REPORT, settings={"seed": 3})
    content = json.loads(numbers.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert content == {"settings": {"seed": 3}, "auroc": {"ours": 0.9, "other": None}, "edges": [0.0, None]}
    assert page.read_text(encoding="utf-8") == report_text(REPORT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "report.md"]


def test_a_ragged_table_is_refused():
    with pytest.raises(InputError, match=r"must have 2 cells, got \[1, 2\]"):
        markdown_table(("a", "b"), [("1", "2"), ("3",)])


def test_what_was_left_out_stands_in_both_files(tmp_path):
    found = EvaluationReport(("All of them.",), {"n": 2}, left_out=(("a\n.dcm", "it is torn."),))
    numbers, page = write_evaluation(tmp_path, found)
    assert json.loads(numbers.read_text("utf-8"))["left_out"] == [{"name": "a\n.dcm", "reason": "it is torn."}]
    assert page.read_text("utf-8").splitlines()[-1] == "- a .dcm was left out: it is torn."
