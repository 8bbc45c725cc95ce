"""Matchers and classifiers on disk and by name: never without their config."""

import json

import pytest
import torch
from xraykit.corr.network import (
    MatcherConfig,
    StudyClassifierConfig,
    load_classifier,
    load_matcher,
    matcher_weights,
    new_classifier,
    new_matcher,
    save_classifier,
    save_matcher,
)
from xraykit.render import FileError, InputError
from xraykit.render.weights import save_weights

CONFIG = MatcherConfig(
    "mini", stride=8, image_size=32, dimension=32, layers=2, heads=2, norm="group", preprocess={"low": 1.0}
)
IMAGES = torch.rand(1, 2, 1, 32, 32, generator=torch.Generator().manual_seed(0))


def test_what_is_loaded_is_what_was_saved_with_its_preprocessing(tmp_path):
    net = new_matcher(CONFIG, seed=3).eval()
    save_matcher(net, tmp_path / "net", trained_on={"pairs": 5})
    again = load_matcher(tmp_path / "net")
    assert again.config == CONFIG and again.trained_on == {"pairs": 5} and not again.training
    assert torch.equal(again(IMAGES).probability, net(IMAGES).probability)
    stored = json.loads((tmp_path / "net" / "config.json").read_text())
    assert stored["kind"] == "corr_matcher" and stored["config"]["preprocess"] == {"low": 1.0}
    save_matcher(again, tmp_path / "again", half=True)
    half = load_matcher(tmp_path / "again")
    assert half.trained_on == {"pairs": 5}
    torch.testing.assert_close(half(IMAGES).probability, net(IMAGES).probability, rtol=0, atol=1e-2)


def test_a_classifier_comes_back_with_its_matcher_s_config(tmp_path):
    net = new_classifier(StudyClassifierConfig(CONFIG, guided=True, centred=True), seed=3).eval()
    save_classifier(net, tmp_path, trained_on={"studies": 5})
    again = load_classifier(tmp_path)
    assert again.config == net.config and again.trained_on == {"studies": 5} and not again.training
    matches = torch.rand(1, 1, 16, 16)
    with torch.no_grad():
        assert torch.equal(again(IMAGES, correspondences=matches), net(IMAGES, correspondences=matches))


def test_random_weights_have_a_name():
    torch.testing.assert_close(
        load_matcher("random:mini").head.project.weight, new_matcher("mini", seed=0).head.project.weight
    )
    with pytest.raises(InputError, match="a matcher must be one of paper"):
        load_matcher("random:huge")


def test_a_package_without_its_shipped_matcher_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(matcher_weights, "SHIPPED", tmp_path)
    with pytest.raises(FileError, match="ships with xraykit-corr must lie in its folder shipped"):
        load_matcher("shipped")
    save_matcher(new_matcher(CONFIG), tmp_path)
    assert load_matcher("shipped").config == CONFIG


def test_other_weights_and_broken_configs_are_refused(tmp_path):
    save_classifier(new_classifier(StudyClassifierConfig(CONFIG)), tmp_path / "classifier")
    with pytest.raises(FileError, match="must hold a corr_matcher written by xraykit-corr, got other weights"):
        load_matcher(tmp_path / "classifier")
    state = new_matcher(CONFIG).state_dict()
    save_weights(tmp_path / "bad", state, matcher_weights.MATCHER, config={"trunk": "mini", "depth": 3})
    with pytest.raises(FileError, match="must carry a complete config, got one that is not"):
        load_matcher(tmp_path / "bad")
    config = {"trunk": "mini", "stride": 8, "image_size": 32, "dimension": 64, "layers": 2, "heads": 2, "norm": "group"}
    save_weights(tmp_path / "wide", state, matcher_weights.MATCHER, config=config)
    with pytest.raises(FileError, match=r"must hold the weights of a standard matcher: .* of shape"):
        load_matcher(tmp_path / "wide")
    save_weights(tmp_path / "empty", state, matcher_weights.MATCHER, config={})
    with pytest.raises(FileError, match="belongs to another architecture or is incomplete"):
        load_matcher(tmp_path / "empty")
    save_weights(tmp_path / "no", {}, matcher_weights.MATCHER, config={"trunk": "nothing"})
    with pytest.raises(FileError, match="must carry a complete config"):
        load_matcher(tmp_path / "no")


def test_nothing_at_a_path_is_one_sentence(tmp_path):
    with pytest.raises(FileError, match="nothing is there"):
        load_classifier(tmp_path / "nowhere" / "at" / "all")
