"""Keep the bytecode of what tests import, also where the environment forbids Python to write it beside the sources."""

from __future__ import annotations

import os
import sys
from pathlib import Path

FORBIDS = "PYTHONDONTWRITEBYTECODE"


def keep_bytecode() -> None:
    """Write it into the virtual environment, with which it goes; workers and processes that tests start do so too.

    Images of containers forbid it as a rule. Then every process compiles torch and all else that it imports anew,
    which takes longer than most tests.
    """
    if sys.dont_write_bytecode and sys.prefix != sys.base_prefix:
        folder = str(Path(sys.prefix) / "bytecode")
        sys.dont_write_bytecode, sys.pycache_prefix = False, folder
        os.environ.pop(FORBIDS, None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
