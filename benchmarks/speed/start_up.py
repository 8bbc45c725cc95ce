"""What it costs to start: CPU seconds until the help is printed, and until a fresh process has written an image.

python -m benchmarks.speed.start_up                # 5 rounds of everything in turn; prints, and writes a result
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from xraykit.render import torso, write_volume

from ..common.progress import say
from ..common.result import RESULTS, Start, save
from ..common.study_tables import start_table

COMMAND = "import sys; from xraykit.render.cli.umbrella import main; main()"
SIZE = "64 64"
GOALS = {"xraykit --help": 0.35, "xraykit render drr": 5.0}  # CPU seconds


def main(arguments: list[str] | None = None) -> None:
    """Run the suite."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.start_up", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=RESULTS / "start_up--cpu.json")
    asked = parser.parse_args(arguments)
    start = Start.now()
    with tempfile.TemporaryDirectory() as folder:
        times = measure(starts(Path(folder)), Path(folder), asked.rounds)
    rows = [row(name, found) for name, found in times.items()]
    print(start_table(rows))
    scene = {"name": f"fresh processes; the image is {SIZE.replace(' ', ' x ')} px of a torso of 6 mm voxels"}
    save(start.result("start_up", rows, threads={"torch": torch.get_num_threads()}, scene=scene), asked.output)
    say(f"wrote {asked.output}")


def starts(folder: Path) -> dict[str, list[str]]:
    """Name and Python arguments of each start; the CT of the image is a small torso, written here."""
    patient = torso(spacing=6.0)
    assert patient.hu is not None
    write_volume(folder / "ct.nii.gz", patient.hu.round().to(torch.int16), patient.affine)
    image = ["render", "drr", "ct.nii.gz", "--view", "ap", "--size", *SIZE.split(), "-o", "image.npy"]
    code = {name: ["-c", text] for name, text in {
        "python": "pass",
        "import torch": "import torch",
        "import numba": "import numba",
        "import SimpleITK": "import SimpleITK",
        "import xraykit.render": "import xraykit.render",
        "the names of a first page": "from xraykit.render import Camera, Volume, carm_pose, render",
    }.items()}  # fmt: skip
    commands = {
        "xraykit --help": ["--help"],
        "xraykit render --help": ["render", "--help"],
        "xraykit render drr": image,
    }
    return {**code, **{name: ["-c", COMMAND, *words] for name, words in commands.items()}}


def measure(starts: dict[str, list[str]], folder: Path, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """(CPU, wall) seconds of each start in every round; one before them fills the caches of bytecode and kernels."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in starts}
    for number in range(rounds + 1):
        for name, arguments in starts.items():
            seconds = run([sys.executable, *arguments], folder)
            if number:
                found[name].append(seconds)
    return found


def run(command: list[str], folder: Path) -> tuple[float, float]:
    """CPU and wall seconds of one process, its threads and children included."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before, begun = os.times(), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - begun, os.times()
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr}")
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return used, wall


def row(name: str, seconds: list[tuple[float, float]]) -> dict[str, object]:
    """Medians of one start and all that was measured."""
    cpu, wall = zip(*seconds, strict=True)
    return {
        "start": name, "cpu_s": round(median(cpu), 3), "wall_s": round(median(wall), 3), "goal_cpu_s": GOALS.get(name),
        "all_cpu_s": [round(s, 3) for s in cpu], "all_wall_s": [round(s, 3) for s in wall],
    }  # fmt: skip


if __name__ == "__main__":
    main()
