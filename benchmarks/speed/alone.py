"""First call and peak memory of one row, measured in a process of its own.

`python -m benchmarks.speed.alone SCENE.npz DEVICE ENTRY VIEW` prints one line of JSON. Memory on the CPU is the
high-water mark of the resident set (ru_maxrss) minus what was resident before the call, with the mark reset in between
where the system allows it (Linux); on CUDA it is torch.cuda.max_memory_allocated minus what was allocated before.
"""

from __future__ import annotations

import ctypes
import gc
import json
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from ..common.clock import wall_ms
from ..common.scenes import Scene, View, load_scene
from .opponents import Entry, Opponent, build

THREADS = 2


def measure_apart(scene_file: Path, device: str, entry: Entry, view: View, *, timeout: float) -> dict[str, object]:
    """Start the process and read its line; a row that dies or runs out of time says so instead."""
    arguments = [str(scene_file), device, json.dumps(asdict(entry)), json.dumps(asdict(view))]
    command = [sys.executable, "-m", "benchmarks.speed.alone", *arguments]
    root = Path(__file__).resolve().parents[2]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=root, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"no answer within {timeout:.0f} s"}
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        return {"failed": last[0][:300]}
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure one row."""
    path, device, entry, view = sys.argv[1:]
    torch.set_num_threads(THREADS)
    scene: Scene = load_scene(Path(path)).to(device)
    opponent = build(Entry(**json.loads(entry)), scene, View(**json.loads(view)))
    first = wall_ms(lambda: opponent.run("forward"), device=device)
    sys.stdout.write(json.dumps({"first_call_ms": round(first, 2), "peak_memory_mb": peaks(opponent, device)}) + "\n")


def peaks(opponent: Opponent, device: str) -> dict[str, float]:
    """Additional memory [MB] at the worst moment of each operation, after a first run of it."""
    found = {}
    for operation in opponent.operations:
        opponent.run(operation)
        before = rest_and_reset(device)
        opponent.run(operation)
        found[operation] = round((highest(device) - before) / 1e6, 1)
    return found


def rest_and_reset(device: str) -> int:
    """Bytes in use now; forget the high-water mark."""
    if device != "cpu":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()
    status = Path("/proc/self/status")
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # what was freed goes back, so that it counts when it is taken again
    if not status.exists():
        return highest(device)  # the mark cannot be lowered: only growth above it will show
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def highest(device: str) -> int:
    """The high-water mark in bytes."""
    if device != "cpu":
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would begin with the mark of the parent process
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
