"""Mutated input for every reader, in bounded child processes: what is accepted, what is refused, and what is a fault.

uv run python -m tools.fuzz --minutes 1                     # every reader in turn, its share of the time
uv run python -m tools.fuzz --inputs 100000 --json a.json   # counts by reader and outcome, also as JSON
uv run python -m tools.fuzz --one stl 17                    # repeat one input here, with its traceback

A fault is an error that is not ours, a message that is no single printable line, more than 5 s of CPU time, more than
2 GB of memory, or the end of the process; one of them makes the status 1. Inputs depend on seed, reader and number.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

ONE = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")
os.environ.update(dict.fromkeys(ONE, "1"))  # children are forked: there must be one thread

import torch  # noqa: E402

from benchmarks.common.surroundings import commit  # noqa: E402

from .bounded import FAULTS, FINE, Attempt, Bounds, outcomes  # noqa: E402
from .readers import READERS, FuzzedReader  # noqa: E402
from .seeds import make_seeds  # noqa: E402


def attempts(name: str, reader: FuzzedReader, seeds: Path, work: Path, seed: int) -> Attempt:
    """What makes and reads the input of a number; before that every seed is read as it is, which must succeed."""
    files = reader.prepared(seeds, work)
    contents = {file: file.read_bytes() for file in files}
    for file in files:
        reader.read(file)

    def attempt(number: int) -> None:
        random = Random(f"{seed}/{name}/{number}")
        file = random.choice(files)
        for other, content in contents.items():
            other.write_bytes(content)
        reader.attempt(file, contents[file], random)

    return attempt


def table(counts: dict[str, Counter]) -> str:
    """Markdown: a row for each reader, a column for each outcome."""
    names = (*FINE, *FAULTS)
    rows = [(reader, *(found[name] for name in names)) for reader, found in counts.items()]
    rows.append(("all", *(sum(row[n + 1] for row in rows) for n in range(len(names)))))
    lines = ["| reader | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def main() -> int:
    """Run; 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=None, help="for all readers together")
    parser.add_argument("--inputs", type=int, default=None, help="for all readers together")
    parser.add_argument("--seed", type=int, default=0, help="of the chances")
    parser.add_argument("--first", type=int, default=0, help="number of the first input of each reader")
    parser.add_argument("--only", nargs="+", choices=READERS, default=list(READERS), help="readers")
    parser.add_argument("--one", nargs=2, metavar=("READER", "NUMBER"), help="repeat one input in this process")
    parser.add_argument("--seeds", type=Path, default=None, help="folder of the files to begin with, made if missing")
    parser.add_argument("--json", type=Path, default=None, help="where counts and faults go")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        seeds, work = asked.seeds or Path(folder) / "seeds", Path(folder) / "work"
        if not seeds.exists():
            make_seeds(seeds)
        if asked.one:
            name, number = asked.one
            attempts(name, READERS[name], seeds, work / name, asked.seed)(int(number))
            print("accepted")
            return 0
        if asked.minutes is None and asked.inputs is None:
            asked.minutes = 1.0
        return fuzz(asked, seeds, work)


def fuzz(asked: argparse.Namespace, seeds: Path, work: Path) -> int:
    """Every reader in turn, its result printed and counted."""
    inputs = sys.maxsize if asked.inputs is None else -(-asked.inputs // len(asked.only))
    ready = {name: attempts(name, READERS[name], seeds, work / name, asked.seed) for name in asked.only}
    end = float("inf") if asked.minutes is None else time.monotonic() + 60 * asked.minutes
    counts, faults = {}, {}
    for place, name in enumerate(asked.only):
        share = max(end - time.monotonic(), 0) / (len(asked.only) - place)
        rows = outcomes(ready[name], Bounds(inputs, share), work / f"{name}.log", first=asked.first)
        counts[name] = Counter(row["outcome"] for row in rows)
        faults[name] = [row for row in rows if row["outcome"] in FAULTS]
        print(f"{name}: {dict(counts[name])}", *faults[name][:20], sep="\n  ", flush=True)
    print(table(counts))
    if asked.json:
        given = {"commit": commit(), "seed": asked.seed, "first": asked.first}
        result = {**given, "counts": counts, "faults": faults}
        asked.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return int(any(faults.values()))


if __name__ == "__main__":
    sys.exit(main())
