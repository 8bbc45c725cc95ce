"""Every committed benchmark result follows the one schema, is published, and the schema can be violated."""

import importlib
import json
import sys

import pytest
from support.repo import ROOT

RESULTS = sorted((ROOT / "benchmarks/results").rglob("*.json"))


@pytest.fixture(scope="module")
def benchmarks():
    """A function that imports a module of benchmarks/, whose package is not on the path of every test."""
    sys.path.insert(0, str(ROOT))
    try:
        yield lambda name: importlib.import_module(f"benchmarks.{name}")
    finally:
        sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def schema(benchmarks):
    return benchmarks("common.schema")


@pytest.fixture(scope="module")
def tables(benchmarks):
    return benchmarks("common.tables")


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
        "schema": 2, "suite": "render", "mode": "quick", "created": "now", "commit": "0", "device": "cpu",
        "machine": {}, "clock_policy": "as found", "load_before": [0.0], "load_after": [0.0], "threads": {},
        "versions": {}, "scene": {}, "rows": rows, "ratios": [], "summary": {},
    }  # fmt: skip


def test_every_committed_result_follows_the_schema_and_is_called_after_its_suite(schema):
    results = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in RESULTS}
    assert {name: found for name, result in results.items() if (found := schema.problems(result))} == {}
    assert [name for name, result in results.items() if not name.startswith(f"{result['suite']}--")] == []


def test_the_page_publishes_every_committed_result_and_is_up_to_date(benchmarks, schema):
    publish = benchmarks("publish")
    text = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    assert publish.page() == text, "run `uv run python -m benchmarks.publish`"
    assert [path.name for path in RESULTS if f"### {path.name}\n" not in text] == []
    assert set(publish.TABLES) == set(publish.ABOUT) == set(schema.ROWS)


def test_schema_accepts_a_complete_result(schema):
    assert schema.problems(a_file([a_row("xraykit", 1.0)])) == []


@pytest.mark.parametrize("name", ["versions", "commit", "load_after", "rows"])
def test_schema_misses_a_field_of_the_file(schema, name):
    result = a_file([a_row("xraykit", 1.0)])
    del result[name]
    assert schema.problems(result) == [f"file.{name} is missing"]


def test_schema_wants_timings_or_a_reason(schema):
    row = a_row("xraykit", 1.0) | {"wall": {}}
    assert schema.problems(a_file([row])) == ["rows[0] has neither timings nor a reason"]
    assert schema.problems(a_file([row | {"skipped": "not installed"}])) == []


def test_ratio_is_the_peers_time_over_ours(tables):
    (ratio,) = tables.ratios([a_row("xraykit", 2.0), a_row("nanodrr", 30.0)])
    assert ratio["ratio"] == 15.0
    assert (ratio["ours"], ratio["peer"], ratio["operation"]) == ("xraykit trilinear", "nanodrr trilinear", "forward")


def test_table_names_what_was_skipped(tables):
    row = a_row("nanodrr", 1.0) | {"wall": {}, "skipped": "no memory"}
    assert "skipped: no memory" in tables.table([row])


def test_stages_are_compared_with_the_plain_march_and_the_complete_image(schema, tables):
    place = {"height": 8, "width": 8, "pixel_spacing_mm": 1.0, "batch": 4, "samples": 50, "device": {}, "skipped": None}
    times = [("plain", "march", 10.0), ("masks", "march", 12.0), ("whole", "image", 80.0), ("noise", "stage", 20.0)]
    rows = [{"work": w, "group": g, **place, "wall": {"forward": timing(t)}} for w, g, t in times]
    assert schema.problems(a_file(rows) | {"suite": "simulate"}) == []
    assert schema.problems(a_file(rows) | {"suite": "other"})[0].startswith("suite is 'other', expected one of")
    table = tables.stages_table(rows)
    assert "| masks | 12.00 ± 0.00 ms | 333 | 1.20 x the plain march |" in table
    assert "| whole | 80.00 ± 0.00 ms | 50 |  |" in table
    assert "| noise | 20.00 ± 0.00 ms |  | 25 % of the complete image |" in table
