"""Table 2: every arm is scored on the same marked entries, and a resume trains nothing again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.corr_annotations import annotated, small_matcher
from xraykit.corr.evaluate import evaluate_annotated
from xraykit.corr.evaluate.annotated_priors import marked_density
from xraykit.corr.evaluate.entry_rows import EntryRow, best_entry_threshold, difference_interval, entry_scores
from xraykit.corr.evaluate.settings import Table2LengthSettings, Table2RowSettings, Table2Settings
from xraykit.corr.train.finetune_settings import FinetuneDataSettings
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.evaluation import read_rows
from xraykit.render.training import RunSettings

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-corr[train]'")


def settings_of(folder: Path, **rows) -> Table2Settings:
    file = annotated(folder, samples=6, splits=("train", "val", "test"))
    return Table2Settings(
        data=FinetuneDataSettings(file, random_negatives=20),
        rows=Table2RowSettings(**{"start": str(small_matcher(folder / "start")), "repeats": 1} | rows),
        length=Table2LengthSettings(steps=2, minutes=None, batch=2, validate_every=1),
        run=RunSettings(folder / "out", device="cpu", precision="32-true", workers=0),
    )


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    settings = settings_of(tmp_path_factory.mktemp("table"))
    said: list[str] = []
    return settings, evaluate_annotated(settings, say=said.append), said


def test_all_arms_are_scored_on_the_same_entries_and_the_report_has_cost_and_priors(evaluated):
    settings, report, said = evaluated
    folders = sorted((settings.run.output / "arms").iterdir())
    entries = [[(r.split, r.sample, r.first, r.second, r.positive) for r in read_rows(f / "rows.json", EntryRow)]
               for f in folders]  # fmt: skip
    assert [f.name for f in folders] == [
        f"{name}-seed0" for name in ("finetuned", "marked", "marked_thickness", "thickness", "zero", "zero_shot")
    ]
    assert all(each == entries[0] for each in entries)
    arms = report.numbers["arms"]
    assert arms["zero"]["scores"]["ap"] == pytest.approx(arms["zero"]["scores"]["chance"])
    assert arms["zero_shot"]["facts"]["cost"]["weights"] > 0
    text = (settings.run.output / "report.md").read_text()
    assert "| matcher as it is |" in text
    assert "prior: near marked matches" in text
    assert said == ["There is no row of a local matcher: --aliked FILE names its weights."]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*this training had ended")
def test_finished_arms_are_kept_and_an_arm_that_is_missing_is_made_again(evaluated):
    settings, report, _ = evaluated
    kept = settings.run.output / "arms" / "finetuned-seed0" / "rows.json"
    gone = settings.run.output / "arms" / "marked-seed0" / "rows.json"
    before = kept.stat().st_mtime_ns
    gone.unlink()
    again = evaluate_annotated(replace(settings, run=replace(settings.run, resume=True)))
    assert kept.stat().st_mtime_ns == before
    assert json.loads(json.dumps(again.numbers["arms"]["marked"], default=str)) == json.loads(
        json.dumps(report.numbers["arms"]["marked"], default=str)
    )


def test_density_of_marked_matches_is_largest_at_them_and_falls_with_distance():
    class Pair:
        def targets(self, grid, *, dilate):
            from xraykit.corr.data.marked_entries import AnnotationTargets

            entries = torch.tensor([[9, 18], [0, 0]]).numpy()
            return AnnotationTargets(entries, torch.tensor([1.0, 0.0]).numpy(), torch.ones(2).numpy())

    density = marked_density([Pair()], 8)  # type: ignore[list-item]
    assert float(density[9, 18]) == 1.0
    assert float(density[10, 18]) == pytest.approx(float(torch.exp(torch.tensor(-1 / (2 * 1.5**2)))), abs=1e-6)
    assert float(density[63, 0]) < 1e-3


def test_threshold_is_that_of_the_best_f1():
    values = (0.1, 0.2, 0.3, 0.62, 0.7)
    rows = [EntryRow("a", 0, "val", "s", "p", 0, n, n >= 3, False, value) for n, value in enumerate(values)]
    threshold = best_entry_threshold(rows)
    assert 0.3 < threshold <= 0.62
    assert entry_scores(rows, threshold=threshold).precision == entry_scores(rows, threshold=threshold).recall == 1.0
    assert best_entry_threshold([]) == 0.5


def test_what_is_missing_is_said_before_anything_is_written(tmp_path):
    settings = settings_of(tmp_path, repeats=0)
    with pytest.raises(InputError, match="--repeats must be 1 or more, got 0"):
        evaluate_annotated(settings)
    (tmp_path / "other").mkdir()
    file = annotated(tmp_path / "other", samples=2, splits=("train",))
    with pytest.raises(InputError, match='must have samples with points in "test", got none'):
        evaluate_annotated(replace(settings_of(tmp_path), data=FinetuneDataSettings(file)))
    assert not (tmp_path / "out").exists()


@pytest.mark.peer
@pytest.mark.parametrize("hindrance, words", [("file", "must be a folder that can be made"), ("used", "add --resume")])
def test_a_folder_that_cannot_be_used_is_refused_before_an_image_is_read(tmp_path, monkeypatch, hindrance, words):
    monkeypatch.setattr("xraykit.corr.evaluate.table2.pairs_of_split", lambda *_: pytest.fail("images were read"))
    settings = settings_of(tmp_path)
    if hindrance == "file":
        settings.run.output.write_text("mine")
    else:
        settings.run.output.mkdir()
        (settings.run.output / "settings.json").write_text("{}")
    with pytest.raises(OutputError, match=words):
        evaluate_annotated(settings)


def test_weights_of_another_name_are_refused(tmp_path):
    pytest.importorskip("kornia", reason="needs the peers group: uv sync --group peers")
    (tmp_path / "superpoint.pth").write_bytes(b"")
    with pytest.raises(FileError, match=r"must be named as published \(aliked-t16"):
        evaluate_annotated(settings_of(tmp_path, aliked=tmp_path / "superpoint.pth"))
    assert not (tmp_path / "out").exists()


def test_the_interval_of_a_difference_is_that_of_means_over_seeds():
    """Two seeds that rank perfectly on scales of their own are no worse than a perfect reference."""

    def rows(seeds):
        return [
            EntryRow("arm", seed, "test", f"s{p}", f"p{p}", 0, n, n == 0, False, scale * (0.9 if n == 0 else 0.5))
            for seed, scale in enumerate(seeds)
            for p in range(4)
            for n in range(3)
        ]

    assert difference_interval(rows((1.0, 0.1)), rows((1.0,))) == (0.0, 0.0)
