"""The folder of an evaluation is one process's while that works; three tables, one rule."""

import json
import re

import pytest
from support.held import held_elsewhere
from xraykit.corr.evaluate.evaluation_folder import opened_evaluation
from xraykit.render import FileError, OutputError
from xraykit.render.training import RunSettings

pytest.importorskip("fcntl", reason="locks of POSIX")


def opened(folder, run=None, **more):
    """What the folder holds within an evaluation."""
    run = run or RunSettings(folder, device="cpu", **more)
    with opened_evaluation(run, run, command="corr evaluate table1"):
        return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_evaluation_is_refused_as_long_as_the_first_works(tmp_path, resume):
    assert opened(tmp_path / "out") == [".lock", "settings.json"]
    with held_elsewhere(tmp_path / "out"):
        sentence = f"{tmp_path / 'out'} must be free, got another job that writes there; wait for it"
        with pytest.raises(OutputError, match=re.escape(sentence)):
            opened(tmp_path / "out", resume=resume)
    assert opened(tmp_path / "out", resume=True) == [".lock", "settings.json"]
    assert json.loads((tmp_path / "out/settings.json").read_text())["xraykit"]["command"] == "corr evaluate table1"
    with pytest.raises(OutputError, match="already holds an evaluation; add --resume"):
        opened(tmp_path / "out")


def test_a_refused_evaluation_leaves_no_folder(tmp_path):
    with pytest.raises(FileError, match=r"--resume needs settings.json in .*, got none"):
        opened(tmp_path / "out", resume=True)
    assert list(tmp_path.iterdir()) == []


def test_other_processes_of_the_same_training_are_let_in(tmp_path, monkeypatch):
    opened(tmp_path / "out")
    with held_elsewhere(tmp_path / "out"):
        monkeypatch.setenv("LOCAL_RANK", "1")
        assert opened(tmp_path / "out", resume=True) == [".lock", "settings.json"]
