"""Slices sorted into the volumes that they form, and the one volume that is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from pathlib import Path

import numpy as np

from ..errors import FileError
from .dicom_slices import APART, Slice
from .series_digest import is_series

MAX_LISTED = 8
_PLANES = ("sagittal", "coronal", "axial")
Stack = list[Slice]


def stacks_of(slices: list[Slice]) -> tuple[list[Stack], int]:
    """The stacks in listing order, each sorted along its normal, and how many slices were copies of others.

    A stack is what one series holds in one plane; images at one place are told apart by `APART`.
    """
    unique: dict[Hashable, Slice] = {}
    for piece in slices:
        unique.setdefault((piece.series.uid, piece.instance, piece.frame, *piece.position.tolist()), piece)
    stacks = [part for plane in _planes(list(unique.values())) for part in _told_apart(plane)]
    stacks = [sorted(stack, key=lambda piece: float(piece.position @ stack[0].normal)) for stack in stacks]
    order = sorted(stacks, key=lambda stack: (stack[0].series.number, stack[0].series.description, stack[0].path))
    return order, len(slices) - len(unique)


def chosen_stack(path: Path, stacks: list[Stack], series: str | None) -> tuple[Stack, Counter[str]]:
    """The one volume that is there or asked for, and what is left out beside it.

    Args:
        path: For messages.
        stacks: As `stacks_of` gives them.
        series: A number in the list, a SeriesInstanceUID or its digest; None where there is but one.

    Raises:
        FileError: Several volumes and no choice (they are listed), or nothing by that name.
    """
    listed = _real(stacks)
    if series is None:
        if len(listed) > 1:
            raise FileError(
                f"{path} must hold one volume, it holds {len(listed)}: {_list(listed, listed)}; "
                "choose one by its number, --series 1 (series='1'), or by its SeriesInstanceUID."
            )
        chosen = listed[0]
    elif series.isdecimal() and 1 <= int(series) <= len(listed):
        chosen = listed[int(series) - 1]
    else:
        named = [stack for stack in stacks if is_series(stack[0].series.uid, series)]
        if not named:
            raise FileError(
                f"{path} holds no series {series[:70]}; it has {_list(listed, listed)}; give its number, --series 1."
            )
        real = _real(named)
        if len(real) > 1:
            raise FileError(
                f"{path} holds {len(real)} volumes in that series: {_list(real, listed)}; "
                "choose one by its number, --series 1 (series='1')."
            )
        chosen = real[0]
    others = Counter(_word(stack, stack in listed) for stack in stacks if stack is not chosen)
    return chosen, others


def plane_of(stack: Stack) -> str:
    """axial, coronal or sagittal by the nearest axis, with "oblique" where it is more than 10 degrees off."""
    normal = np.abs(stack[0].normal)
    name = _PLANES[int(normal.argmax())]
    return name if normal.max() > np.cos(np.radians(10)) else f"oblique {name}"


def _real(stacks: list[Stack]) -> list[Stack]:
    """CT and MR volumes of several slices; else of single ones; else whatever else has a place."""
    patient = [stack for stack in stacks if stack[0].series.kind in ("CT", "MR")]
    return [stack for stack in patient if len(stack) > 1] or patient or stacks


def _told_apart(plane: list[Slice]) -> list[Stack]:
    """One plane of a series as stacks without two images at one place, by the first of `APART` that does it."""
    if not _has_doubles(plane):
        return [plane]
    varying = [n for n in range(len(APART)) if len({piece.apart[n] for piece in plane}) > 1]
    for chosen in [*([n] for n in varying), varying]:
        parts = _grouped(plane, lambda piece, chosen=tuple(chosen): tuple(piece.apart[n] for n in chosen))
        if len(parts) > 1 and not any(_has_doubles(part) for part in parts):
            return parts
    return [plane]


def _planes(slices: list[Slice]) -> list[list[Slice]]:
    """The slices of each series that lie in one plane, to about half a degree."""
    planes: list[list[Slice]] = []
    for piece in slices:
        for plane in planes:
            if plane[0].series.uid == piece.series.uid and np.abs(plane[0].normal - piece.normal).max() < 0.01:
                plane.append(piece)
                break
        else:
            planes.append([piece])
    return planes


def _has_doubles(plane: list[Slice]) -> bool:
    along = np.sort([float(piece.position @ plane[0].normal) for piece in plane])
    return bool((np.diff(along) <= 1e-3).any())


def _grouped(slices: list[Slice], key: Callable[[Slice], Hashable]) -> list[Stack]:
    groups: dict[Hashable, Stack] = {}
    for piece in slices:
        groups.setdefault(key(piece), []).append(piece)
    return list(groups.values())


def _list(stacks: list[Stack], listed: list[Stack]) -> str:
    shown = [f"{listed.index(stack) + 1}) {_word_of(stack)}" for stack in stacks[:MAX_LISTED]]
    more = len(stacks) - MAX_LISTED
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _word_of(stack: Stack) -> str:
    first = stack[0]
    about = f' "{first.series.description}"' if first.series.description else ""
    return f"{first.series.kind} {plane_of(stack)} {first.columns} x {first.rows} x {len(stack)}{about}"


def _word(stack: Stack, is_volume: bool) -> str:
    kind = "object" if stack[0].series.kind == "other" else stack[0].series.kind
    return f"{'' if is_volume else 'lesser '}{kind} stack"
