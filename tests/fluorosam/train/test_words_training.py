"""A text encoder learns, goes on to the same bits after a kill, and leaves a whole network behind."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support import fluorosam_encoders
from support.fluorosam_encoders import TINY, quick_words, tiny_start
from xraykit.fluorosam import load_network, new_network
from xraykit.fluorosam.prompts import TextPrompt
from xraykit.fluorosam.train import RetrievedTexts, TextCorpus, TextRetrieval, WordsTask, pretrain_text
from xraykit.render import FileError, InputError
from xraykit.render.training import RunSettings

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-fluorosam[train]'")


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return tiny_start(tmp_path_factory.mktemp("start"))


@pytest.fixture(scope="module")
def trained(start, tmp_path_factory):
    return pretrain_text(quick_words(tmp_path_factory.mktemp("run") / "out", start))


def test_only_the_text_encoder_has_learned(trained, start):
    before, after = load_network(start).state_dict(), load_network(trained.weights).state_dict()
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed and all(name.startswith("prompt_encoder.text_model.") for name in changed)
    assert "prompt_encoder.text_model.logit_scale" in changed


def test_folder_says_what_was_learned_and_how_well(trained):
    assert load_network(trained.weights).trained_on["text"]["objective"] == "text contrast"
    assert {"retrieved", "retrieved_word", "retrieved_mistyped", "other_side", "train_scale"} <= set(trained.rows[-1])


@pytest.mark.slow
def test_killed_training_goes_on_to_the_same_bits(start, tmp_path):
    def call(out, *words):
        script = str(Path(fluorosam_encoders.__file__))
        command = [sys.executable, script, str(tmp_path / out), start, *words]
        return subprocess.run(command, check=False).returncode

    assert call("whole") == 0
    assert call("killed", "--kill", "4") == -9
    assert call("killed", "--resume") == 0
    whole, killed = (load_network(tmp_path / name / "weights").state_dict() for name in ("whole", "killed"))
    assert all(torch.equal(whole[name], killed[name]) for name in whole)


def test_weights_that_are_not_there_are_said(tmp_path):
    with pytest.raises(FileError, match="nowhere"):
        pretrain_text(quick_words(tmp_path / "out", str(tmp_path / "nowhere")))


def few_texts():
    names = ("femur_left", "femur_right", "liver", "sternum")
    train = (
        ("left femur", "left thigh bone", "thigh bone on the left"),
        ("right femur", "right thigh bone", "thigh bone on the right"),
        ("liver", "hepatic shadow", "segment the liver"),
        ("sternum", "breastbone", "outline the sternum"),
    )
    held = tuple(TextPrompt(n, t[0].upper(), split="held_out", source="grammar/clinical/template")
                 for n, t in zip(names, train, strict=True))  # fmt: skip
    return TextCorpus(names, train, held)


def test_a_few_texts_are_learned_by_heart(start):
    settings = quick_words(Path("unused"), start)
    network = load_network(start).train()
    task = WordsTask(network, settings, few_texts())
    task.open(0, 1, torch.device("cpu"))
    optimizer = torch.optim.Adam(task.module.parameters(), lr=0.01)
    torch.manual_seed(0)
    for number in range(60):
        optimizer.zero_grad()
        task.step(number, 0.0).backward()
        optimizer.step()
        task.after_step(0.0)
    assert task.retrieved().shares()["retrieved"] == 1.0


def test_a_frozen_tower_learns_here_and_stays_frozen_elsewhere():
    from dataclasses import replace

    network = new_network(replace(TINY, text=replace(TINY.text, frozen=True)))
    assert not any(each.requires_grad for each in network.prompt_encoder.text_model.parameters())
    task = WordsTask(network, quick_words(Path("unused"), ""), few_texts())
    assert all(each.requires_grad for each in task.module.parameters())
    assert network.config.text.frozen


def test_shares_count_kinds_and_the_other_side():
    def prompt(target, source):
        return TextPrompt(target, "x", split="held_out", source=f"grammar/{source}")

    prompts = (
        prompt("femur_left", "clinical/template"),
        prompt("femur_right", "lay/template"),
        prompt("liver", "latin/word"),
        prompt("liver", "clinical/both"),
    )
    found = ("femur_right", "femur_right", "liver", "sternum")
    rows = RetrievedTexts(prompts, found, ("femur_left",) * 4)
    shares = rows.shares()
    assert shares["retrieved"] == 0.5 and shares["retrieved_sentence"] == 0.5 and shares["retrieved_word"] == 0.5
    assert shares["retrieved_lay"] == 1.0 and shares["retrieved_latin"] == 1.0
    assert shares["other_side"] == 0.5  # of the two that have one
    assert shares["retrieved_mistyped"] == 0.25
    assert rows.confused() == {("femur_left", "femur_right"): 1, ("liver", "sternum"): 1}


def test_shares_of_kinds_without_texts_are_left_out():
    assert RetrievedTexts((), (), ()).shares() == {}
    only = RetrievedTexts((TextPrompt("liver", "x", source="grammar/clinical/word"),), ("liver",), ("liver",)).shares()
    assert only == {"retrieved": 1.0, "retrieved_word": 1.0, "retrieved_mistyped": 1.0}


def test_retrieval_with_perfect_features_finds_everything_and_with_none_nothing():
    corpus = few_texts()
    words = {"left": 0, "right": 1, "liver": 2, "hepatic": 2, "sternum": 3, "breastbone": 3}

    def features(texts):
        known = [next((n for word, n in words.items() if word in text.lower()), 4) for text in texts]
        return torch.eye(5)[known]

    retrieval = TextRetrieval(corpus)
    assert retrieval.retrieve(features).shares()["retrieved"] == 1.0
    assert retrieval.retrieve(lambda texts: torch.ones(len(texts), 4)).shares()["retrieved"] == 0.25


def test_batch_that_is_too_small_is_refused(start, tmp_path):
    from dataclasses import replace

    settings = quick_words(tmp_path / "out", start)
    small = replace(settings, length=replace(settings.length, batch=4), run=RunSettings(tmp_path / "out", device="cpu"))
    with pytest.raises(InputError, match="two targets with two texts"):
        pretrain_text(small)
