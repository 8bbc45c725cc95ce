"""SIGKILL at random times: the workers go too, finished shards stay, and --resume ends with the same bytes."""

import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from support.dataset_jobs import digests, leftovers, write_job
from support.waiting import PATIENCE, until
from xraykit.render.dataset.make.job import make_dataset
from xraykit.render.dataset.plan.config_file import read_dataset_config

pytest.importorskip("pycocotools", reason="needs the extra: pip install 'xraykit-render[dataset]'")
COMMAND = [sys.executable, "-c", "from xraykit.render.cli.umbrella import main; main()", "dataset", "make"]
KILLS = 3


def wait_for_work(job: subprocess.Popen, folder: Path, *, stale: list[str]) -> None:
    """Until a shard is being written; `stale` are the temporary files of the process before."""
    until(lambda: set(leftovers(folder)) - set(stale) or job.poll() is not None)


def is_gone(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def begin(config: Path, folder: Path, *, output: int = subprocess.DEVNULL) -> subprocess.Popen:
    command = [*COMMAND, str(config), "-o", str(folder), "--workers", "1", "--resume"]
    return subprocess.Popen(command, start_new_session=True, stdout=output, stderr=subprocess.STDOUT)


@pytest.mark.slow
def test_a_job_killed_at_random_times_ends_with_the_same_bytes(tmp_path):
    config, folder, chance = write_job(tmp_path, per_patient=40, patients=6), tmp_path / "killed", random.Random(1)
    whole = make_dataset(read_dataset_config(config), tmp_path / "whole", workers=1)
    for _ in range(KILLS):
        stale = leftovers(folder)
        job = begin(config, folder)
        wait_for_work(job, folder, stale=stale)
        time.sleep(chance.uniform(0.0, 0.6))
        job.kill()
        assert job.wait() == -signal.SIGKILL
        until(partial(is_gone, job.pid))
        assert digests(folder).items() <= digests(whole.folder).items()
    job = begin(config, folder, output=subprocess.PIPE)
    said, _ = job.communicate(timeout=PATIENCE)
    assert job.returncode == 0, said.decode()
    assert digests(folder) == digests(whole.folder)
    assert (folder / "manifest.json").read_bytes() == (whole.folder / "manifest.json").read_bytes()
    assert leftovers(folder) == []


@pytest.mark.slow
def test_ctrl_c_ends_at_once_with_130_and_leaves_nothing_open(tmp_path):
    config, folder = write_job(tmp_path, per_patient=400, patients=2), tmp_path / "stopped"
    job = begin(config, folder, output=subprocess.PIPE)
    wait_for_work(job, folder, stale=[])
    os.killpg(job.pid, signal.SIGINT)
    said, _ = job.communicate(timeout=PATIENCE)
    assert job.returncode == 130
    assert "the same command with --resume goes on" in said.decode()
    assert "Traceback" not in said.decode()
    assert leftovers(folder) == []
