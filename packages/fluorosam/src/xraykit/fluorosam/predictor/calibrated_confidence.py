"""From the quality that a network expects to a confidence that holds, and where it says "not visible"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xraykit.render import FileError
from xraykit.render.storage import is_finite_number

KEY = "calibration"


@dataclass(frozen=True)
class ConfidenceMap:
    r"""Confidence c = clip(slope q + offset, 0, 1) of a quality q, or a table that is linear between its rows.

    Args:
        slope: 1 leaves the quality as it is.
        offset: Added to it.
        visible: Least confidence of words alone that something is there; 0: everything is.
        table: Rows (q, c), both growing; empty takes slope and offset.
        presence: Least probability, of a network that tells it, that what words alone ask for is there; it decides in
            place of `visible`. None: of a network that does not.
    """

    slope: float = 1.0
    offset: float = 0.0
    visible: float = 0.0
    table: tuple[tuple[float, float], ...] = ()
    presence: float | None = None

    def __call__(self, quality: Tensor) -> Tensor:
        """Confidences of the same shape, float32 in [0, 1]; 0 for a quality that is not a number."""
        values = quality.float()
        if self.table:
            q, c = zip(*self.table, strict=True)
            values = torch.from_numpy(np.interp(values.numpy(), q, c)).float()
        else:
            values = self.slope * values + self.offset
        return values.nan_to_num(0.0).clamp(0, 1)

    def sees(self, confidence: float, presence: float | None) -> bool:
        """Whether words alone found something that is there.

        Args:
            confidence: Of the answer.
            presence: The probability that the network tells; None without one.
        """
        if self.presence is None or presence is None:
            return confidence >= self.visible
        return presence >= self.presence

    def plain(self) -> dict[str, Any]:
        """As weights carry it; `confidence_map` reads it."""
        line: dict[str, Any] = {"slope": self.slope, "offset": self.offset, "visible": self.visible}
        if self.table:
            line["table"] = [list(row) for row in self.table]
        return line if self.presence is None else line | {"presence": self.presence}


def confidence_map(trained_on: Mapping[str, object]) -> ConfidenceMap:
    """The map in `trained_on["calibration"]` of weights: slope, offset, visible, presence, table; each may lack.

    Raises:
        FileError: It is there and is no such map.
    """
    stated = trained_on.get(KEY)
    if stated is None:
        return ConfidenceMap()
    try:
        if not isinstance(stated, Mapping):
            raise ValueError(f"got {type(stated).__name__}")
        known = ("slope", "offset", "visible", "presence")
        numbers = {name: _finite(stated[name]) for name in known if name in stated}
        table = tuple((_finite(q), _finite(c)) for q, c in stated.get("table", ()))
        if any(a[0] >= b[0] or a[1] > b[1] for a, b in pairwise(table)):
            raise ValueError("its table does not grow")
    except (TypeError, ValueError) as error:
        raise FileError(
            f"the calibration of weights must be numbers slope, offset, visible, presence or a growing table "
            f"({error}); save them again."
        ) from error
    return ConfidenceMap(**numbers, table=table)


def _finite(value: object) -> float:
    if not is_finite_number(value):
        raise ValueError(f"{str(value)[:40]!r} is no number")
    return float(value)
