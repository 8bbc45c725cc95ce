"""Rows of a study that takes long, each written as soon as it is measured, so that an interrupted one goes on."""

from __future__ import annotations

import json
from pathlib import Path


class KeptRows:
    """The rows in a file of JSON lines, and those that are added to it; without a file in memory alone."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path is not None and path.exists() else []
        self.all: list[dict] = [json.loads(line) for line in lines]

    def find(self, **names: object) -> dict | None:
        """The first row that has all these values, if there is one."""
        return next((row for row in self.all if all(row[name] == value for name, value in names.items())), None)

    def add(self, row: dict) -> None:
        """Keep a row."""
        self.all.append(row)
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
