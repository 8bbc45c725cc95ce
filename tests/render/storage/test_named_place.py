"""A name that no file can have, given by hand or by a file, ends in one sentence of ours in every reader."""

import os
from pathlib import Path

import pytest
from xraykit.render import (
    FileError,
    InputError,
    Volume,
    XraykitError,
    read_mesh,
    read_pose,
    read_radiograph,
    read_scene,
)
from xraykit.render.converters import read_itk_transform, read_mayacam
from xraykit.render.dataset import XrayDataset, read_dataset_config
from xraykit.render.dataset.plan.plan import make_plan
from xraykit.render.files import read_cameras
from xraykit.render.scenes import read_tool_library
from xraykit.render.storage import kind_at
from xraykit.render.storage.settings_file import read_table

NAMES = {"too long": "A" * 5000, "long part": "A" * 300 + ".nii.gz", "NUL": "a\0b.nii", "half a letter": "\ud800.nii"}
READERS = {
    "volume": Volume.from_file,
    "labels": lambda path: Volume.from_file(Path(__file__).parent, labels=path),
    "radiograph": read_radiograph,
    "mesh": read_mesh,
    "pose": read_pose,
    "scene": read_scene,
    "cameras": read_cameras,
    "transform": lambda path: read_itk_transform(path, direction="fixed_to_moving"),
    "calibration": read_mayacam,
    "data set": lambda path: list(XrayDataset(path)),
    "data set's plan": read_dataset_config,
    "tools": read_tool_library,
    "settings": read_table,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_nothing_lies_there(name):
    assert kind_at(name) is None


def test_files_folders_and_links_are_told_apart(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "dead").symlink_to("nowhere")
    (tmp_path / "round").symlink_to("round")
    kinds = {"file": "file", ".": "folder", "link": "folder", "dead": None, "round": None, "file/inside": None}
    assert {name: kind_at(tmp_path / name) for name in kinds} == kinds


def test_what_the_system_hides_is_said(monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", denied)
    with pytest.raises(FileError, match=r"a\.nii must be readable, the system says: Permission denied"):
        Volume.from_file("a.nii")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_every_reader_refuses_it(read, name):
    with pytest.raises(XraykitError):
        read(name)


def quoted(name):
    """As YAML spells it."""
    return '"' + name.replace("\0", r"\0").replace("\ud800", "a/b") + '"'


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_files_that_name_it_are_refused(tmp_path, name):
    (tmp_path / "ct").mkdir()
    (tmp_path / "plan.yaml").write_text(f"patients: {{ct: {{folder: {quoted(name)}}}}}\n")
    with pytest.raises(InputError, match="must name an existing file"):
        read_dataset_config(tmp_path / "plan.yaml")
    (tmp_path / "scene.yaml").write_text(f"bodies: [{{file: {quoted(name)}}}]\n")
    with pytest.raises(InputError, match="must name an existing file"):
        read_scene(tmp_path / "scene.yaml")


@pytest.mark.parametrize("pattern", ["/a*", "", "a**b", *NAMES.values()])
def test_patterns_of_volumes_stay_inside_their_folder(tmp_path, pattern):
    (tmp_path / "ct").mkdir()
    (tmp_path / "plan.yaml").write_text(f"patients: {{ct: {{folder: ct, volumes: {quoted(pattern)}}}}}\n")
    with pytest.raises(InputError, match=r"patients\.ct"):
        make_plan(read_dataset_config(tmp_path / "plan.yaml"))
