"""A folder, a file and a hub id each lead to one local file, with the bytes that were asked for."""

import hashlib
import sys
from importlib.util import find_spec

import pytest
from xraykit.render import FileError, XraykitError
from xraykit.render.weights import HubFile, find_weights

INSTALLED = find_spec("huggingface_hub") is not None
NEEDS_HUB = pytest.mark.skipif(not INSTALLED, reason="needs the extra: pip install 'xraykit-render[weights]'")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "model.safetensors").write_bytes(b"weights")
    return tmp_path / "net"


@pytest.fixture
def hub(folder, monkeypatch):
    """A hub that has every file, where its library is installed; what it was asked for."""
    asked = []

    def download(repo_id, filename, revision=None):
        asked.append((repo_id, filename, revision))
        return str(folder / "model.safetensors")

    if INSTALLED:
        monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    return asked


def test_folders_and_files_are_found_without_a_hub(folder, hub):
    path = folder / "model.safetensors"
    assert find_weights(folder) == find_weights(str(folder)) == find_weights(path) == path
    assert hub == []


@NEEDS_HUB
@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("org/net", ("org/net", "model.safetensors", None)),
        ("org/net@v1.2", ("org/net", "model.safetensors", "v1.2")),
        ("org/net/deep/0120.pth@4f2c", ("org/net", "deep/0120.pth", "4f2c")),
    ],
)
def test_a_hub_id_names_repository_file_and_revision(folder, hub, source, asked):
    assert find_weights(source) == folder / "model.safetensors"
    assert hub == [asked]


def test_a_folder_of_that_name_comes_before_the_hub(folder, hub, monkeypatch):
    monkeypatch.chdir(folder.parent.parent)
    assert find_weights(f"{folder.parent.name}/net").read_bytes() == b"weights"
    assert hub == []


@pytest.mark.parametrize(
    "source", ["models/0120.pth", "./net", "/nowhere/net", "one_word", "a/b/c/d", "a\0b", "x" * 999]
)
def test_a_missing_file_is_not_looked_for_on_the_hub(source, hub):
    with pytest.raises(FileError, match=r"a toy net must be a folder, .* nothing is there"):
        find_weights(source, what="a toy net")
    assert hub == []


@pytest.mark.parametrize("place", ["folder", "file", pytest.param("org/net@main", marks=NEEDS_HUB)])
def test_a_pinned_digest_is_checked_wherever_the_file_is_from(folder, hub, place):
    right = hashlib.sha256(b"weights").hexdigest()
    source = {"folder": folder, "file": folder / "model.safetensors"}.get(place, place)
    assert find_weights(source, sha256=right.upper()) == folder / "model.safetensors"
    with pytest.raises(FileError, match=rf"must have the SHA-256 0+, got {right}"):
        find_weights(source, sha256="0" * 64)


def test_a_folder_without_weights_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"must hold model\.safetensors, got no such file"):
        find_weights(tmp_path)


@NEEDS_HUB
def test_a_hub_that_does_not_answer_is_said(monkeypatch):
    def download(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    with pytest.raises(FileError, match=r"neither a local file org/net nor .* could be had \(no route\)"):
        find_weights("org/net")


@NEEDS_HUB
def test_offline_only_the_cache_is_asked_and_the_sentence_says_how_to_fill_it(tmp_path, monkeypatch):
    """The hub library itself refuses to connect, so nothing is faked but its settings."""
    for name, value in (("HF_HUB_OFFLINE", True), ("HF_HUB_CACHE", str(tmp_path))):
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
    with pytest.raises(
        FileError, match=r"while HF_HUB_OFFLINE is set.*hf download org/net model.safetensors --revision v1"
    ):
        find_weights("org/net@v1")


@NEEDS_HUB
def test_offline_a_cached_commit_is_found(tmp_path, monkeypatch):
    for name, value in (("HF_HUB_OFFLINE", True), ("HF_HUB_CACHE", str(tmp_path))):
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
    commit = "0123456789abcdef0123456789abcdef01234567"
    cached = tmp_path / "models--org--net" / "snapshots" / commit / "model.safetensors"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"weights")
    assert find_weights(f"org/net@{commit}").read_bytes() == b"weights"


def test_without_the_hub_library_local_weights_are_found_and_hub_ids_say_what_to_install(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert find_weights(folder).is_file()
    with pytest.raises(XraykitError, match=r"huggingface_hub.*pip install .xraykit-render\[weights\]"):
        find_weights("org/net")


def test_a_text_that_is_no_hub_id_parses_to_nothing():
    assert HubFile.parse("net") is None and HubFile.parse("org/net.pth") is None
    assert HubFile.parse("org/net") == HubFile("org/net", "model.safetensors", None)
