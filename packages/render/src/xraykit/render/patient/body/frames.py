"""Frames that bodies are described in: affine ones for head, limbs and vertebrae, a bent and stretched trunk."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..canvas import Array, Frame

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class AffineFrame:
    """Local mm to world RAS mm by a 4x4 matrix; it may turn, stretch and (for left limbs) mirror."""

    matrix: Matrix

    @property
    def scale(self) -> float:
        """Cube root of the factor on volumes."""
        return float(np.cbrt(abs(np.linalg.det(self.matrix[:3, :3]))))

    def to_world(self, points: ArrayLike) -> NDArray[np.float64]:
        """World positions of local points (..., 3)."""
        return np.asarray(points, dtype=np.float64) @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def to_local(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """Local coordinates of world positions; zero terms are skipped, so an aligned frame stays broadcastable."""
        inverse = np.linalg.inv(self.matrix)
        rows = []
        for row in inverse[:3]:
            terms = [np.float32(c) * axis for c, axis in zip(row[:3], (x, y, z), strict=True) if abs(c) > 1e-12]
            rows.append((sum(terms[1:], terms[0]) + np.float32(row[3])).astype(np.float32))
        return rows[0], rows[1], rows[2]


@dataclass(frozen=True, eq=False)
class MovedFrame:
    """A frame whose bodies are first moved within it: world = frame(motion local); how a fragment is displaced."""

    frame: Frame
    motion: Matrix

    @property
    def scale(self) -> float:
        """That of the frame."""
        return self.frame.scale

    def to_world(self, points: ArrayLike) -> NDArray[np.float64]:
        """World positions of local points (..., 3)."""
        return self.frame.to_world(AffineFrame(self.motion).to_world(points))

    def to_local(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """Local coordinates of world positions."""
        return AffineFrame(self.motion).to_local(*self.frame.to_local(x, y, z))


@dataclass(frozen=True, eq=False)
class TrunkFrame:
    r"""The trunk's atlas, bent and stretched slice by slice.

        world = (shift_x, shift_y, 0) + Rz(turn) diag(width, depth) (x, y - pivot) + pivot,    z_world = z(z_local)

    with every parameter a function of the local height. Identity parameters give the atlas itself.

    Args:
        heights: Local heights of the knots [mm], ascending.
        world_heights: World height of each knot [mm], ascending.
        width, depth: Factors on x and y at each knot.
        shift_x, shift_y: Sideways and forward shift at each knot [mm]; scoliosis, posture.
        turn: Axial rotation at each knot [radians], about the spine.
        pivot_y: Anterior position of the axis of that rotation and of `depth` [mm].
    """

    heights: NDArray[np.float64]
    world_heights: NDArray[np.float64]
    width: NDArray[np.float64]
    depth: NDArray[np.float64]
    shift_x: NDArray[np.float64]
    shift_y: NDArray[np.float64]
    turn: NDArray[np.float64]
    pivot_y: float = -20.0
    scale: float = field(init=False)

    def __post_init__(self) -> None:
        stretch = np.diff(self.world_heights) / np.diff(self.heights)
        product = float(np.mean(self.width) * np.mean(self.depth) * np.mean(stretch))
        object.__setattr__(self, "scale", float(np.cbrt(product)))

    def to_world(self, points: ArrayLike) -> NDArray[np.float64]:
        """World positions of atlas points (..., 3)."""
        p = np.asarray(points, dtype=np.float64)
        z = p[..., 2]
        width, depth, shift_x, shift_y, turn = self._at(z)
        x, y = width * p[..., 0], depth * (p[..., 1] - self.pivot_y)
        cos, sin = np.cos(turn), np.sin(turn)
        u, v = cos * x - sin * y + shift_x, sin * x + cos * y + shift_y + self.pivot_y
        return np.stack([u, v, extrapolate(z, self.heights, self.world_heights)], axis=-1)

    def to_local(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """Atlas coordinates of world positions; the height stays (d, 1, 1)."""
        height = extrapolate(z.astype(np.float64), self.world_heights, self.heights)
        width, depth, shift_x, shift_y, turn = (v.astype(np.float32) for v in self._at(height))
        u, v = x - shift_x, y - shift_y - np.float32(self.pivot_y)
        cos, sin = np.cos(turn), np.sin(turn)
        if np.any(turn):
            return (
                ((cos * u + sin * v) / width).astype(np.float32),
                ((cos * v - sin * u) / depth + np.float32(self.pivot_y)).astype(np.float32),
                height.astype(np.float32),
            )
        return (
            (u / width).astype(np.float32),
            (v / depth + np.float32(self.pivot_y)).astype(np.float32),
            height.astype(np.float32),
        )

    def rigid_at(self, point: ArrayLike) -> AffineFrame:
        """The frame that a rigid, uniformly scaled body takes at an atlas point: it turns with the trunk there.

        Its local coordinates are the atlas's own, so a vertebra described at its place in the atlas is tilted with the
        curve of the spine instead of sheared, and fills its share of the spine's length; girth does not make it larger.
        """
        p = np.asarray(point, dtype=np.float64)
        step = 8.0
        columns = [(self.to_world(p + step * e) - self.to_world(p - step * e)) / (2 * step) for e in np.eye(3)]
        up = columns[2] / np.linalg.norm(columns[2])
        right = columns[0] - (columns[0] @ up) * up
        right /= np.linalg.norm(right)
        turned = np.stack([right, np.cross(up, right), up], axis=1)
        size = float(np.linalg.norm(columns[2]))
        matrix = np.eye(4)
        matrix[:3, :3] = size * turned
        matrix[:3, 3] = self.to_world(p) - size * turned @ p
        return AffineFrame(matrix)

    def _at(self, height: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        values = (self.width, self.depth, self.shift_x, self.shift_y, self.turn)
        return tuple(np.interp(height, self.heights, v) for v in values)


def extrapolate(at: ArrayLike, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear interpolation that goes on with the outermost slopes."""
    at = np.asarray(at, dtype=np.float64)
    inside = np.interp(at, x, y)
    below = np.minimum(at - x[0], 0) * (y[1] - y[0]) / (x[1] - x[0])
    above = np.maximum(at - x[-1], 0) * (y[-1] - y[-2]) / (x[-1] - x[-2])
    return inside + below + above


def turn_about(axis: str, degrees: float) -> Matrix:
    """Right-handed rotation about "x", "y" or "z", 4x4."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(4)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return matrix


def move_by(*offset: float) -> Matrix:
    """Translation [mm], 4x4."""
    matrix = np.eye(4)
    matrix[:3, 3] = offset
    return matrix


def stretch(*factors: float) -> Matrix:
    """Scaling along x, y, z (one factor for all three), 4x4; (-1, 1, 1) mirrors left and right."""
    matrix = np.eye(4)
    matrix[0, 0], matrix[1, 1], matrix[2, 2] = factors * 3 if len(factors) == 1 else factors
    return matrix
