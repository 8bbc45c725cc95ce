"""The SLURM engine: a script for an array of tasks, each of which runs this program on a few shards."""

from __future__ import annotations

import shlex
from pathlib import Path

from ....storage.atomic_write import write_atomically

SCRIPT = "log/slurm_array.sh"
MOST_TASKS = 1000

_TEXT = """#!/bin/bash
#SBATCH --job-name=xraykit-dataset
#SBATCH --array=0-{last}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=4G
#SBATCH --time=24:00:00
#SBATCH --output={log}/slurm-%A_%a.txt
# Add what your site asks for (partition, account) and the lines that make `xraykit` available.
set -euo pipefail
first=$((SLURM_ARRAY_TASK_ID * {each}))
last=$((first + {each} - 1))
if [ "$last" -gt {final} ]; then last={final}; fi
exec xraykit dataset make {config} -o {folder} --resume --workers 1 --shards "$first-$last"
"""


def write_slurm_script(folder: Path, shards: int, *, tasks: int | None = None) -> Path:
    """Write log/slurm_array.sh, which makes all shards when submitted; every task may be requeued or repeated.

    Args:
        folder: Of the data set, begun; all nodes must see it under this path.
        shards: How many there are.
        tasks: Size of the array; None is one task per shard, 1000 at most.

    Raises:
        OutputError: The disk refused.
    """
    tasks = min(shards, tasks or MOST_TASKS)
    each = -(-shards // tasks)
    text = _TEXT.format(
        last=-(-shards // each) - 1,
        log=shlex.quote(str(folder / "log")),
        each=each,
        final=shards - 1,
        config=shlex.quote(str(folder / "config.yaml")),
        folder=shlex.quote(str(folder)),
    )
    return write_atomically(folder / SCRIPT, lambda file: file.write(text.encode()))


def instructions(folder: Path) -> str:
    """What to type to run the script and to finish the data set when all tasks have ended."""
    script, config, target = (shlex.quote(str(part)) for part in (folder / SCRIPT, folder / "config.yaml", folder))
    finish = f"xraykit dataset make {config} -o {target} --resume --workers 1"
    return (
        f"job=$(sbatch --parsable {script})\n"
        f"sbatch --dependency=afterany:$job --wrap {shlex.quote(finish)}\n"
        "The second job collects the receipts, makes what is missing, and completes manifest.json."
    )
