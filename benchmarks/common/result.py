"""A result of a suite, from its start to the file that is committed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .schema import SCHEMA, problems
from .surroundings import loads, surroundings

RESULTS = Path(__file__).parents[1] / "results"


@dataclass(frozen=True)
class Start:
    """When a suite was started, and how busy the machine was then."""

    created: str
    load: list[float]

    @classmethod
    def now(cls) -> Start:
        return cls(datetime.now(UTC).isoformat(timespec="seconds"), loads())

    def result(
        self,
        suite: str,
        rows: list[dict],
        *,
        device: str = "cpu",
        mode: str = "full",
        threads: Mapping[str, int],
        scene: Mapping[str, Any],
        ratios: Iterable[dict] = (),
        summary: Mapping[str, Any] | None = None,
        versions: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """What the file will hold.

        Args:
            suite: One of `schema.ROWS`.
            rows: The measurements, each with the fields that the schema names for the suite.
            device: "cpu" or "cuda".
            mode: "full", or "quick" where numbers mean little.
            threads: How many each library may use.
            scene: What was measured on, `name` first.
            ratios: One measurement against another.
            summary: Figures over all rows.
            versions: Of programs besides the Python packages.
        """
        around = surroundings(device)
        around["versions"] = {**(versions or {}), **around["versions"]}
        return {
            "schema": SCHEMA, "suite": suite, "mode": mode, "created": self.created, **around, "load_before": self.load,
            "load_after": loads(), "threads": dict(threads), "scene": dict(scene), "rows": rows,
            "ratios": list(ratios), "summary": dict(summary or {}),
        }  # fmt: skip


def save(result: dict, path: Path) -> None:
    """Write a result that follows the schema, or say what is wrong with it."""
    text = json.dumps(result, indent=1, default=str, allow_nan=False)
    wrong = problems(json.loads(text))
    if wrong:
        raise ValueError("; ".join(wrong))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def load(path: Path) -> dict[str, Any]:
    """A result that was saved."""
    return json.loads(path.read_text(encoding="utf-8"))
