"""Every example runs at a size that suits a test, finds what it promises, is short, and is called like the others."""

import ast
import re
from importlib import import_module

import numpy as np
import pytest
from PIL import Image
from support.dataset_jobs import in_this_process
from support.repo import ROOT
from xraykit.render.training import one_thread
from xraykit.render.weights import load_weights

EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
FEWEST_COLOURS = 20  # of a picture that shows something
# Seconds each; tests of the packages and shorter examples go the same ways at every change.
LONG = {
    *("compare_xrays", "pretrain_backbone", "segment_by_words", "match_views", "train_matcher", "register_xray"),
    *("score_two_methods", "train_toy_task", "follow_gradient"),
}
RUNS = [
    pytest.param(path, marks=pytest.mark.slow if path.stem in LONG else (), id=f"{path.parent.name}-{path.stem}")
    for path in EXAMPLES
]


def the_opening_is_found(overlap, out, said, example):
    assert overlap > 0.93
    with Image.open(out / "exposed_field.png") as picture:
        assert picture.size[0] > 320


def the_button_writes_xrays(result, out, said, example):
    written = sorted(out.glob("*.png"))
    assert [path.name for path in written] == ["000.png", "001.png", "002.png"]
    assert len({path.read_bytes() for path in written}) == 3
    with Image.open(written[0]) as picture:
        assert picture.size == (48, 48)


def weights_are_saved_and_loaded(result, out, said, example):
    assert "must hold a pose network written by xraykit-xvr" in said
    assert (out / "net" / "model.safetensors").is_file()


def two_methods_are_scored(report, out, said, example):
    assert report.ranking is not None and report.ranking.methods[0] == "phase_correlation"
    assert {path.name for path in out.iterdir()} == {"rows.csv", "report.json", "report.md", "errors.png"}


def the_line_is_learnt_and_learning_resumed(run, out, said, example):
    assert run.batches == 40 and run.rows[-1]["slope_error"] < 0.5 * run.rows[0]["slope_error"]
    again = example.main(out, resume=True)
    assert again.batches == 400 and again.rows[-1]["slope_error"] < 0.1
    saved = load_weights(out / "weights", example.KIND)
    slope_error = abs(saved.state["weight"].item() - example.SLOPE)
    assert slope_error == pytest.approx(again.rows[-1]["slope_error"], abs=1e-4)
    assert saved.trained_on["batches"] == 400


def xrays_are_like_those_of_their_region(cosines, out, said, example):
    apart = cosines - 2 * cosines.new_ones(6).diag()
    assert (apart.argmax(1) == cosines.new_tensor([1, 0, 3, 2, 5, 4])).float().mean() >= 0.5
    assert "maps: " in said


def a_backbone_is_trained_and_loads(training, out, said, example):
    assert training.batches == 2
    assert "vit_mini16, 192 features" in said


def the_matcher_points_where_beams_meet(shares, out, said, example):
    hit, chance = shares
    assert hit > 3 * chance
    assert {path.name for path in out.iterdir()} == {"truth.png", "heat.png", "matches.png"}


def a_matcher_is_trained_and_loads(training, out, said, example):
    assert training.batches == 2
    assert "standard on a grid of 8, learned from 3" in said


def lungs_and_a_heart_are_found(scores, out, said, example):
    assert scores["right lung"] > 0.5 and scores["box"] > 0.75
    assert scores["5 clicks"] > scores["1 clicks"] + 0.1
    assert "left kneecap: not visible" in said
    assert {path.name for path in out.iterdir()} == {"by_words.png", "by_clicks.png", "by_box.png"}


PROMISES = {
    "segment_by_words": lungs_and_a_heart_are_found,
    "compare_xrays": xrays_are_like_those_of_their_region,
    "pretrain_backbone": a_backbone_is_trained_and_loads,
    "exposed_field": the_opening_is_found,
    "match_views": the_matcher_points_where_beams_meet,
    "train_matcher": a_matcher_is_trained_and_loads,
    "local_page": the_button_writes_xrays,
    "save_and_load_weights": weights_are_saved_and_loaded,
    "score_two_methods": two_methods_are_scored,
    "train_toy_task": the_line_is_learnt_and_learning_resumed,
}


@pytest.mark.filterwarnings("ignore:.*another length")  # of the toy task, which is quick first and whole then
@pytest.mark.parametrize("path", RUNS)
def test_an_example_runs_and_writes_what_one_can_look_at(path, tmp_path, capsys, monkeypatch):
    pytest.importorskip(f"xraykit.{path.parent.name}", reason="the example's package is not installed")
    with one_thread(), in_this_process():
        monkeypatch.syspath_prepend(path.parent)
        example = import_module(path.stem)
        result = example.main(tmp_path / "out", quick=True)
    assert any((tmp_path / "out").rglob("*"))
    for picture in (tmp_path / "out").glob("*.png"):
        with Image.open(picture) as image:
            assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > FEWEST_COLOURS
    if path.stem in PROMISES:
        PROMISES[path.stem](result, tmp_path / "out", capsys.readouterr().out, example)


def test_every_promise_is_an_example_s():
    assert PROMISES.keys() | LONG <= {path.stem for path in EXAMPLES}


def test_examples_are_short_have_one_signature_and_say_what_one_learns():
    wrong = []
    for path in EXAMPLES:
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        mains = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"]
        calls = [[ast.unparse(argument) for argument in main.args.args] for main in mains]
        name = path.relative_to(ROOT).as_posix()
        wrong += [f"{name}: {text.count(chr(10))} lines"] * (text.count("\n") >= 80)
        wrong += [f"{name}: main of {calls}"] * (calls != [["out: Path", "quick: bool"]])
        wrong += [f"{name}: what does one learn?"] * ((ast.get_docstring(tree) or "").count("\n") < 3)
        wrong += [f"{name}: a verb and its object, please"] * (not re.fullmatch(r"[a-z]+(_[a-z]+)+", path.stem))
    assert wrong == []


def test_examples_use_public_names_alone():
    deep = re.compile(r"^\s*(?:from|import) xraykit\.\w+\.\w+\.\w+", re.MULTILINE)
    assert [path.name for path in EXAMPLES if deep.search(path.read_text(encoding="utf-8"))] == []
