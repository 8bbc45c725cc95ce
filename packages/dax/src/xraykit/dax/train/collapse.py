"""Is a training collapsing? Told from its curve, with what to change."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CollapseKind = Literal["uniform", "one-hot"]
NEAR = 0.005
"""How near to its limit counts, as a share of ln K."""
ADVICE: dict[CollapseKind, str] = {
    "uniform": (
        "the output is uniform: loss {loss:.3f} and both entropies stay at ln {prototypes} = {limit:.3f}, so "
        "nothing is learned; lower the teacher's temperature, raise its momentum if batches are small (0.9995), or "
        "lower the rate"
    ),
    "one-hot": (
        "the output is one prototype for every image: teacher entropy {teacher_entropy:.3f} and KL {kl:.3f} stay at 0; "
        "check that centring is on, raise the teacher's temperature, lower the rate, or freeze the last layer longer"
    ),
}


def collapse_kind(
    row: Mapping[str, float], prototypes: int, *, batch_entropy: float | None = None
) -> CollapseKind | None:
    """What the numbers of one moment look like; at the beginning of a training, healthy ones look uniform too.

    Args:
        row: loss, student_entropy, teacher_entropy and kl, in nats.
        prototypes: K.
        batch_entropy: Entropy of the teacher's mean over many images, if known: above 0, images differ in prototype,
            and a teacher that is sure of each is no collapse.

    Returns:
        "uniform": loss and both entropies within 0.5 % of ln K; "one-hot": teacher entropy and KL within as much of 0.
    """
    limit = math.log(prototypes)
    near = NEAR * limit
    if all(abs(row[name] - limit) < near for name in ("loss", "student_entropy", "teacher_entropy")):
        return "uniform"
    sure = row["teacher_entropy"] < near and abs(row["kl"]) < near
    return "one-hot" if sure and (batch_entropy is None or batch_entropy < 2 * near) else None


@dataclass
class CollapseWatch:
    """Tells a collapse when it has lasted.

    Args:
        prototypes: K.
        begin: Share of the training before which nothing counts.
        patience: Share of the training for which each row must look so.
        least: And at least so many rows.
    """

    prototypes: int
    begin: float = 0.1
    patience: float = 0.05
    least: int = 3
    kind: CollapseKind | None = None
    since: float = 0.0
    rows: int = 0

    def observe(self, progress: float, row: Mapping[str, float], *, batch_entropy: float | None = None) -> str | None:
        """One sentence if the training has collapsed, and while it stays so.

        Args:
            progress: Share of the training that is over, 0 to 1.
            row: As in `collapse_kind`, means over some batches.
            batch_entropy: As there.
        """
        kind = collapse_kind(row, self.prototypes, batch_entropy=batch_entropy) if progress >= self.begin else None
        if kind != self.kind:
            self.kind, self.since, self.rows = kind, progress, 0
        self.rows += 1
        if kind is None or self.rows < self.least or progress - self.since < self.patience:
            return None
        numbers = {"prototypes": self.prototypes, "limit": math.log(self.prototypes), **row}
        return f"the training has collapsed, {ADVICE[kind].format(**numbers)}."

    def state_dict(self) -> dict[str, float | str | None]:
        """What the next row is judged by."""
        return {"kind": self.kind, "since": self.since, "rows": self.rows}

    def load_state_dict(self, state: Mapping[str, float | str | None]) -> None:
        """Go on there."""
        for name in ("kind", "since", "rows"):
            setattr(self, name, state[name])
