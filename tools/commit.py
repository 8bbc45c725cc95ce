"""Which commit the code at hand is."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit() -> str:
    """Twelve digits, with "-dirty" where files differ from it; "" outside a checkout."""
    command = ("git", "describe", "--always", "--dirty", "--abbrev=12")
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent, check=False)
    return done.stdout.strip()
