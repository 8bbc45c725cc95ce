"""Matches on disk: matches.json for people and programs, heat.npz with every probability."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from xraykit.render.storage import make_folder, write_atomically

from .view_letters import view_letter

if TYPE_CHECKING:
    from .matches import Matches, PatchMatch

SCHEMA = "xcorr-matches/1"
TABLE, HEAT = "matches.json", "heat.npz"


def save_matches(matches: Matches, listed: Sequence[PatchMatch], folder: Path) -> Path:
    """Write both files.

    heat.npz holds, for each pair of views, `probability_A_B` (L, L) float16, row = patch of A, column = patch of B,
    row-major over the grid, and for each view `square_A` = left, top, side: the square of the original image [px] that
    the grid covers.

    Raises:
        OutputError: The folder cannot be made or written.
    """
    make_folder(folder)
    arrays: dict[str, Any] = {
        f"probability_{view_letter(a)}_{view_letter(b)}": matrix.numpy().astype(np.float16)
        for (a, b), matrix in zip(matches.pairs, matches.probability, strict=True)
    }
    for view, xray in enumerate(matches.xrays):
        box = xray.letterbox
        arrays[f"square_{view_letter(view)}"] = np.array([box.left, box.top, box.side])
    write_atomically(folder / HEAT, lambda file: np.savez_compressed(file, **arrays))
    text = json.dumps(matches_table(matches, listed), indent=1, allow_nan=False)
    return write_atomically(folder / TABLE, lambda file: file.write(f"{text}\n".encode()))


def matches_table(matches: Matches, listed: Sequence[PatchMatch]) -> dict[str, Any]:
    """What matches.json says: views, pairs with their overlap and matches, notes. Points are x right, y down [px]."""
    doubts = matches.doubts
    return {
        "schema": SCHEMA,
        "grid": matches.grid,
        "network": dict(matches.network),
        "views": [
            {
                "view": view_letter(view),
                "file": None if xray.path is None else str(xray.path),
                "name": xray.name,
                "frame": xray.frame,
                "size": list(xray.size),
            }
            for view, xray in enumerate(matches.xrays)
        ],
        "pairs": [
            {
                "views": [a, b],
                "overlap": round(score, 4),
                "doubt": doubts.get((a, b)),
                "matches": [_row(match) for match in listed if match.views == (a, b)],
            }
            for (a, b), score in matches.overlap.items()
        ],
        "notes": list(matches.notes),
    }


def _row(match: PatchMatch) -> dict[str, Any]:
    a, b = ([round(value, 2) for value in point] for point in (match.a, match.b))
    return {"a": a, "b": b, "probability": round(match.probability, 4)}
