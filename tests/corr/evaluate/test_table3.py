"""Table 3: the grid of classifiers in a given number of batches or minutes, with cost and priors beside the scores."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.corr_annotations import small_matcher
from support.corr_studies import write_study_set
from xraykit.corr.evaluate import evaluate_classification
from xraykit.corr.evaluate.settings import Table3GridSettings, Table3LengthSettings, Table3Settings
from xraykit.corr.train import ClassifyDataSettings, ClassifyNetworkSettings
from xraykit.render.training import RunSettings

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-corr[train]'")
pytest.importorskip("tensorboard", reason="needs the extra: pip install 'xraykit-corr[train]'")


def settings_of(folder, **length) -> Table3Settings:
    return Table3Settings(
        data=ClassifyDataSettings(write_study_set(folder / "set", each=6)),
        network=ClassifyNetworkSettings(pretrained=str(small_matcher(folder / "matcher"))),
        length=Table3LengthSettings(**{"steps": 2, "minutes": None, "batch": 4, "warmup": 1} | length),
        grid=Table3GridSettings(seeds=1, arms=("early-scratch", "early-pretrained-oracle")),
        run=RunSettings(folder / "out", device="cpu", precision="32-true", workers=0),
    )


@pytest.mark.slow
def test_grid_has_cost_and_priors_beside_its_scores_and_a_resume_trains_nothing_again(tmp_path):
    settings = settings_of(tmp_path)
    report = evaluate_classification(settings)
    text = (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "| prior: always positive | 0 |" in text
    assert "| early-pretrained-oracle |" in text
    costs = report.numbers["costs"]
    assert costs["early-scratch"]["weights"] > 0
    assert costs["early-pretrained-oracle"]["flops"] >= costs["early-scratch"]["flops"] > 0
    rows = tmp_path / "out" / "grid" / "early-scratch" / "seed0" / "rows.json"
    before = rows.stat().st_mtime_ns
    again = evaluate_classification(replace(settings, run=replace(settings.run, resume=True)))
    assert rows.stat().st_mtime_ns == before
    assert again.numbers["arms"] == report.numbers["arms"]


@pytest.mark.slow
def test_minutes_become_batches_that_all_arms_share(tmp_path):
    report = evaluate_classification(settings_of(tmp_path, steps=None, minutes=2.0))
    assert report.numbers["plan"]["steps"] >= 1
    assert not (tmp_path / "out" / "measurement").exists()
