"""Kill a training while it saves, on each file system given, then fill the disk: nothing that was saved may be lost.

uv run python tools/kill_training.py FOLDER [FOLDER ...] --kills 20    # a folder on each file system to try
uv run python tools/kill_training.py /dev/shm/a --full                 # a small file system of its own: fill it as well
uv run python tools/kill_training.py /dev/shm/a out/a --json a.json    # a record of each folder, for benchmarks

The training is the one of the tests, with a checkpoint made large enough that a kill lands in it. After each kill the
checkpoint must be whole and no older than before, and --resume goes on from it; in the end curve and weights must be
those of a training that nobody killed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # children are forked: there must be one thread
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import torch
from support.toy_training import ToySettings, ToyTask, settings_of
from xraykit.render import OutputError
from xraykit.render.training import fit, prepare_folder

from benchmarks.common.surroundings import commit

PART, CHECKPOINT = ".last.ckpt.part", "last.ckpt"
ROOM = 1 << 16
"""Bytes that are left on a full disk."""


class LargeTask(ToyTask):
    """The toy with numbers beside its state, so that a save takes a while."""

    def __init__(self, settings: ToySettings, megabytes: int) -> None:
        super().__init__(settings)
        self.ballast = torch.zeros(megabytes << 17, dtype=torch.float64)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "ballast": self.ballast}


def train(out: Path, asked: argparse.Namespace, *, resume: bool) -> None:
    """The training to its end; it saves after every step."""
    length = {"steps": asked.steps, "save_every": 1, "validate_every": 5}
    settings = settings_of(out, resume=resume, **length)
    prepare_folder(settings.run, settings)
    fit(LargeTask(settings, asked.megabytes), settings.run, settings.length)


def in_child(out: Path, asked: argparse.Namespace, *, resume: bool) -> int:
    """The same in a process of its own; its id."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            torch.set_num_threads(1)
            train(out, asked, resume=resume)
            status = 0
        except OutputError as error:
            print("  refused:", error, flush=True)
            status = 2
        finally:
            os._exit(status)
    return process


def killed_in_a_save(out: Path, asked: argparse.Namespace, chance: random.Random) -> bool:
    """Start or go on, and kill while a checkpoint is written; False if the training was over before."""
    resume = (out / CHECKPOINT).exists()
    process = in_child(out, asked, resume=resume)
    saves, wanted, was_there = 0, chance.randrange(2, 5), False
    while os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        is_there = (out / PART).exists()
        saves += is_there and not was_there
        was_there = is_there
        if saves >= wanted and is_there:
            time.sleep(chance.random() * asked.within)
            os.kill(process, signal.SIGKILL)
            break
        time.sleep(0.0005)  # the training needs the time
    status = os.waitpid(process, 0)[1]
    return os.WIFSIGNALED(status)


def steps_of(out: Path) -> int:
    """How far the checkpoint is; it is read whole."""
    content = torch.load(out / CHECKPOINT, map_location="cpu", weights_only=False)  # our own
    return int(content["global_step"])


def try_kills(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """What came of the kills, `lost` among it."""
    out, whole, chance, lost = folder / "killed", folder / "whole", random.Random(asked.seed), []
    reached = kills = in_part = 0
    while kills < asked.kills and killed_in_a_save(out, asked, chance):
        kills, in_part = kills + 1, in_part + (out / PART).exists()
        try:
            steps = steps_of(out)
        except (OSError, RuntimeError, EOFError, ValueError) as error:
            lost.append(f"kill {kills}: {CHECKPOINT} cannot be read ({error})")
            break
        if steps < reached:
            lost.append(f"kill {kills}: step {steps} after step {reached}")
        reached = steps
    for path, resume in ((out, True), (whole, False)):
        if os.waitpid(in_child(path, asked, resume=resume), 0)[1] != 0:
            lost.append(f"{path.name}: it does not end")
    if not lost:
        lost += differences(out, whole)
    said = f"{kills} kills, {in_part} of them left a part; step {reached} of {asked.steps}"
    print(f"{folder}: {said}; lost: {lost or 'nothing'}", flush=True)
    return {"disk": disk_of(folder), "fault": "kill", "times": kills, "in_save": in_part, "step": reached, "lost": lost}


def differences(out: Path, whole: Path) -> list[str]:
    """How the training that was killed differs from the other: steps of the curve and final weights."""
    curves = [(path / "curve.csv").read_text(encoding="utf-8").splitlines() for path in (out, whole)]
    steps = [[line.partition(",")[0] for line in lines] for lines in curves]
    states = [torch.load(path / "weights/toy.pt", weights_only=True)["weights"] for path in (out, whole)]
    found = [] if steps[0] == steps[1] else ["the curves have other rows"]
    return found + [name for name in states[0] if not torch.equal(states[0][name], states[1][name])]


def try_full(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Fill the disk in the middle of a training, see it refused, make room and go on; `lost` is what was."""
    out, lost = folder / "full", []
    process = in_child(out, asked, resume=False)
    while not (out / CHECKPOINT).exists():
        time.sleep(0.001)
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:  # the training may be faster to take the rest
        while (free := shutil.disk_usage(folder).free) > ROOM:
            file.write(bytes(min(free - ROOM // 2, 1 << 20)))
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    reached = steps_of(out)
    if status != 2:
        lost.append(f"on the full disk it ended with {status}")
    filler.unlink()
    if os.waitpid(in_child(out, asked, resume=True), 0)[1] != 0:
        lost.append("it does not go on when there is room")
    print(f"{folder}: full at step {reached}, status {status}, then step {steps_of(out)}; lost: {lost or 'nothing'}")
    return {"disk": disk_of(folder), "fault": "full disk", "times": 1, "in_save": 1, "step": reached, "lost": lost}


def disk_of(folder: Path) -> str:
    """Type of the file system that a folder lies on, as the system calls it."""
    command = ["stat", "--file-system", "--format=%T", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    """Run; 1 if something was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="empty or missing, each on a file system of its own")
    parser.add_argument("--kills", type=int, default=20, help="in each folder")
    parser.add_argument("--steps", type=int, default=100, help="of the training")
    parser.add_argument("--megabytes", type=int, default=24, help="of a checkpoint")
    parser.add_argument("--within", type=float, default=0.01, help="seconds after the beginning of a save")
    parser.add_argument("--full", action="store_true", help="fill the file systems instead of killing")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--json", type=Path, default=None, help="where what came of it goes")
    asked = parser.parse_args()
    rows = []
    for folder in asked.folders:
        folder.mkdir(parents=True, exist_ok=True)
        rows.append((try_full if asked.full else try_kills)(folder, asked))
    if asked.json:
        asked.json.write_text(json.dumps({"commit": commit(), "rows": rows}, indent=1) + "\n", encoding="utf-8")
    return int(any(row["lost"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
