"""Mending a triangle soup: common vertices, one winding, no small holes; every step is put in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import InputError
from .checks import open_edges
from .shells import Faces, Vertices, facing_by_depth, shell_numbers

_MERGE = 1e-6  # vertices closer than this share of the bounding-box diagonal become one
_HOLE_EDGES = 64
_HOLE_SIZE = 0.25  # longest hole rim, as a share of the bounding-box diagonal


class Repaired(NamedTuple):
    """A closed, consistently wound surface, what it took, and what is doubtful about it."""

    vertices: Vertices
    faces: Faces
    repairs: tuple[str, ...]
    doubts: tuple[str, ...]


def repair(vertices: Vertices, faces: Faces, *, name: str) -> Repaired:
    """A closed, consistently wound surface made of these triangles.

    In this order: vertices closer than 1e-6 of the diagonal are merged; triangles with two equal vertices and
    repeated triangles are dropped, and one of two where every triangle is there for either side; triangles are wound
    like their neighbours; holes of at most 64 edges and a rim below a quarter of the diagonal are closed by a fan from
    their middle; shells are turned as their depth of nesting says (`facing_by_depth`).

    Raises:
        InputError: Nothing is left, an edge belongs to more than two triangles, the surface has one side only
            (a Moebius band), a hole is too large, or too many shells lie within each other.
    """
    done = []
    vertices, faces, merged = _merged(vertices, faces)
    if merged:
        done.append(f"merged {merged} repeated vertices")
    faces, dropped = _without_degenerate(faces)
    if dropped:
        done.append(f"dropped {dropped} triangles without area or repeated")
    if len(faces) == 0:
        raise InputError(f"{name}: a mesh needs triangles with an area, got none.")
    faces, doubled = _one_sided(faces)
    if doubled:
        done.append(f"dropped the second side of {doubled} triangles")
    faces, turned = _wound_alike(faces, name)
    if turned:
        done.append(f"reversed {turned} triangles to match their neighbours")
    vertices, faces, holes = _closed(vertices, faces, name)
    if holes:
        done.append(f"closed {holes} small hole{'s' if holes > 1 else ''}")
    faces, facing, doubts = facing_by_depth(vertices, faces, name=name)
    return Repaired(vertices, faces, (*done, *facing), doubts)


def _merged(vertices: Vertices, faces: Faces) -> tuple[Vertices, Faces, int]:
    used, faces = np.unique(faces, return_inverse=True)
    vertices, faces = vertices[used], faces.reshape(-1, 3)
    step = max(float(np.linalg.norm(np.ptp(vertices, axis=0))) * _MERGE, 1e-300)
    cells = np.round((vertices - vertices.min(axis=0)) / step)
    _, first, index = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    return vertices[first], index.reshape(-1)[faces], len(vertices) - len(first)


def _without_degenerate(faces: Faces) -> tuple[Faces, int]:
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    kept = faces[distinct]
    lowest = kept.argmin(axis=1)[:, None] if len(kept) else np.empty((0, 1), np.int64)
    rotated = np.take_along_axis(kept, (lowest + np.arange(3)) % 3, axis=1)
    _, first = np.unique(rotated, axis=0, return_index=True)
    return kept[np.sort(first)], len(faces) - len(first)


def _one_sided(faces: Faces) -> tuple[Faces, int]:
    """One of each two triangles of the same vertices, if all triangles are such pairs."""
    _, first, count = np.unique(np.sort(faces, axis=1), axis=0, return_index=True, return_counts=True)
    return (faces[np.sort(first)], len(first)) if (count == 2).all() else (faces, 0)


def _wound_alike(faces: Faces, name: str) -> tuple[Faces, int]:
    """Turn as few triangles as it takes so that neighbours pass their common edge in opposite directions."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    owner = np.tile(np.arange(len(faces)), 3)
    ascending = edges[:, 0] < edges[:, 1]
    _, index, count = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
    if (count > 2).any():
        crowded = int((count > 2).sum())
        if len(open_edges(torch.from_numpy(faces))) == 0:
            return faces, 0  # shells that touch along edges, each closed and consistent
        raise InputError(
            f"{name}: an edge must belong to two triangles, {crowded} edges belong to more; "
            "separate the parts that share them."
        )
    order = np.argsort(index.reshape(-1), kind="stable")
    sorted_index = index.reshape(-1)[order]
    twin = np.flatnonzero(sorted_index[1:] == sorted_index[:-1])
    first, second = order[twin], order[twin + 1]
    same = ascending[first] == ascending[second]
    if not same.any():
        return faces, 0
    flip = _flips(len(faces), owner[first], owner[second], same, name)
    flip = _fewer(flip, shell_numbers(faces))
    turned = np.where(flip[:, None], faces[:, ::-1], faces)
    return turned, int(flip.sum())


def _flips(count: int, first: Faces, second: Faces, differ: NDArray[np.bool_], name: str) -> NDArray[np.bool_]:
    """Two-colour the triangles by walking from neighbour to neighbour."""
    neighbours: list[list[tuple[int, bool]]] = [[] for _ in range(count)]
    for a, b, d in zip(first.tolist(), second.tolist(), differ.tolist(), strict=True):
        neighbours[a].append((b, d))
        neighbours[b].append((a, d))
    flip: list[bool | None] = [None] * count
    for start in range(count):
        if flip[start] is not None:
            continue
        flip[start], front = False, [start]
        while front:
            f = front.pop()
            for g, d in neighbours[f]:
                wanted = flip[f] is not d
                if flip[g] is None:
                    flip[g] = wanted
                    front.append(g)
                elif flip[g] is not wanted:
                    raise InputError(f"{name}: the surface must have two sides, this one has one (a Moebius band).")
    return np.array(flip, dtype=bool)


def _fewer(flip: NDArray[np.bool_], shell: Faces) -> NDArray[np.bool_]:
    """Per shell, flip the minority."""
    share = np.bincount(shell, weights=flip) / np.bincount(shell)
    return np.where(share[shell] > 0.5, ~flip, flip)


def _closed(vertices: Vertices, faces: Faces, name: str) -> tuple[Vertices, Faces, int]:
    limit = _HOLE_SIZE * float(np.linalg.norm(np.ptp(vertices, axis=0)))
    middles, fans = [], []
    for rim in _rims(open_edges(torch.from_numpy(faces)).tolist(), name):
        ring = vertices[rim]
        around = float(np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1).sum())
        if len(rim) > _HOLE_EDGES or around > limit:
            raise InputError(
                f"{name}: the surface must be closed, it has a hole of {len(rim)} edges and a rim of {around:.4g} mm; "
                f"holes up to {_HOLE_EDGES} edges and {limit:.4g} mm are closed, close this one in a mesh editor."
            )
        fans.append(np.stack([np.roll(rim, -1), rim, np.full(len(rim), len(vertices) + len(middles))], axis=1))
        middles.append(ring.mean(axis=0))
    if not fans:
        return vertices, faces, 0
    return np.concatenate([vertices, np.stack(middles)]), np.concatenate([faces, *fans]), len(fans)


def _rims(edges: list[list[int]], name: str) -> Iterator[NDArray[np.int64]]:
    """The simple loops that unpaired directed edges form; each edge is walked once."""
    following: dict[int, list[int]] = {}
    for start, end in edges:
        following.setdefault(start, []).append(end)
    for start in list(following):
        walk: list[int] = []
        places: dict[int, int] = {}
        at = start
        while walk or following[at]:
            if at in places:  # a loop is closed; what led to it goes on from here
                first = places[at]
                yield np.array(walk[first:])
                for vertex in walk[first:]:
                    del places[vertex]
                del walk[first:]
                continue
            if not following.get(at):
                raise InputError(
                    f"{name}: the surface must be closed, an open edge leads nowhere; close it in an editor."
                )
            places[at] = len(walk)
            walk.append(at)
            at = following[at].pop()
