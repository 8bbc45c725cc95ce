"""A checkpoint is whole or is the one before; a damaged one is refused in words, and a folder is one job's."""

import errno
import os
import re
import subprocess
import sys
import tempfile
from types import SimpleNamespace

import pytest
from support.toy_training import settings_of, train
from xraykit.render import FileError, OutputError
from xraykit.render.training import checkpoint

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-render[train]'")
pytest.importorskip("tensorboard", reason="needs the extra: pip install 'xraykit-render[train]'")
OFTEN = {"validate_every": 3, "save_every": 4}


def test_a_full_disk_leaves_the_checkpoint_before_and_a_resume_goes_on_from_it(tmp_path, monkeypatch):
    saves = []

    def full(number):
        saves.append(number)
        if len(saves) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "os", SimpleNamespace(fsync=full))
        with pytest.raises(OutputError, match=r"could not take the checkpoint \(No space left on device\); the one b"):
            train(settings_of(tmp_path / "out", **OFTEN))
    assert not list((tmp_path / "out").rglob("*.part"))
    task, found = train(settings_of(tmp_path / "out", resume=True, **OFTEN))
    expected = train(settings_of(tmp_path / "whole", **OFTEN))[1]
    assert [call[1] for call in task.seen if call[0] == "step"] == list(range(4, 12))
    assert [row["off"] for row in found.rows] == [row["off"] for row in expected.rows]


def test_no_room_is_needed_in_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    train(settings_of(tmp_path / "out", steps=2))
    assert (tmp_path / "out" / "last.ckpt").stat().st_size > 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:400] + bytes(400) + data[800:],
        lambda data: b"PK\5\6" + bytes(18),
    ],
    ids=["empty", "cut off", "zeros within", "an empty archive"],
)
def test_a_damaged_checkpoint_is_refused_with_what_is_left(tmp_path, damage):
    train(settings_of(tmp_path / "out", steps=2))
    path = tmp_path / "out" / "last.ckpt"
    path.write_bytes(damage(path.read_bytes()))
    said = rf"whole last\.ckpt in .*, got a damaged one .* weights of an earlier save in {re.escape(str(path.parent))}"
    with pytest.raises(FileError, match=said):
        train(settings_of(tmp_path / "out", resume=True, steps=4))


def test_half_written_files_of_a_killed_training_go_at_the_next_start_and_others_stay(tmp_path):
    folder = tmp_path / "out"
    train(settings_of(folder, steps=2))
    half = [folder / ".last.ckpt.part", folder / ".curve.csv.0a1b2c3d.part", folder / "weights/.toy.pt.0a1b2c3d.part"]
    mine = folder / ".notes.txt.0a1b2c3d.part"
    for path in (*half, mine):
        path.write_bytes(b"half")
    with pytest.warns(UserWarning, match="another length"):
        train(settings_of(folder, resume=True, steps=4))
    assert mine.exists() and not any(path.exists() for path in half)


SECOND = """
import sys
from pathlib import Path
from xraykit.render.training import RunSettings, prepare_folder
run = RunSettings(output=Path(sys.argv[1]))
prepare_folder(run, run)
"""


def test_a_second_job_in_the_folder_is_refused_and_the_first_goes_on(tmp_path):
    said = []

    def report(done, total):
        if done == 1:  # before there is a checkpoint, which would refuse it by itself
            second = [sys.executable, "-c", SECOND, str(tmp_path / "out")]
            said.append(subprocess.run(second, capture_output=True, text=True, check=False).stderr)

    _, run = train(settings_of(tmp_path / "out", steps=3), report=report)
    assert "must be free, got another job that writes there" in said[0]
    assert run.batches == 3 and not (tmp_path / "out" / ".lock").exists()
