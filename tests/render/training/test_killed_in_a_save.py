"""A training that is killed in the middle of a save keeps the checkpoint before, and goes on from it."""

import os
import signal
import subprocess
import sys

import pytest
from support.repo import ROOT
from support.toy_training import settings_of, train

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-render[train]'")
pytest.importorskip("tensorboard", reason="needs the extra: pip install 'xraykit-render[train]'")

KILLED = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
from support.toy_training import settings_of, train
from xraykit.render.training import checkpoint

saves = []

def cut(file):
    saves.append(file)
    if len(saves) == 2:
        os.ftruncate(file, 100)
        os.kill(os.getpid(), signal.SIGKILL)

checkpoint.os = SimpleNamespace(fsync=cut)
train(settings_of(Path(sys.argv[1]), validate_every=3, save_every=4))
"""


@pytest.mark.slow
def test_a_kill_in_the_middle_of_a_save_loses_what_came_after_the_one_before(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "out")]
    path = os.pathsep.join([str(ROOT / "tests"), *sys.path])
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "out/.last.ckpt.part").stat().st_size == 100
    task, found = train(settings_of(tmp_path / "out", resume=True, validate_every=3, save_every=4))
    expected = train(settings_of(tmp_path / "whole", validate_every=3, save_every=4))[1]
    assert [call[1] for call in task.seen if call[0] == "step"] == list(range(4, 12))
    assert [row["off"] for row in found.rows] == [row["off"] for row in expected.rows]
    assert not (tmp_path / "out/.last.ckpt.part").exists()
