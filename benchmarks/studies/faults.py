"""What readers make of damaged input and what kills take of trainings, from the records of the tools that try it.

python -m tools.fuzz --inputs 25000 --first 0 --json a.json
python tools/kill_training.py /dev/shm/a out/a --kills 20 --json k.json        # and with --full
python -m benchmarks.studies.faults --fuzz a.json --kills k.json

All records of the fuzz must be of one commit, and all of kills; several of the fuzz are added up.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from ..common.result import RESULTS, Start, save

OUTCOMES = {
    "accepted": "read",
    "refused": "refused",
    **{n: n for n in ("untyped", "message", "hang", "crash", "memory")},
}


def main(arguments: list[str] | None = None) -> None:
    """Put the records together."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.faults", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--fuzz", type=Path, nargs="+", required=True, help="records of tools.fuzz")
    parser.add_argument("--kills", type=Path, nargs="+", required=True, help="records of tools/kill_training.py")
    asked = parser.parse_args(arguments)
    fuzzes, kills = ([json.loads(path.read_text()) for path in paths] for paths in (asked.fuzz, asked.kills))
    at = []
    for records in (fuzzes, kills):
        commits = sorted({record["commit"] for record in records})
        if len(commits) != 1 or commits[0].endswith("-dirty"):
            parser.error(f"records must be of one commit, got {', '.join(commits)}.")
        at += commits
    rows = reader_rows(fuzzes)
    scene = {"name": "mutated input of every reader, and kills of a training in its saves"}
    scene |= {"measured_at": at[0], "trainings_at": at[1]}
    scene |= {"rounds": [{"seed": one["seed"], "first": one["first"]} for one in fuzzes]}
    scene |= {"seconds_each": 5.0, "bytes_each": 2 << 30}
    trainings = [row for record in kills for row in record["rows"]]
    start = Start.now()
    result = start.result("faults", rows, threads={"torch": 1}, scene=scene, summary={"trainings": trainings})
    save(result, RESULTS / "faults--cpu.json")


def reader_rows(fuzzes: list[dict]) -> list[dict]:
    """How many inputs of each reader came to which end, of all records together."""
    counts: dict[str, Counter] = {}
    for record in fuzzes:
        for reader, found in record["counts"].items():
            counts.setdefault(reader, Counter()).update(found)
    return [
        {"reader": reader, "inputs": found.total(), **{name: found[key] for key, name in OUTCOMES.items()}}
        for reader, found in counts.items()
    ]


if __name__ == "__main__":
    main()
