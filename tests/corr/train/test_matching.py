"""A matcher's training learns, goes on exactly where it was killed, and says in one sentence what it cannot do."""

import json
import math
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from support import corr_training
from support.corr_training import quick_settings, run, write_tissue_job
from xraykit.corr.data.settings import ImageChangeSettings
from xraykit.corr.matching import make_network
from xraykit.corr.network.matcher_weights import load_matcher
from xraykit.corr.predictor import Matcher
from xraykit.corr.train.matcher_task import pairs_of_one_patient
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.training import TrainingFailedError

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-corr[train]'")
SCRIPT = Path(corr_training.__file__)
PRIORS = ("zero", "mean", "mean_thickness", "pose")


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    return write_tissue_job(tmp_path_factory.mktemp("blocks"))


@pytest.fixture(scope="module")
def trained(job, tmp_path_factory):
    said = []
    done = run(quick_settings(tmp_path_factory.mktemp("trained") / "out", job), say=said.append)
    return done, said


def state(folder):
    return load_file(folder / "weights" / "model.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_folder_holds_weights_curve_checkpoint_and_settings(trained):
    done, _ = trained
    names = {path.name for path in done.folder.iterdir()}
    assert {"settings.json", "weights", "last.ckpt", "curve.csv", "curve.json", "report.md", "pairs"} <= names
    assert "| ap_macro_mean |" in (done.folder / "report.md").read_text()


def test_each_row_of_the_curve_has_the_priors_beside_the_scores(trained):
    done, _ = trained
    assert [row["step"] for row in done.rows] == [0, 2, 4]
    for row in done.rows:
        scores = {"ap_macro", "ap_micro", "precision", "recall", "mse", "overlap_auroc", "pairs_per_s", "peak_gib"}
        assert scores | {f"ap_macro_{name}" for name in PRIORS} | {f"mse_{name}" for name in PRIORS} <= set(row)
        assert all(math.isfinite(value) for value in row.values())
    assert all(done.rows[0][f"mse_{name}"] == done.rows[-1][f"mse_{name}"] for name in PRIORS)
    assert done.rows[0]["mse"] == pytest.approx(done.rows[0]["mse_zero"], rel=0.5)  # begins at the density


def test_who_is_held_out_and_how_the_priors_do_is_said(trained):
    _, said = trained
    assert any("4 patients to learn from, 2 held out: scores on 6 pairs of theirs" in sentence for sentence in said)
    assert sum("average precision without looking at anatomy: the mean matrix" in sentence for sentence in said) == 1


def test_weights_carry_their_input_and_what_they_learned_from(trained):
    done, _ = trained
    network = load_matcher(done.weights)
    assert (network.config.image_size, network.config.grid, network.config.layers) == (32, 4, 1)
    assert network.config.preprocess == {"size": 32, "low": 1.0, "high": 99.0, "field": "whole"}
    told = network.trained_on
    assert (told["patients"], told["truth"], told["tissue"], told["data"]) == (4, "share", "tissue", ["job"])
    assert torch.isfinite(network(torch.rand(1, 3, 1, 48, 48)).probability).all()
    assert network.config.overlap_head and network.overlap_head is not None


def test_training_goes_on_from_weights(trained, job, tmp_path):
    done, _ = trained
    bare = {"variant": "mini", "layers": None, "dimension": None, "heads": None, "start": str(done.weights)}
    more = run(quick_settings(tmp_path / "more", job, network=bare, length={"rate": 1e-9, "steps": 1}))
    mine, theirs = state(more.folder), state(done.folder)
    assert all(torch.allclose(mine[name], theirs[name], atol=1e-6) for name in theirs)
    with pytest.raises(InputError, match="weights to go on from bring their network along; leave out --layers"):
        run(quick_settings(tmp_path / "other", job, network={**bare, "layers": 2}))


def test_average_of_the_weights_is_what_is_saved(job, tmp_path):
    plain = run(quick_settings(tmp_path / "plain", job))
    averaged = run(quick_settings(tmp_path / "averaged", job, objective={"average": 0.9}))
    assert not same(state(plain.folder), state(averaged.folder))
    assert state(plain.folder).keys() == state(averaged.folder).keys()


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {
            "objective": {"loss": "bce", "balance": True, "weight_decay": 0.01, "trunk_rate": 0.5},
            "length": {"accumulate": 2},
        },
        {"objective": {"loss": "focal", "target": "shuffled"}, "data": {"tissue": "tissue", "truth": "hard"}},
        {"data": {"views": 3, "truth": "volume", "unrelated": 0.3}, "run": {"precision": "bf16-mixed"}},
        {"network": {"module": "none", "layers": None}, "data": {"held_out_share": 0.0}},
    ],
)
def test_every_variant_trains_and_its_weights_load(changes, job, tmp_path):
    done = run(quick_settings(tmp_path / "out", job, **changes))
    assert all(math.isfinite(row.get("train_loss", 0.0)) for row in done.rows)
    assert torch.isfinite(load_matcher(done.weights)(torch.rand(1, 2, 1, 32, 32)).probability).all()


@pytest.mark.slow
def test_the_control_learns_thickness_and_is_no_matcher(job, tmp_path):
    changes = {"length": {"steps": 30, "validate_every": 15, "warmup": 5}, "objective": {"target": "thickness"}}
    done = run(quick_settings(tmp_path / "out", job, data={"unrelated": 0.3}, **changes))
    first, *_, last = [row["thickness_r2"] for row in done.rows]
    assert last > max(first, 0.3)
    assert not [name for name in done.rows[-1] if name.startswith("ap_")]
    assert load_matcher(done.weights).trained_on["target"] == "thickness"
    with pytest.raises(
        InputError, match="must be those of a matcher that learned correspondence, got one that learned"
    ):
        Matcher(done.weights)


@pytest.mark.slow
def test_weights_without_a_second_head_get_one_and_it_learns_who_belongs_together(job, tmp_path):
    bare = {"network": {"overlap_head": False}}
    start = run(quick_settings(tmp_path / "start", job, **bare))
    assert not load_matcher(start.weights).config.overlap_head
    own = {"variant": "mini", "layers": None, "dimension": None, "heads": None, "start": str(start.weights)}
    length = {"steps": 40, "validate_every": 40, "batch": 8}
    weight = {"overlap_weight": 1.0}
    more_settings = quick_settings(
        tmp_path / "more", job, network=own, data={"unrelated": 0.5}, length=length, objective=weight
    )
    more = run(more_settings)
    assert load_matcher(more.weights).config.overlap_head
    learned, fresh = state(more.folder), make_network(more_settings, load_matcher(start.weights)).state_dict()
    assert float((learned["overlap_head.logit.weight"] - fresh["overlap_head.logit.weight"]).abs().max()) > 1e-3
    assert more.rows[-1]["train_loss"] < 1.0


def test_pairs_with_a_stranger_are_those_of_the_last_view():
    related = torch.tensor([True, False])
    assert pairs_of_one_patient(related, 2).tolist() == [[True], [False]]
    assert pairs_of_one_patient(related, 3).tolist() == [[True] * 3, [True, False, False]]


@pytest.mark.slow
def test_same_seed_gives_same_weights_whatever_the_workers(trained, job, tmp_path):
    again = run(quick_settings(tmp_path / "again", job, run={"workers": 1}))
    assert same(state(trained[0].folder), state(again.folder))
    other = run(quick_settings(tmp_path / "other", job, run={"seed": 1}))
    assert not same(state(trained[0].folder), state(other.folder))


def call(out, job, *words):
    return subprocess.run([sys.executable, str(SCRIPT), str(out), str(job), *words], check=False)


@pytest.mark.slow
def test_killed_training_goes_on_to_the_same_bits(job, tmp_path):
    assert call(tmp_path / "whole", job).returncode == 0
    assert call(tmp_path / "killed", job, "--kill", "3").returncode == -9
    assert call(tmp_path / "killed", job, "--resume").returncode == 0
    assert same(state(tmp_path / "whole"), state(tmp_path / "killed"))


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_batches_twice_as_large(job, tmp_path):
    assert call(tmp_path / "one", job, "--batch", "4").returncode == 0
    assert call(tmp_path / "two", job, "--batch", "2", "--devices", "2").returncode == 0
    one, two = state(tmp_path / "one"), state(tmp_path / "two")
    for name, values in one.items():
        close = torch.isclose(values, two[name], rtol=1e-3, atol=2e-4)
        assert close.float().mean() > 0.99, name  # Adam divides by the gradient's size: where it is 0, noise decides


@pytest.mark.slow
def test_matcher_learns_more_than_the_mean_and_shuffled_truth_teaches_no_more_than_it(tmp_path):
    job = write_tissue_job(tmp_path / "knees", patients=6, views=5, knees=True)
    changes = {
        "data": {"size": 48, "held_out_pairs": 20, "prior_pairs": 64, "unrelated": 0.0, "cache": tmp_path / "pairs"},
        "network": {"layers": 1, "dimension": 64},
        "changes": asdict(ImageChangeSettings.none()),
        "length": {"steps": 50, "batch": 8, "warmup": 20, "validate_every": 50},
    }
    taught = run(quick_settings(tmp_path / "taught", job, **changes)).rows[-1]
    shuffled = run(quick_settings(tmp_path / "shuffled", job, objective={"target": "shuffled"}, **changes)).rows[-1]
    assert taught["mse"] < taught["mse_mean"] < taught["mse_zero"]
    assert taught["ap_macro"] > taught["ap_macro_mean_thickness"] + 0.1
    assert abs(shuffled["ap_macro"] - shuffled["ap_macro_mean"]) < 0.1


def test_resume_with_other_settings_and_a_second_start_are_refused(trained, job):
    done, _ = trained
    settings = quick_settings(done.folder, job)
    with pytest.raises(OutputError, match="already holds a training; add --resume"):
        run(settings)
    other = replace(settings, run=replace(settings.run, resume=True), length=replace(settings.length, rate=0.5))
    with pytest.raises(InputError, match="rate"):
        run(other)


def test_loss_that_is_not_finite_ends_the_training(job, tmp_path):
    length = {"rate": 1e30, "warmup": 0, "clip": 0.0, "validate_every": 4}
    with pytest.raises(TrainingFailedError, match="the loss must stay finite, got nan in batch"):
        run(quick_settings(tmp_path / "out", job, length=length))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": {"size": 44}}, "--size must be a multiple of the 8 px of a patch, got 44; take 48"),
        ({"data": {"unrelated": 1.5}}, "--unrelated must lie in 0 to 1, got 1.5"),
        ({"data": {"angles": (90.0, 20.0)}}, r"angles must be two ascending angles .*, got \(90.0, 20.0\)"),
        ({"data": {"prior_pairs": 0}}, "--prior-pairs must be positive and finite, got 0"),
        ({"data": {"sources": ("nowhere",)}}, "nowhere"),
        ({"data": {"sources": ()}}, "a training needs X-rays of a data set job, got none"),
        ({"network": {"variant": "huge"}}, "--variant must be one of paper, paper-authors, small, mini, got 'huge'"),
        ({"network": {"trunk": "resnet99"}}, "resnet99"),
        ({"objective": {"average": 1.0}}, "--average must lie in 0 to below 1, got 1.0"),
        (
            {"objective": {"target": "depth"}},
            "--target must be one of correspondence, shuffled, thickness, got 'depth'",
        ),
        ({"objective": {"weight_decay": -1.0}}, "--weight-decay must be 0 or more and finite, got -1.0"),
        ({"objective": {"target": "shuffled"}, "length": {"batch": 1}}, "--batch must be 2 or more, got 1"),
    ],
)
def test_impossible_settings_are_refused_in_one_sentence(changes, message, job, tmp_path):
    with pytest.raises((InputError, FileError), match=message):
        run(quick_settings(tmp_path / "out", job, **changes))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"views": 9}, "pairs need a patient seen in 9 views"),
        ({"angles": (179.9, 180.0)}, "pairs need a patient seen in 2 views 179.9 to 180 degrees apart"),
    ],
)
def test_views_that_make_no_pair_are_refused(data, message, job, tmp_path):
    with pytest.raises(InputError, match=message):
        run(quick_settings(tmp_path / "out", job, data=data))
    assert not (tmp_path / "out" / "last.ckpt").exists()


def test_settings_say_what_they_were(trained):
    done, _ = trained
    written = json.loads((done.folder / "settings.json").read_text())
    assert written["xraykit"]["command"] == "corr train"
    assert written["data"]["held_out_pairs"] == 6
