"""Two checkouts against each other, in alternation in one run: is anything slower, and are all bits the same?

python -m benchmarks.speed.old_and_new ../old .             # each with its own .venv; ten minutes on two cores
python -m benchmarks.speed.old_and_new ../old . --quick     # two minutes
python -m benchmarks.speed.old_and_new . .                  # what the ratios of equal trees scatter by

Rendering and registration run in one warm process a checkout; `--help` and the first image start a process each time.
Old and new take turns, and so does who comes first; a ratio is that of one pair, so that drift of the machine cancels.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from ..common.progress import say
from ..common.result import Start, save
from ..common.study_tables import trees_table

WORKER = Path(__file__).with_name("tree_worker.py")
Answer = dict[str, Any]


class Tree:
    """A checkout at work: a warm process of its own, and commands of its environment."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder, self.bin = folder.resolve(), folder.resolve() / ".venv/bin"
        if not (self.bin / "python").exists():
            raise SystemExit(f"{folder} must have an environment: run `uv sync --locked` there.")
        limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")}
        self.environment = {**os.environ, **limits, "PYTHONWARNINGS": "ignore"}
        self.environment.pop("PYTHONPATH", None)
        self.process = subprocess.Popen(
            [str(self.bin / "python"), str(WORKER), str(threads)], env=self.environment, cwd=self.folder,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.works: list[str] = self._answer()

    def run(self, job: str) -> Answer:
        """What the warm process says to a job."""
        assert self.process.stdin is not None
        self.process.stdin.write(job + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the worker of {self.folder} ended with status {self.process.wait()}")
        return json.loads(line)

    def command(self, *arguments: str) -> Answer:
        """Wall and processor time of one call of `xraykit`."""
        begun, before = time.perf_counter(), _children()
        called = [str(self.bin / "xraykit"), *arguments]
        done = subprocess.run(
            called, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(called)} ended with status {done.returncode}: {done.stderr[-500:]}")
        return {"wall_ms": 1e3 * (time.perf_counter() - begun), "cpu_ms": 1e3 * (_children() - before), "digest": None}

    @property
    def commit(self) -> str:
        """What git calls the checkout."""
        command = ["git", "-C", str(self.folder), "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"

    def close(self) -> None:
        """Let the process end."""
        self.process.communicate()


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main(arguments: list[str] | None = None) -> None:
    """Run all rows and print the table."""
    asked = parse(arguments)
    start = Start.now()
    at_least, seconds = (3, 2.0) if asked.quick else (9, 25.0)
    old, new = Tree(asked.old, asked.threads), Tree(asked.new, asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        ct = Path(folder) / "ct.nii.gz"
        old.run(f"write CT\t{ct}")
        jobs: dict[str, Callable[[Tree], Answer]] = {
            name: lambda tree, name=name: tree.run(name) for name in old.works if name in new.works
        }
        jobs["xraykit --help"] = lambda tree: tree.command("--help")
        drawn = str(Path(folder) / "image.npy")
        jobs["first image of a process"] = lambda tree: tree.command("render", "drr", str(ct), "-o", drawn)
        chosen = {name: job for name, job in jobs.items() if not asked.only or any(word in name for word in asked.only)}
        rows = [compared(name, job, old, new, at_least=at_least, seconds=seconds) for name, job in chosen.items()]
    scene = {"name": "the procedural torso", "old": old.commit, "new": new.commit}
    for tree in (old, new):
        tree.close()
    print(trees_table(rows))
    if asked.output:
        mode, threads = "quick" if asked.quick else "full", {"torch": asked.threads, "numba": asked.threads}
        save(start.result("old_and_new", rows, mode=mode, threads=threads, scene=scene), asked.output)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.old_and_new", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("old", type=Path, help="a checkout with its .venv")
    parser.add_argument("new", type=Path, help="another one")
    parser.add_argument("--quick", action="store_true", help="three pairs of each row")
    parser.add_argument("--threads", type=int, default=1, help="of torch and numba in each")
    parser.add_argument("--only", action="append", help="rows whose name contains this; may be repeated")
    parser.add_argument("--output", type=Path, help="JSON file, for instance old_and_new--cpu.json among the results")
    return parser.parse_args(arguments)


def compared(
    name: str, job: Callable[[Tree], Answer], old: Tree, new: Tree, *, at_least: int, seconds: float
) -> dict[str, Any]:
    """One row: medians of both, and the quartiles of new over old, processor time."""
    answers = {id(tree): [job(tree)] for tree in (old, new)}  # the first compiles, and is not counted
    begun = time.perf_counter()
    pairs: list[tuple[Answer, Answer]] = []
    while len(pairs) < at_least or (time.perf_counter() - begun < seconds and len(pairs) < 40):
        turn = (old, new) if len(pairs) % 2 == 0 else (new, old)
        got = {id(tree): job(tree) for tree in turn}
        pairs.append((got[id(old)], got[id(new)]))
        for tree in (old, new):
            answers[id(tree)].append(got[id(tree)])
    low, middle, high = quantiles([b["cpu_ms"] / a["cpu_ms"] for a, b in pairs], n=4, method="inclusive")
    digests = {answer["digest"] for each in answers.values() for answer in each}
    say(f"{name}: new takes {middle:.3f} of old")
    return {
        "work": name, "pairs": len(pairs), "ratio": round(middle, 4), "ratio_q25": round(low, 4),
        "ratio_q75": round(high, 4), "same_bits": None if None in digests else len(digests) == 1,
        **{f"{who}_{clock}": round(median(pair[place][clock] for pair in pairs), 3)
           for place, who in enumerate(("old", "new")) for clock in ("cpu_ms", "wall_ms")},
    }  # fmt: skip


if __name__ == "__main__":
    main()
