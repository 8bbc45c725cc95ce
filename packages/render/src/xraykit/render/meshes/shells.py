"""Which way the shells of a closed mesh face: outwards at even depth of nesting, into the cavity at odd depth."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import InputError
from .checks import signed_volume

Vertices = NDArray[np.float64]
Faces = NDArray[np.int64]

_SAMPLES = 5  # points of a shell that vote on whether it lies inside another; shells may touch
_MOST_SHELLS = 10_000  # each is compared with each
_MOST_WORK = 100_000_000  # solid angles of triangles


def facing_by_depth(vertices: Vertices, faces: Faces, *, name: str) -> tuple[Faces, tuple[str, ...], tuple[str, ...]]:
    """The faces with shells turned where need be, what was done, and what is doubtful about it.

    A shell inside an odd number of others bounds a cavity. Where the file says otherwise for some of the shells, the
    cavity is taken and a doubt says so: part of a solid that lies inside another is as possible.

    Raises:
        InputError: Too many shells, or too many within each other, to tell.
    """
    number = shell_numbers(faces)
    if number.max() >= _MOST_SHELLS:
        raise InputError(
            f"{name}: a mesh may have at most {_MOST_SHELLS} shells, this one has {number.max() + 1}; split the file."
        )
    parts = np.split(faces[np.argsort(number, kind="stable")], np.cumsum(np.bincount(number))[:-1])
    points = torch.from_numpy(vertices)
    facing_out = np.array([signed_volume(points, torch.from_numpy(part)) > 0 for part in parts])
    inner = np.array(_depths(vertices, parts, name)) % 2 == 1
    wrong = facing_out == inner
    if not wrong.any():
        return faces, (), ()
    turned = np.where(wrong[number][:, None], faces[:, ::-1], faces)
    outside, inside = int((wrong & ~inner).sum()), int((wrong & inner).sum())
    done = []
    if outside:
        done.append(f"turned {_shells(outside)} inside out")
    if inside:
        done.append(f"turned {_shells(inside)} to face into a cavity")
    doubts = (
        f"{_shells(inside)} inside another faced outwards and was taken as a cavity; if it is solid, unite the parts",
    )
    return turned, tuple(done), doubts if inside and not wrong.all() else ()


def shell_numbers(faces: Faces) -> Faces:
    """The connected part that each face belongs to, by spreading the lowest vertex number."""
    label = np.arange(int(faces.max()) + 1)
    while True:
        lowest = label[faces].min(axis=1)
        before = label.copy()
        for n in range(3):
            np.minimum.at(label, faces[:, n], lowest)
        label = label[label]
        if np.array_equal(label, before):
            break
    return np.unique(label[faces[:, 0]], return_inverse=True)[1].reshape(-1)


def _depths(vertices: Vertices, parts: list[Faces], name: str) -> list[int]:
    """In how many others each shell lies; only boxes within boxes are looked at."""
    low = np.array([vertices[part].min(axis=(0, 1)) for part in parts])
    high = np.array([vertices[part].max(axis=(0, 1)) for part in parts])
    work, depths = 0, []
    for n, part in enumerate(parts):
        around = np.flatnonzero((low <= low[n]).all(axis=1) & (high >= high[n]).all(axis=1))
        middles = vertices[part[np.linspace(0, len(part) - 1, _SAMPLES).astype(int)]].mean(axis=1)
        depth = 0
        for m in around[around != n]:
            work += _SAMPLES * len(parts[m])
            if work > _MOST_WORK:
                raise InputError(
                    f"{name}: a mesh with this many shells within each other cannot be read; split the file."
                )
            votes = sum(_contains(vertices, parts[m], middle) for middle in middles)
            depth += 2 * votes > _SAMPLES
        depths.append(depth)
    return depths


def _contains(vertices: Vertices, faces: Faces, point: Vertices) -> bool:
    """Whether a closed shell winds round the point, by its solid angle (van Oosterom and Strackee, 1983)."""
    a, b, c = ((vertices[faces[:, n]] - point) for n in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=1) for side in (a, b, c))
    over = (a * np.cross(b, c)).sum(axis=1)
    under = la * lb * lc + (a * b).sum(axis=1) * lc + (b * c).sum(axis=1) * la + (c * a).sum(axis=1) * lb
    return abs(float(np.arctan2(over, under).sum())) > np.pi  # 2 pi inside, 0 outside


def _shells(count: int) -> str:
    return f"{count} shell{'s' if count > 1 else ''}"
