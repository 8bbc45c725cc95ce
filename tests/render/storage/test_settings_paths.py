"""Relative paths in a file of settings begin where its command was run, wherever they are read and both are moved."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from xraykit.render import InputError
from xraykit.render.storage import absolute_paths, check_same_settings, noted_folder, read_settings, write_settings


@dataclass(frozen=True)
class Files:
    """Files."""

    meshes: tuple[Path, ...] = ()
    name: str = "as/it/is"


@dataclass(frozen=True)
class Job:
    """A job."""

    ct: Path | None = None
    files: Files = field(default_factory=Files)


def written(folder, job, **options):
    folder.mkdir(parents=True)
    return write_settings(folder / "settings.json", job, command="x", distribution="xraykit-render", **options)


def test_relative_paths_begin_at_the_folder_and_all_else_stays(tmp_path):
    job = Job(Path("a/../ct.nii"), Files((Path("x.stl"), tmp_path / "y.stl")))
    found = absolute_paths(job, tmp_path / "b")
    assert found == Job(tmp_path / "b/ct.nii", Files((tmp_path / "b/x.stl", tmp_path / "y.stl")))
    assert absolute_paths(Job(), tmp_path) == Job()


def test_the_working_folder_is_found_from_elsewhere_and_after_a_move(tmp_path, monkeypatch):
    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    monkeypatch.chdir(project / "data")
    path = written(project / "results/one", Job(Path("ct.nii")), note_folder=True)
    assert read_settings(Job, path) == Job(Path("ct.nii")), "as it was given, for --config"
    monkeypatch.chdir(tmp_path)
    assert absolute_paths(read_settings(Job, path), noted_folder(path)).ct == project / "data/ct.nii"
    project.rename(tmp_path / "moved")
    assert noted_folder("moved/results/one/settings.json").resolve() == tmp_path / "moved/data"


def test_nothing_is_noted_unless_asked_for(tmp_path):
    assert noted_folder(written(tmp_path / "out", Job())) is None
    (tmp_path / "own.json").write_text('{"xraykit": 3}')
    assert noted_folder(tmp_path / "own.json") is None


def test_the_same_files_named_from_elsewhere_are_the_same_settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path / "out", Job(Path("ct.nii")), note_folder=True)
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    check_same_settings(path, Job(Path("../ct.nii")))
    check_same_settings(path, Job(tmp_path / "ct.nii"))
    with pytest.raises(InputError, match="got others: --ct;"):
        check_same_settings(path, Job(Path("ct.nii")))
