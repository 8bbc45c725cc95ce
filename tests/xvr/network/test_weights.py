"""Our own weights: what is saved comes back from a folder, a file or the hub, whole or not at all."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from support.pose_networks import random_state, write_checkpoint
from xraykit.render import FileError, InputError, OutputError
from xraykit.xvr import NetworkFrame, PoseNetwork, load_network, save_network

FRAME = NetworkFrame(1020.0, 32, 8.0, frame="template", parameterization="rotation_6d", unit_factor=500.0)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    model = PoseNetwork(FRAME, backbone="test_resnet", norm="default").eval()
    model.provenance = {"iterations": 30, "loss": 0.5}
    return model


@pytest.fixture(scope="module")
def folder(network, tmp_path_factory):
    return save_network(network, tmp_path_factory.mktemp("weights") / "new" / "net").parent


def rewritten(folder, tmp_path, change):
    """A copy of the weights with its config changed."""
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", framework="pt") as file:
        config = json.loads(file.metadata()["xraykit"])
    save_file(load_file(folder / "model.safetensors"), tmp_path / "a.safetensors", {"xraykit": change(config)})
    return tmp_path / "a.safetensors"


def assert_same(first, second):
    assert first.frame == second.frame and first.architecture == second.architecture
    for (name, one), (other, two) in zip(first.state_dict().items(), second.state_dict().items(), strict=True):
        assert name == other and torch.equal(one, two)


@pytest.mark.parametrize("form", [lambda f: f, str, lambda f: f / "model.safetensors"])
def test_a_network_comes_back_bit_by_bit(network, folder, form):
    loaded = load_network(form(folder))
    assert_same(loaded, network)
    assert loaded.provenance == network.provenance and not loaded.training


def test_config_says_frame_and_versions(folder):
    config = json.loads((folder / "config.json").read_text())
    frame = config["config"]["frame"]
    assert frame["frame"] == "template" and frame["sdd"] == 1020.0
    assert {config["package"], *config["libraries"]} == {"xraykit-xvr", "xraykit-render", "torch", "timm"}
    assert config["trained_on"] == {"iterations": 30, "loss": 0.5}


def test_a_published_network_saved_by_us_is_the_same_network(tmp_path):
    published = load_network(write_checkpoint(tmp_path / "0001.pth", random_state(10)))
    save_network(published, tmp_path / "ours")
    assert_same(load_network(tmp_path / "ours"), published)


@pytest.mark.parametrize(
    ("source", "repository", "name", "revision"),
    [
        ("org/net", "org/net", "model.safetensors", None),
        ("org/net@v1.2", "org/net", "model.safetensors", "v1.2"),
        ("org/net/deep/net.safetensors@main", "org/net", "deep/net.safetensors", "main"),
    ],
)
def test_a_hub_id_names_repository_file_and_revision(network, folder, monkeypatch, source, repository, name, revision):
    asked = []

    def download(repo_id, filename, revision=None):
        asked.append((repo_id, filename, revision))
        return str(folder / "model.safetensors")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    assert_same(load_network(source), network)
    assert asked == [(repository, name, revision)]


def test_a_hub_that_does_not_answer_is_said(monkeypatch):
    from huggingface_hub.errors import LocalEntryNotFoundError

    def download(*_, **__):
        raise LocalEntryNotFoundError("no connection")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    with pytest.raises(FileError, match=r"neither a local file org/net nor .* could be had \(no connection\)"):
        load_network("org/net")


@pytest.mark.parametrize("source", ["models/0120.pth", "./net", "/nowhere/net", "one_word", "a/b/c/d"])
def test_a_missing_file_is_not_looked_for_on_the_hub(source, monkeypatch):
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *_, **__: pytest.fail("asked the hub"))
    with pytest.raises(FileError, match="nothing is there"):
        load_network(source)


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"must hold model\.safetensors"):
        load_network(tmp_path)


def test_options_for_published_files_are_refused_with_ours(folder):
    with pytest.raises(InputError, match="states its own frame; leave frame, sdd out"):
        load_network(folder, sdd=1000.0, frame="centred")


def test_damaged_and_foreign_weights_are_refused(folder, tmp_path):
    content = (folder / "model.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(FileError, match="whole safetensors file"):
        load_network(tmp_path / "cut.safetensors")
    save_file({"x": torch.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(FileError, match="pose network written by"):
        load_network(tmp_path / "foreign.safetensors")


def built_with(content, **changes):
    """The config with other values for what builds the network; None leaves one out."""
    config = {name: value for name, value in (content["config"] | changes).items() if value is not None}
    return content | {"config": config}


def framed(content, **changes):
    return built_with(content, frame=content["config"]["frame"] | changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c | {"format": 2}, "must have format 1, got 2"),
        (lambda c: built_with(c, frame={"sdd": 1.0}), "must carry a complete config"),
        (lambda c: framed(c, sdd=-1.0), "sdd of a network must be"),
        (lambda c: framed(c, sdd="far"), "must carry a complete config"),
        (lambda c: built_with(c, backbone=None), "must carry a complete config"),
        (lambda c: built_with(c, backbone=True), "must carry a complete config"),
        (lambda c: built_with(c, backbone="tset_resnet"), "must be a timm model"),
        (lambda c: framed(c, parameterization="quaternion"), r"shape \(4"),
        (lambda c: c | {"kind": "other"}, "pose network written by"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(folder, tmp_path, change, message):
    with pytest.raises(FileError, match=message):
        load_network(rewritten(folder, tmp_path, lambda config: json.dumps(change(config))))


def test_a_config_that_is_no_json_is_refused(folder, tmp_path):
    with pytest.raises(FileError, match="pose network written by"):
        load_network(rewritten(folder, tmp_path, lambda _: "{"))


def test_a_training_record_that_is_no_json_is_refused_and_nothing_written(network, tmp_path):
    with pytest.raises(InputError, match="trained on must hold what JSON can"):
        save_network(network, tmp_path / "net", training={"loss": float("nan")})
    assert not (tmp_path / "net").exists()


def test_a_folder_that_cannot_be_made_is_refused(network, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="folder that can be made"):
        save_network(network, tmp_path / "file" / "net")


def test_an_interrupted_save_leaves_the_old_weights(network, tmp_path, monkeypatch):
    save_network(network, tmp_path)
    other = PoseNetwork(FRAME, backbone="test_resnet", norm="default")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", stop)
    with pytest.raises(KeyboardInterrupt):
        save_network(other, tmp_path)
    assert_same(load_network(tmp_path), network)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
