"""What a run of tests decides for its processes before anything large is imported: bytecode, threads and the disk."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from functools import cache
from pathlib import Path

ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def keep_bytecode() -> None:
    """Write bytecode into the virtual environment, with which it goes, where Python may not write it beside sources.

    Images of containers forbid it as a rule. Then every process that a test starts compiles torch and all else that it
    imports anew, which takes longer than most tests. Workers and such processes take this from the environment.
    """
    if sys.dont_write_bytecode and sys.prefix != sys.base_prefix:
        folder = str(Path(sys.prefix) / "bytecode")
        sys.dont_write_bytecode, sys.pycache_prefix = False, folder
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder


def wait_for_no_disk() -> None:
    """Let `fsync` look at the file and return: no test pulls the plug, and a run would wait thousands of times.

    Programs that a test starts wait as ever; that files are asked onto the disk before they get their names has a test
    of its own.
    """
    os.fsync = _looked_at


def _looked_at(file: int) -> None:
    os.fstat(file)


def look_for_commands_once() -> None:
    """Remember which entry points are installed, as every command line asks and nothing is installed meanwhile."""
    importlib.metadata.entry_points = cache(importlib.metadata.entry_points)


def one_thread_per_worker() -> None:
    """One thread for each of several workers: more of them wait for one another, and burn time as they do.

    It must be called before torch is loaded, which another conftest.py may do before `pytest_configure`.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        for name in ONE_THREAD:
            os.environ.setdefault(name, "1")
