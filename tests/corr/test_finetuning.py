"""Fine-tuning: what was marked is learned, the best state is kept, and it stops when nothing gets better."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support.corr_annotations import annotated, small_matcher
from xraykit.corr.data.settings import ImageChangeSettings
from xraykit.corr.data.xray_reading import XrayReading
from xraykit.corr.finetuning import finetune_matcher
from xraykit.corr.network import load_matcher
from xraykit.corr.train.finetune_settings import (
    FinetuneDataSettings,
    FinetuneLengthSettings,
    FinetuneNetworkSettings,
    FinetuneObjectiveSettings,
    FinetuneSettings,
)
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.storage import read_settings
from xraykit.render.training import RunSettings

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-corr[train]'")
pytest.importorskip("tensorboard", reason="needs the extra: pip install 'xraykit-corr[train]'")


def settings_of(folder: Path, file: Path, **objective) -> FinetuneSettings:
    return FinetuneSettings(
        data=FinetuneDataSettings(file, random_negatives=20),
        network=FinetuneNetworkSettings(str(small_matcher(folder / "start"))),
        changes=ImageChangeSettings.none(),
        objective=FinetuneObjectiveSettings(**{"loss": "bce", "keep": 0.0} | objective),
        length=FinetuneLengthSettings(steps=60, batch=4, rate=5e-3, warmup=5, validate_every=15),
        run=RunSettings(folder / "out", device="cpu", precision="32-true", workers=0),
    )


@pytest.mark.slow
def test_marked_points_are_learned_and_the_scores_of_before_stand_beside_those_of_after(tmp_path):
    file = annotated(tmp_path, samples=8, splits=("train",))
    text = file.read_text(encoding="utf-8")
    content = json.loads(text)
    for sample in list(content["samples"])[:4]:  # the same X-rays as a test: what was taught must be known
        copy = json.loads(json.dumps(sample)) | {
            "id": sample["id"] + "t",
            "patient": sample["id"] + "t",
            "split": "test",
        }
        content["samples"].append(copy)
    file.write_text(json.dumps(content), encoding="utf-8")
    said: list[str] = []
    result = finetune_matcher(settings_of(tmp_path, file), say=said.append)
    assert result.before is not None
    assert result.after[0].ap > 0.9 > result.before.ap
    assert any("train: 8 pairs of 8 patients, 16 positive" in sentence for sentence in said)
    scores = json.loads((tmp_path / "out" / "scores.json").read_text("utf-8"))
    assert scores["seed 0"]["ap"] == pytest.approx(result.after[0].ap)
    assert (tmp_path / "out" / "scores.md").read_text("utf-8").startswith("Test samples: 8 positive entries")
    network = load_matcher(result.runs[0].weights)
    assert network.trained_on["annotations"] == "points.json"


def test_it_ends_when_the_validation_does_not_get_better_and_keeps_the_best_state(tmp_path):
    file = annotated(tmp_path, samples=6, splits=("train", "val"))
    settings = settings_of(tmp_path, file, patience=1)
    settings = replace(
        settings, length=replace(settings.length, steps=500, batch=3, rate=1e-12, warmup=0, validate_every=3)
    )
    result = finetune_matcher(settings)
    assert result.runs[0].batches == 3  # the validation after 3 batches is no better than the first
    first = load_matcher(settings.network.start).state_dict()
    kept = load_matcher(result.runs[0].weights).state_dict()
    assert all(torch.allclose(first[name], kept[name], atol=1e-6) for name in first)


def test_repeats_have_folders_and_seeds_of_their_own(tmp_path):
    file = annotated(tmp_path, samples=4, splits=("train", "test"))
    settings = settings_of(tmp_path, file, keep=0.1)
    settings = replace(settings, repeats=2, length=replace(settings.length, steps=2, batch=2, validate_every=1))
    result = finetune_matcher(settings)
    assert [run.folder.name for run in result.runs] == ["seed0", "seed1"]
    table = (tmp_path / "out" / "scores.md").read_text("utf-8")
    assert "| before |" in table and "| seed 1 |" in table and "mean and deviation" in table


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"repeats": 0}, "--repeats and --patience must be 1 or more"),
        ({"objective": FinetuneObjectiveSettings(keep=-1.0)}, "--keep and --weight-decay must be 0 or more"),
    ],
)
def test_impossible_settings_are_refused(tmp_path, change, sentence):
    settings = replace(settings_of(tmp_path, annotated(tmp_path, samples=4)), **change)
    with pytest.raises(InputError, match=sentence):
        finetune_matcher(settings)
    assert not (tmp_path / "out").exists()


def test_a_batch_is_no_larger_than_the_data_and_files_are_read_as_asked(tmp_path):
    file, said = annotated(tmp_path, samples=2), []
    settings = replace(settings_of(tmp_path, file), reading=XrayReading(polarity="log_intensity"))
    settings = replace(settings, length=replace(settings.length, steps=2, warmup=1, validate_every=1))
    finetune_matcher(settings, say=said.append)
    assert read_settings(FinetuneSettings, tmp_path / "out" / "settings.json").length.batch == 2
    assert not any("polarity" in sentence for sentence in said)
    other = replace(settings, reading=XrayReading(), run=replace(settings.run, output=tmp_path / "other"))
    finetune_matcher(other, say=said.append)
    assert any("and 3 more: polarity log_attenuation is assumed" in sentence for sentence in said)
    weights = [load_file(tmp_path / name / "weights" / "model.safetensors") for name in ("out", "other")]
    assert any(not torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def test_annotations_without_training_samples_are_refused(tmp_path):
    with pytest.raises(InputError, match='points in the split "train", got none'):
        finetune_matcher(settings_of(tmp_path, annotated(tmp_path, samples=2, splits=("test",))))


def test_images_of_another_size_than_annotated_are_refused_where_no_pair_is_left(tmp_path):
    file = annotated(tmp_path, samples=1)
    content = json.loads(file.read_text("utf-8"))
    content["samples"][0]["views"][0]["size"] = [64, 70]
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(FileError, match="must be 70 x 64 px as annotated, got 64 x 64"):
        finetune_matcher(settings_of(tmp_path, file))


@pytest.mark.parametrize(("repeats", "place"), [(1, "out"), (2, "out/seed0")])
def test_a_folder_that_is_taken_is_refused_before_annotations_are_read(tmp_path, repeats, place):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "last.ckpt").write_bytes(b"a training")
    settings = replace(settings_of(tmp_path, tmp_path / "no annotations.json"), repeats=repeats)
    with pytest.raises(OutputError, match="already holds a training; add --resume"):
        finetune_matcher(settings)
