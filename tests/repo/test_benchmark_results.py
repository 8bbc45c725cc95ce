"""Every committed result of `render`, `simulate` and `realism` follows the schema, and the schema can be violated."""

import importlib.util
import json
import sys

import pytest
from support.repo import ROOT

FOLDER = ROOT / "benchmarks/results"
RESULTS = sorted(path for suite in ("render", "simulate", "realism") for path in FOLDER.glob(f"**/{suite}--*.json"))


@pytest.fixture(scope="module")
def report():
    """benchmarks/report.py, whose package is not on the path of the tests."""
    sys.path.insert(0, str(ROOT))
    try:
        yield importlib.import_module("benchmarks.report")
    finally:
        sys.path.remove(str(ROOT))


def timing(median: float) -> dict:
    return {"median_ms": median, "iqr_ms": 0.0, "n": 1, "all_ms": [median]}


def a_row(program: str, median: float) -> dict:
    return {
        "program": program, "method": "trilinear", "storage": "float32", "backend": "auto", "compiled": False,
        "height": 8, "width": 8, "pixel_spacing_mm": 1.0, "batch": 1, "samples": 500,
        "wall": {"forward": timing(median)}, "device": {}, "first_call_ms": 1.0, "peak_memory_mb": {"forward": 1.0},
        "error_max": 1e-6, "error_rms": 1e-7, "reference": "exact", "skipped": None,
    }  # fmt: skip


def a_file(rows: list[dict]) -> dict:
    return {
        "schema": 1, "suite": "render", "mode": "quick", "created": "now", "commit": "0", "device": "cpu",
        "machine": {}, "clock_policy": "as found", "load_before": [0.0], "load_after": [0.0], "threads": {},
        "versions": {}, "scene": {}, "rows": rows, "ratios": [],
    }  # fmt: skip


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.name)
def test_committed_result_follows_the_schema(path, report):
    assert report.problems(json.loads(path.read_text(encoding="utf-8"))) == []


def test_schema_accepts_a_complete_result(report):
    assert report.problems(a_file([a_row("xraykit", 1.0)])) == []


@pytest.mark.parametrize("name", ["versions", "commit", "load_after", "rows"])
def test_schema_misses_a_field_of_the_file(report, name):
    result = a_file([a_row("xraykit", 1.0)])
    del result[name]
    assert report.problems(result) == [f"file.{name} is missing"]


def test_schema_wants_timings_or_a_reason(report):
    row = a_row("xraykit", 1.0) | {"wall": {}}
    assert report.problems(a_file([row])) == ["rows[0] has neither timings nor a reason"]
    assert report.problems(a_file([row | {"skipped": "not installed"}])) == []


def test_ratio_is_the_peers_time_over_ours(report):
    (ratio,) = report.ratios([a_row("xraykit", 2.0), a_row("nanodrr", 30.0)])
    assert ratio["ratio"] == 15.0
    assert (ratio["ours"], ratio["peer"], ratio["operation"]) == ("xraykit trilinear", "nanodrr trilinear", "forward")


def test_table_names_what_was_skipped(report):
    row = a_row("nanodrr", 1.0) | {"wall": {}, "skipped": "no memory"}
    assert "skipped: no memory" in report.table([row])


def test_stages_are_compared_with_the_plain_march_and_the_complete_image(report):
    place = {"height": 8, "width": 8, "pixel_spacing_mm": 1.0, "batch": 4, "samples": 50, "device": {}, "skipped": None}
    times = [("plain", "march", 10.0), ("masks", "march", 12.0), ("whole", "image", 80.0), ("noise", "stage", 20.0)]
    rows = [{"work": w, "group": g, **place, "wall": {"forward": timing(t)}} for w, g, t in times]
    assert report.problems(a_file(rows) | {"suite": "simulate"}) == []
    assert report.problems(a_file(rows) | {"suite": "other"})[0].startswith("suite is 'other', expected one of")
    table = report.stages_table(rows)
    assert "| masks | 12.00 ± 0.00 ms | 333 | 1.20 x the plain march |" in table
    assert "| whole | 80.00 ± 0.00 ms | 50 |  |" in table
    assert "| noise | 20.00 ± 0.00 ms |  | 25 % of the complete image |" in table
