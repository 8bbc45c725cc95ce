"""A closed surface whose parts touch, taken apart there, so that every edge belongs to exactly two triangles."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_Reals = npt.NDArray[np.float64]
_Wholes = npt.NDArray[np.int64]


def two_manifold(points: _Reals, faces: _Wholes) -> tuple[_Reals, _Wholes]:
    """A closed surface in which every edge belongs to exactly two triangles.

    Two triangles back to back enclose nothing and go. Around an edge of 2n triangles, each two between which the body
    lies stay together, and around a vertex each fan of triangles that such neighbours close gets a vertex of its own.
    Where two fans share an edge even so, one gets a point in the middle of it. Outline and enclosed volume stay.

    Args:
        points: (N, 3) [mm].
        faces: (F, 3), closed and wound outwards: every edge is passed as often in one direction as in the other.

    Returns:
        Points and faces; what is a two-manifold comes back as it is.
    """
    if len(_crowded(faces)) == 0:
        return points, faces
    faces = _enclosing(faces)
    while len(faces):
        twin = _twins(points, faces)
        points, faces = _fans(points, faces, twin)
        crowded = _crowded(faces)
        if len(crowded) == 0:
            break
        points, faces = _divided(points, faces, int(crowded[0]), int(twin[crowded[0]]))
    return points, faces


def _enclosing(faces: _Wholes) -> _Wholes:
    """The faces without those that lie back to back with another."""
    corners, number = np.unique(np.sort(faces, 1), axis=0, return_inverse=True)
    rising = (faces < np.roll(faces, -1, 1)).sum(1) == 2  # a turn of the sorted corners, or of their reverse
    sign = np.where(rising, 1, -1)
    number = number.reshape(-1)
    net = np.bincount(number, weights=sign, minlength=len(corners)).astype(np.int64)
    same = np.flatnonzero(sign == np.sign(net[number]))
    order = same[np.argsort(number[same], kind="stable")]
    group = number[order]
    return faces[np.sort(order[_rank(group, np.zeros(len(group), dtype=bool)) < np.abs(net[group])])]


def _twins(points: _Reals, faces: _Wholes) -> _Wholes:
    """For each half-edge 3f + i, from corner i of face f to the next, the one of its neighbour, (3F,)."""
    start, end, apex = faces.reshape(-1), np.roll(faces, -1, 1).reshape(-1), np.roll(faces, -2, 1).reshape(-1)
    low, high = np.minimum(start, end), np.maximum(start, end)
    along = points[high] - points[low]
    helper = np.eye(3)[np.abs(along).argmin(1)]
    first = np.cross(along, helper)  # the same for all half-edges of an edge
    second = np.cross(along, first) / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-300)
    arm = points[apex] - points[low]
    angle = np.arctan2((arm * second).sum(1), (arm * first).sum(1))
    edge = low * (int(faces.max()) + 1) + high
    order = np.lexsort((angle, edge))
    forward = (start < end)[order]
    begins = np.r_[True, edge[order][1:] != edge[order][:-1]]
    group = np.cumsum(begins) - 1
    # the body lies behind a forward half-edge and ahead of a backward one, in the sense of the angle
    late = forward & np.repeat(forward[begins], np.bincount(group))  # then the first forward one ends the last wedge
    ahead, behind = order[~forward], order[forward]
    turn = np.lexsort((_rank(group[forward], late[forward]), group[forward]))
    twin = np.empty(len(start), dtype=np.int64)
    twin[ahead], twin[behind[turn]] = behind[turn], ahead
    return twin


def _rank(group: _Wholes, late: npt.NDArray[np.bool_]) -> _Wholes:
    """The place of each in its group, the first behind all others where `late`."""
    first = np.r_[True, group[1:] != group[:-1]]
    place = np.arange(len(group)) - np.maximum.accumulate(np.where(first, np.arange(len(group)), 0))
    return np.where(first & late, len(group), place)


def _fans(points: _Reals, faces: _Wholes, twin: _Wholes) -> tuple[_Reals, _Wholes]:
    """One vertex for each fan of triangles: the cycles of corners that neighbours lead through."""
    corner = np.arange(len(twin))
    onwards = np.where(corner % 3 == 2, corner - 2, corner + 1)[twin]
    name = corner
    for _ in range(len(twin).bit_length()):
        name, onwards = np.minimum(name, name[onwards]), onwards[onwards]
    kept, number = np.unique(name, return_inverse=True)
    return points[faces.reshape(-1)[kept]], number.reshape(-1, 3)


def _crowded(faces: _Wholes) -> _Wholes:
    """The first half-edge of each edge that belongs to more than two triangles."""
    start, end = faces.reshape(-1), np.roll(faces, -1, 1).reshape(-1)
    edge = np.minimum(start, end) * (int(faces.max()) + 1) + np.maximum(start, end)
    _, first, count = np.unique(edge, return_index=True, return_counts=True)
    return first[count > 2]


def _divided(points: _Reals, faces: _Wholes, half_edge: int, twin: int) -> tuple[_Reals, _Wholes]:
    """The two triangles at an edge, each divided at the middle of it."""
    middle, divided = len(points), [half_edge // 3, twin // 3]
    (a, b, c), (_, _, d) = (np.roll(faces[edge // 3], -(edge % 3)) for edge in (half_edge, twin))
    more = np.array([[a, middle, c], [middle, b, c], [b, middle, d], [middle, a, d]])
    points = np.concatenate([points, (points[a] + points[b])[None] / 2])
    return points, np.concatenate([np.delete(faces, divided, axis=0), more])
