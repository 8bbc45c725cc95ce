"""From errors to medians, success rates, tables and files."""

import csv
import json
import math
import sys

import pytest

pytest.importorskip("matplotlib", reason="needs the extra evaluate")

from PIL import Image
from xraykit.render.evaluation import report_text
from xraykit.xvr.evaluate.report import FILES, make_pose_report, report_page, write_pose_report
from xraykit.xvr.evaluate.rows import ErrorRow
from xraykit.xvr.evaluate.summary import summarise, summary_table


def row(xray: int, error: float, *, method: str = "ours", estimate: str = "final", level: float = 1.0) -> ErrorRow:
    errors = dict.fromkeys(("mpe", "mrpe", "mtre_c2w", "true_tre", "dgeo"), error)
    errors["mtre_c2w"] = 3 * error
    return ErrorRow(method, "set", "s1", f"{xray:03d}", "", level, estimate, 0.9, 2.0, **errors)


def study(finals: list[float], **options: object) -> list[ErrorRow]:
    starts = [row(n, 10.0 + n, estimate="initial", **options) for n in range(len(finals))]
    return starts + [row(n, error, **options) for n, error in enumerate(finals)]


def test_success_is_counted_in_the_true_error_and_smsr_in_the_papers():
    final = summarise(study([0.2, 0.5, 0.9, 6.0]), bound=1.0)[1]
    assert (final.estimate, final.count) == ("final", 4)
    assert final.success == 0.75 and final.submillimetre == 0.25
    assert final.success_interval[0] < 0.75 < final.success_interval[1]
    assert final.errors["true_tre"].median == pytest.approx(0.7) and final.seconds == 2.0


def test_levels_and_methods_are_kept_apart_and_nan_levels_together():
    rows = study([0.1], level=1.0) + study([0.2], level=4.0) + study([0.3, 0.4], level=math.nan, method="other")
    kinds = [(s.method, s.level, s.estimate, s.count) for s in summarise(rows)]
    assert kinds[:4] == [("ours", level, e, 1) for level in (1.0, 4.0) for e in ("initial", "final")]
    assert [k[2:] for k in kinds[4:]] == [("initial", 2), ("final", 2)]


def test_table_shows_median_and_iqr_and_says_lost():
    table = summary_table(summarise(study([0.25, 0.75, math.inf])), bound=1.0).splitlines()
    assert len({line.count("|") for line in table}) == 1
    assert "0.75 (lost)" in table[3] and "66.7" in table[3]


def test_capture_curve_pairs_each_result_with_its_own_start():
    """Starts 10, 11, 12 mm; the farthest fails."""
    curve = make_pose_report(study([0.5, 0.5, 9.0]), bound=1.0).curves["ours"]
    assert sum(curve.attempts) == 3 and sum(curve.successes) == 2
    assert curve.successes[-1] == 0 and curve.attempts[-1] > 0


def test_two_methods_are_ranked_and_one_is_not():
    pytest.importorskip("statsmodels", reason="needs the extra evaluate")
    errors = [0.3, 0.5, 0.2, 0.9, 0.4, 0.6]
    worse = [4.1 * e for e in errors[:3]] + [3.9 * e for e in errors[3:]]
    both = make_pose_report(study(errors) + study(worse, method="other"))
    assert both.ranking is not None and both.ranking.methods == ("ours", "other")
    assert "1. ours" in report_text(report_page(both))
    assert make_pose_report(study(errors)).ranking is None


def test_methods_without_common_x_rays_get_a_note_in_place_of_a_ranking():
    pytest.importorskip("statsmodels", reason="needs the extra evaluate")
    report = make_pose_report(
        [r for r in study([0.3, 0.5]) if r.xray == "000"] + study([0.3], method="other", level=2.0)
    )
    assert report.ranking is None and any("No ranking" in note for note in report.notes)


def test_without_statsmodels_the_report_is_made_and_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels", None)
    report = make_pose_report(study([0.3, 0.5]) + study([0.4, 0.6], method="other"))
    assert report.ranking is None and "statsmodels" in report.notes[0] and "pip install" in report.notes[0]


def test_all_files_are_written_and_json_holds_no_infinity(tmp_path):
    rows = study([0.5, math.inf, math.inf])
    report = make_pose_report(rows, notes=["one thing to know"])
    written = write_pose_report(tmp_path, report, rows, settings={"seed": 3})
    assert [path.name for path in written] == list(FILES)
    content = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    assert content["settings"] == {"seed": 3} and content["summaries"][1]["errors"]["true_tre"]["median"] is None
    with (tmp_path / "errors.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 6 and lines[-1]["true_tre"] == "inf" and lines[0]["estimate"] == "initial"
    assert "- one thing to know" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    for name in FILES[3:]:
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG" and len(picture.convert("RGB").getcolors(1 << 20)) > 20


def test_nothing_to_summarise_is_refused():
    with pytest.raises(ValueError, match="at least one registration, got none"):
        summarise([])
    with pytest.raises(ValueError, match="must be positive, got 0"):
        summarise(study([1.0]), bound=0.0)
