"""Classification of studies: what can be learned is, grids go on where they stopped, and bad input writes nothing."""

import json
from dataclasses import replace

import pytest
import torch
from support.corr_annotations import small_matcher
from support.corr_studies import write_study_set
from support.few_draws import few_draws
from xraykit.corr import classification
from xraykit.corr.classification import classify_studies
from xraykit.corr.network import load_classifier, load_matcher
from xraykit.corr.scores import study_comparison, study_measures, study_scores
from xraykit.corr.studies import StudyChangeSettings
from xraykit.corr.train import (
    ClassifyDataSettings,
    ClassifyGridSettings,
    ClassifyLengthSettings,
    ClassifyNetworkSettings,
    ClassifyObjectiveSettings,
    ClassifySettings,
)
from xraykit.render import InputError, OutputError
from xraykit.render.training import RunSettings

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-corr[train]'")
pytest.importorskip("tensorboard", reason="needs the extra: pip install 'xraykit-corr[train]'")


drawing = few_draws(study_comparison, study_measures)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return write_study_set(folder / "set", each=12), str(small_matcher(folder / "matcher"))


def settings_of(files, out, *, steps=2, network=None, **groups):
    settings = ClassifySettings(
        data=ClassifyDataSettings(files[0]),
        network=ClassifyNetworkSettings(**({"pretrained": files[1]} | (network or {}))),
        length=ClassifyLengthSettings(steps=steps, batch=6, rate=3e-3, warmup=2, validate_every=max(1, steps // 4)),
        run=RunSettings(out, device="cpu", precision="32-true", workers=0),
    )
    return replace(settings, **groups)


def test_a_bright_spot_is_learned_and_the_best_state_is_what_is_scored(files, tmp_path):
    changes = StudyChangeSettings(mirror=0, shift=0, brightness=0.05, contrast=0.05, gamma=0, noise=0)
    settings = settings_of(files, tmp_path / "out", steps=32, changes=changes, network={"fusion": "late"})
    result = classify_studies(settings)
    rows = result.rows["late-pretrained"][0]
    test = [row for row in rows if row.split == "test"]
    assert {row.split for row in rows} == {"val", "test"} and len(test) == 12
    assert study_scores(test).auroc > 0.9
    curve = json.loads((tmp_path / "out" / "curve.json").read_text("utf-8"))
    assert max(row["auroc"] for row in (curve["rows"] if isinstance(curve, dict) else curve)) == pytest.approx(
        study_scores([row for row in rows if row.split == "val"]).auroc
    )
    assert load_classifier(tmp_path / "out" / "weights").trained_on["studies"] == "studies.csv"
    assert result.report.read_text("utf-8").startswith("# late-pretrained")


def test_guided_attention_is_drawn_beside_itself_without_guidance_and_alphas_are_logged(files, tmp_path):
    settings = settings_of(files, tmp_path / "out", network={"guidance": "oracle"})
    classify_studies(settings)
    assert len(list((tmp_path / "out" / "attention").glob("*.png"))) == 4
    head = (tmp_path / "out" / "curve.csv").read_text("utf-8").splitlines()[0]
    assert "alpha_0" in head and "auroc" in head


def test_training_stops_when_the_validation_does_not_get_better(files, tmp_path):
    settings = settings_of(files, tmp_path / "out", steps=400, objective=ClassifyObjectiveSettings(patience=1))
    settings = replace(settings, length=replace(settings.length, rate=1e-12, warmup=0, validate_every=1))
    classify_studies(settings)
    curve = (tmp_path / "out" / "curve.csv").read_text("utf-8").splitlines()
    assert len(curve) == 1 + 2  # after 0 and 1 batches
    assert "best_auroc" in curve[0] and not curve[2].endswith(",")  # the last row has a loss


@pytest.mark.parametrize(
    "start, renewed, moves",
    [(None, False, False), pytest.param(None, True, True, marks=pytest.mark.slow), ("scratch", False, True)],
)
def test_statistics_of_a_start_stay_unless_they_are_to_be_renewed(files, tmp_path, start, renewed, moves):
    matcher = small_matcher(tmp_path / "matcher", norm="batch")
    network = {"pretrained": str(matcher), "start": start}
    objective = ClassifyObjectiveSettings(renew_statistics=renewed)
    classify_studies(settings_of(files, tmp_path / "out", network=network, objective=objective))
    before, after = load_matcher(matcher), load_classifier(tmp_path / "out" / "weights")
    means = [(one.running_mean, other.running_mean) for one, other in zip(
        *(batch_norms(network) for network in (before, after)), strict=True
    )]  # fmt: skip
    assert means and all(torch.equal(one, other) != moves for one, other in means)


def batch_norms(network):
    return [part for part in network.patches.modules() if isinstance(part, torch.nn.BatchNorm2d)]


def test_a_grid_keeps_what_is_finished_and_scores_all_arms_together(files, tmp_path, monkeypatch):
    grid = ClassifyGridSettings(True, seeds=2, arms=("single-pretrained", "early-pretrained-mean"))
    settings = settings_of(files, tmp_path / "grid", steps=1, grid=grid)
    first = classify_studies(replace(settings, grid=replace(grid, seeds=1)))
    assert first.trained == 2
    kept = tmp_path / "grid" / "early-pretrained-mean" / "seed0" / "rows.json"
    stamp = kept.stat().st_mtime_ns
    (tmp_path / "grid" / "single-pretrained" / "seed0" / "rows.json").unlink()  # interrupted before its rows
    again = classify_studies(settings)
    assert again.trained == 3 and kept.stat().st_mtime_ns == stamp
    assert {name: len(seeds) for name, seeds in again.rows.items()} == dict.fromkeys(grid.arms, 2)
    text = again.report.read_text("utf-8")
    assert "| early-pretrained-mean | 2 |" in text and "| single-pretrained | 2 |" in text
    numbers = json.loads((tmp_path / "grid" / "report.json").read_text("utf-8"))
    assert "auroc_by_view" in numbers["arms"]["single-pretrained"]
    monkeypatch.setattr(classification, "_train", None)
    assert classify_studies(settings).trained == 0
    with pytest.raises(InputError, match=r"must go on with the options of .*settings.json, got others: --rate"):
        classify_studies(replace(settings, length=replace(settings.length, rate=1.0)))


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"network": {"guidance": "predicted", "pretrained": None, "fusion": "early"}}, "guidance predicted needs a m"),
        ({"network": {"start": "control"}}, "the arm early-control needs weights of a matcher, got none"),
        ({"network": {"fusion": "late", "guidance": "mean"}}, "guidance needs --fusion early"),
        ({"network": {"pretrained": None, "variant": "huge"}}, "--variant must be one of paper"),
        ({"grid": ClassifyGridSettings(True, seeds=0)}, "--seeds must be 1 or more, got 0"),
        ({"objective": ClassifyObjectiveSettings(patience=0)}, "--patience must be 1 or more"),
    ],
)
def test_what_an_arm_lacks_is_said_before_anything_is_written(files, tmp_path, change, sentence):
    with pytest.raises(InputError, match=sentence):
        classify_studies(settings_of(files, tmp_path / "out", **change))
    assert not (tmp_path / "out").exists()


def test_views_beyond_those_of_the_network_are_refused(files, tmp_path):
    settings = settings_of(files, tmp_path / "out", data=ClassifyDataSettings(files[0], views=9))
    with pytest.raises(InputError, match="--views must be at most 4, as the network has views, got 9"):
        classify_studies(settings)


def test_a_split_without_a_label_is_refused(files, tmp_path):
    text = files[0].read_text("utf-8").splitlines()
    folder = tmp_path / "set"
    folder.mkdir()
    rows = [text[0]]
    for line in text[1:]:
        cells = line.split(",")
        if cells[2] == "val" and cells[3] == "1":
            continue
        cells[5] = str(files[0].parent / cells[5])
        rows.append(",".join(cells))
    (folder / "studies.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    settings = settings_of(files, tmp_path / "out", data=ClassifyDataSettings(folder / "studies.csv"))
    with pytest.raises(InputError, match=r'"val" must have studies of both labels, got no positive'):
        classify_studies(settings)


def test_a_folder_that_is_taken_is_refused_before_studies_are_read(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/last.ckpt").write_bytes(b"a training")
    with pytest.raises(OutputError, match="already holds a training; add --resume"):
        classify_studies(settings_of((tmp_path / "no studies.csv", "no matcher"), tmp_path / "out"))
