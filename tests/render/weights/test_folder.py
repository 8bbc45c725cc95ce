"""What is saved comes back from a folder, a file or the hub, with its config, whole or not at all."""

import json
from importlib.metadata import version

import pytest
import torch
from support.later import later
from torch import nn
from xraykit.render import FileError, InputError, OutputError, XraykitError
from xraykit.render.weights import SavedWeights, WeightsKind, fill_module, load_weights, save_weights

REASON = "needs the extra: pip install 'xraykit-render[weights]'"
safetensors, safetensors_torch = (later(name, reason=REASON) for name in ("safetensors", "safetensors.torch"))

KIND = WeightsKind("toy net", "xraykit-render")
CONFIG = {"inputs": 3, "name": "toy"}


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


@pytest.fixture
def folder(net, tmp_path):
    path = save_weights(tmp_path / "a" / "net", net.state_dict(), KIND, config=CONFIG, trained_on={"cts": 2})
    return path.parent


def rewritten(folder, change):
    """The same weights with what they carry changed."""
    path = folder / "model.safetensors"
    with safetensors.safe_open(path, framework="pt") as file:
        content = json.loads(file.metadata()["xraykit"])
    safetensors_torch.save_file(safetensors_torch.load_file(path), path, {"xraykit": change(content)})
    return path


@pytest.mark.parametrize("form", [lambda f: f, str, lambda f: f / "model.safetensors"])
def test_weights_come_back_bit_by_bit_with_what_they_are(net, folder, form):
    saved = load_weights(form(folder), KIND)
    assert isinstance(saved, SavedWeights)
    assert sorted(saved.state) == sorted(net.state_dict())
    assert all(torch.equal(saved.state[name], tensor) for name, tensor in net.state_dict().items())
    assert (saved.config, saved.trained_on) == (CONFIG, {"cts": 2})
    assert saved.version == version("xraykit-render")
    assert torch.__version__.startswith(saved.libraries["torch"])


def test_config_json_says_the_same_as_the_weights(folder):
    content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert set(content) == {"kind", "format", "config", "trained_on", "package", "version", "libraries"}
    with safetensors.safe_open(folder / "model.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["xraykit"]) == content


def test_half_stores_float16_and_leaves_whole_numbers_alone(net, tmp_path):
    whole = save_weights(tmp_path / "whole", net.state_dict(), KIND, config={})
    half = save_weights(tmp_path / "half", net.state_dict(), KIND, config={}, half=True)
    state = load_weights(half, KIND).state
    assert state["0.weight"].dtype == torch.float16 and state["1.num_batches_tracked"].dtype == torch.int64
    stored = sum(t.numel() * t.element_size() for t in state.values() if t.is_floating_point())
    assert 2 * stored == sum(
        t.numel() * t.element_size() for t in safetensors_torch.load_file(whole).values() if t.is_floating_point()
    )
    other = fill_module(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), state, source="it", wanted="a net")
    assert other[0].weight.dtype == torch.float32
    apart = other[0].state_dict()["weight"] - net[0].state_dict()["weight"]
    assert float(apart.abs().max()) < 2**-11


def test_numbers_too_large_for_float16_are_refused_and_nothing_written(tmp_path):
    with pytest.raises(InputError, match="float16 holds numbers up to 65504, got larger ones in w"):
        save_weights(tmp_path / "net", {"w": torch.tensor([1e5])}, KIND, config={}, half=True)
    assert not (tmp_path / "net").exists()


def test_tensors_that_share_memory_are_stored_each(tmp_path):
    tied = torch.arange(6.0).reshape(2, 3)
    path = save_weights(tmp_path, {"a": tied, "b": tied, "c": tied.T}, KIND, config={})
    state = load_weights(path, KIND).state
    assert torch.equal(state["a"], tied) and torch.equal(state["b"], tied) and torch.equal(state["c"], tied.T)


def test_an_interrupted_save_leaves_the_old_weights(net, folder, monkeypatch):
    before = load_weights(folder, KIND)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", stop)
    with pytest.raises(KeyboardInterrupt):
        save_weights(folder, {"other": torch.zeros(1)}, KIND, config={})
    assert load_weights(folder, KIND).config == before.config
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_what_no_json_holds_is_refused_and_nothing_written(net, tmp_path):
    for wrong in ({"config": {"a": float("nan")}}, {"config": {}, "trained_on": {"a": object()}}):
        with pytest.raises(InputError, match="must hold what JSON can"):
            save_weights(tmp_path / "net", net.state_dict(), KIND, **wrong)
    with pytest.raises(InputError, match="tensors by name, got int as a"):
        save_weights(tmp_path / "net", {"a": 1}, KIND, config={})
    assert not (tmp_path / "net").exists()


def test_a_folder_that_cannot_be_made_is_refused(net, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="folder that can be made"):
        save_weights(tmp_path / "file" / "net", net.state_dict(), KIND, config={})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: json.dumps(c | {"kind": "other"}), "must hold a toy net written by xraykit-render"),
        (lambda c: "{", "must hold a toy net written by xraykit-render"),
        (lambda c: "[" * 100_000, "must hold a toy net written by xraykit-render"),
        (lambda c: json.dumps(c)[:-1] + ', "a": 1' + "0" * 400 + "}", "must hold a toy net written by"),
        (lambda c: json.dumps(c | {"config": float("inf")}), "must hold a toy net written by"),
        (lambda c: json.dumps(c | {"format": 2}), "must have format 1, got 2; update xraykit-render"),
        (lambda c: json.dumps({k: v for k, v in c.items() if k != "config"}), "got one without config"),
        (lambda c: json.dumps(c | {"trained_on": "abc", "version": 1}), "got one without trained_on, version"),
    ],
)
def test_other_weights_and_other_configs_are_refused(folder, change, message):
    with pytest.raises(FileError, match=message):
        load_weights(rewritten(folder, change), KIND)


def test_a_damaged_file_is_refused(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(FileError, match="whole safetensors file"):
        load_weights(folder, KIND)


def test_a_bare_installation_says_what_to_install(net, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors.torch", None)
    with pytest.raises(XraykitError, match=r"safetensors.*pip install .xraykit-render\[weights\]"):
        save_weights(tmp_path, net.state_dict(), KIND, config={})
    assert not list(tmp_path.iterdir())
