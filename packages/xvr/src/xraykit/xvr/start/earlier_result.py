"""Start where an earlier registration ended."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from xraykit.render import InputError
from xraykit.render.geometry import full_precision

from ..result.reading import read_result


@full_precision
def starts_from_result(path: str | Path, *, structure: str | None = None, views: int | None = None) -> Tensor:
    """One candidate: the final poses in result.json.

    Args:
        path: The file, or the result folder that holds it.
        structure: Which rigid structure's poses; None is the first.
        views: How many X-rays are to be registered now; None takes what the file has.

    Returns:
        (1, V, 4, 4) float64, camera to world.

    Raises:
        FileError: The file is missing or no result.
        InputError: No such structure, or another number of views.
    """
    record = read_result(path)
    name = record.structures[0] if structure is None else structure
    if name not in record.structures:
        raise InputError(f"{path} has the structures {', '.join(record.structures)}, got {name!r}; name one of them.")
    if views is not None and views != len(record.views):
        raise InputError(f"{path} must hold {views} views, one for each X-ray, it holds {len(record.views)}.")
    return record.poses[record.structures.index(name)][None]
