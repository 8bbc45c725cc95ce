"""Settings of trainings by name, as files that `--preset` reads and people can copy."""

from __future__ import annotations

from pathlib import Path

PRESETS = {path.stem: path for path in sorted(Path(__file__).parent.glob("*.yaml"), key=lambda path: path.stem)}
"""laptop, paper: path of each."""
