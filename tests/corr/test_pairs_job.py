"""The job of pairs: truth beside images, the same bytes again, and what stands in its way said in one sentence."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from support.corr_views import write_views
from support.repo import ROOT
from xraykit.corr import pairs_job
from xraykit.corr.cli.pairs import command
from xraykit.corr.data import StoredPairs, relative_angles
from xraykit.corr.data.pairs_plan import StoredPairSettings, read_pairs_plan
from xraykit.corr.ground_truth import correspondence
from xraykit.corr.pairs_job import make_pairs
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.dataset import DatasetConfig, ImageSettings, PatientSources, ProceduralPatients

CONFIG = DatasetConfig(
    seed=4, patients=PatientSources(ProceduralPatients(count=4)), image=ImageSettings((24, 24), tissue=64)
)
SETTINGS = StoredPairSettings(grid=6, per_patient=3, patients_per_shard=2, storage="uint8")


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """A folder in which the images are there already, as if a cluster had made them."""
    write_views(tmp_path / "out/images", {"train": 3, "val": 1})
    monkeypatch.setattr(pairs_job, "make_dataset", lambda *_, **__: SimpleNamespace(shards=()))
    return tmp_path / "out"


def digests(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "pairs").iterdir())}


def test_pairs_have_the_truth_of_their_views(drawn):
    told = []
    made = make_pairs(CONFIG, SETTINGS, drawn, report=lambda *row: told.append(row))
    assert [(shard.name, shard.pairs) for shard in made.shards] == [
        ("train-000000.tar", 6),
        ("train-000001.tar", 3),
        ("val-000000.tar", 3),
    ]
    assert (made.made, made.pairs, told[-1]) == (3, 12, ("patients", 4, 4))
    pairs = StoredPairs(drawn, size=48)
    assert len(pairs) == 12
    for pair in pairs:
        assert pair.images.shape == (2, 1, 48, 48)
        store, views = pairs.store, [pairs.store.names.index(name) for name in pair.record["views"]]
        support = store.support(store.patient(views[0]))
        wanted = correspondence(support, store.projection(views[0]), store.projection(views[1]), grid=6)
        torch.testing.assert_close(pair.truth, wanted, atol=1 / 510 + 1e-6, rtol=0)
        angle = float(relative_angles(pair.projections)[0, 1])
        assert 30 <= angle <= 150 and pair.record["relative_angle"] == pytest.approx(angle, abs=1e-3)
        assert pair.record["density"] == pytest.approx(float((wanted > 0).float().mean()), abs=1e-6)
    assert len(StoredPairs(drawn, split="val")) == 3
    with pytest.raises(InputError, match="split must be one of train, val, got 'test'"):
        StoredPairs(drawn, split="test")


def test_a_job_goes_on_with_the_same_bytes_for_any_number_of_calls(drawn):
    make_pairs(CONFIG, SETTINGS, drawn)
    whole = digests(drawn)
    assert make_pairs(CONFIG, SETTINGS, drawn, resume=True).made == 0
    (drawn / "pairs/train-000001.tar").unlink()
    (drawn / "pairs/val-000000.tar").write_bytes(b"damaged")
    assert make_pairs(CONFIG, SETTINGS, drawn, resume=True).made == 2
    assert digests(drawn) == whole


def test_an_interrupted_job_keeps_what_is_finished_and_says_so(drawn, monkeypatch):
    real, calls = pairs_job.make_pair_shard, []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(pairs_job, "make_pair_shard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_pairs(CONFIG, SETTINGS, drawn)
    with pytest.raises(FileError, match="must hold finished pairs; go on with xraykit corr pairs --resume"):
        StoredPairs(drawn)
    assert make_pairs(CONFIG, SETTINGS, drawn, resume=True).made == 2
    assert len(StoredPairs(drawn)) == 12


def test_pairs_of_other_settings_stay_as_they_are(drawn):
    make_pairs(CONFIG, SETTINGS, drawn)
    whole = digests(drawn)
    for config, settings in ((CONFIG, replace(SETTINGS, grid=5)), (replace(CONFIG, seed=5), SETTINGS)):
        with pytest.raises(OutputError, match="holds pairs of other settings or images"):
            make_pairs(config, settings, drawn, resume=True)
    assert digests(drawn) == whole


def test_what_cannot_be_paired_is_refused(drawn):
    with pytest.raises(InputError, match="a patient with two views 178 to 179 degrees apart, got none"):
        make_pairs(CONFIG, replace(SETTINGS, angles=(178.0, 179.0)), drawn)
    with pytest.raises(InputError, match="workers must be 1 or more, got 0"):
        make_pairs(CONFIG, SETTINGS, drawn, workers=0)
    with pytest.raises(InputError, match=r"image.tissue must be set for pairs, such as 64, got 0"):
        make_pairs(replace(CONFIG, image=ImageSettings((24, 24))), SETTINGS, drawn)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "x"}, "must be a list of pairs of format xraykit-pairs/1"),
        ({"shards": [{"name": "a.tar"}]}, "must list shards by name, split, sha256, bytes and pairs"),
        ({"shards": [{"name": "../a.tar", "split": "a", "sha256": "", "bytes": 0, "pairs": 0}]}, "plain .tar files"),
    ],
)
def test_a_damaged_list_of_pairs_is_refused(drawn, change, sentence):
    make_pairs(CONFIG, SETTINGS, drawn)
    path = drawn / "pairs/pairs.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(FileError, match=sentence):
        StoredPairs(drawn)
    with pytest.raises(OutputError, match="Delete it to make the pairs again"):
        make_pairs(CONFIG, SETTINGS, drawn, resume=True)


PLAN = "patients: {procedural: {count: 1}}\nviews: {per_patient: 4}\nimage: {tissue: 64}\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (PLAN.replace("tissue: 64", "size: [64, 64]"), "image.tissue must be set for pairs, such as 64, got 0"),
        (PLAN.replace("per_patient: 4", "per_patient: 1"), "views.per_patient must be 2 or more for pairs, got 1"),
        (PLAN + "pairs: {gird: 8}", "yaml: pairs has no key 'gird'; did you mean 'grid'"),
        (PLAN + "pairs: {grid: 200}", "yaml: pairs: grid must be 1 to 128 patches, got 200"),
        (PLAN + "pairs: {mode: paper}", "mode knows no 'paper'"),
        (PLAN + "pairs: {angles: [90, 20]}", "angles must be two ascending angles"),
        (PLAN + "pairs: {per_patient: 0}", "per_patient and patients_per_shard must be 1 or more"),
        (PLAN + "piars: {}", "has no key 'piars'"),
    ],
)
def test_a_plan_with_a_mistake_is_refused_and_nothing_is_written(tmp_path, text, sentence):
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(FileError, match=sentence):
        command(path, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "images"), [("pairs.yaml", 2400), ("pairs_small.yaml", 36)])
def test_examples_are_legal_and_as_large_as_they_say(name, images):
    config, _ = read_pairs_plan(ROOT / "examples/corr" / name)
    assert config.patients.procedural.count * config.views.per_patient == images


def test_the_command_says_what_it_made(drawn, tmp_path, capsys):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN + "pairs: {grid: 6, per_patient: 2}\n")
    command(path, output=drawn)
    assert "8 pairs in 2 shards" in capsys.readouterr().out


@pytest.mark.slow
def test_images_and_pairs_are_made_by_several_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(pairs_job, "FEW", 0)
    pytest.importorskip("pycocotools", reason="needs the extra: pip install 'xraykit-render[dataset]'")
    path = tmp_path / "plan.yaml"
    path.write_text(
        "patients: {procedural: {count: 3, size: 32, regions: {knee: 1}}}\n"
        "views: {per_patient: 4, random: 0, orbit: 1}\n"
        "physics: {samples: 20}\nimage: {size: [32, 32], tissue: 32}\nimages_per_shard: 4\n"
        "pairs: {grid: 8, per_patient: 3, patients_per_shard: 1, storage: bits}\n"
    )
    config, settings = read_pairs_plan(path)
    made = make_pairs(config, settings, tmp_path / "out", workers=2)
    assert made.pairs > 0
    pairs = StoredPairs(tmp_path / "out", size=32)
    assert len(pairs) == made.pairs and set(pairs[0].truth.unique().tolist()) <= {0.0, 1.0}
