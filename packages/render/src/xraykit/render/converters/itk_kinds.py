"""ITK's linear 3D transforms: the matrix that each makes of its parameters and its centre."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]
_Maker = Callable[[_Array, _Array], tuple[_Array, _Array]]
"""Parameters and fixed parameters to the 3x3 matrix and the translation."""


class LinearKind(NamedTuple):
    """How many parameters a transform has, how many fixed ones it may have, and its matrix."""

    parameters: int
    fixed: tuple[int, ...]
    make: _Maker


def linear_map(kind: LinearKind, parameters: Sequence[float], fixed: Sequence[float]) -> _Array:
    """x -> A (x - c) + c + t as a 4x4 matrix in LPS mm, with the centre c first among the fixed parameters.

    Raises:
        ValueError: A versor longer than 1, which is no rotation.
    """
    values, kept = np.array(parameters, dtype=np.float64), np.array(fixed, dtype=np.float64)
    A, t = kind.make(values, kept)
    c = kept[:3] if len(kept) >= 3 else np.zeros(3)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = A, t + c - A @ c
    return matrix


def _turn(axis: int, angle: float) -> _Array:
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[a, a] = matrix[b, b] = math.cos(angle)
    matrix[b, a] = math.sin(angle)
    matrix[a, b] = -math.sin(angle)
    return matrix


def _euler(p: _Array, fixed: _Array) -> tuple[_Array, _Array]:
    """Rz Rx Ry, or Rz Ry Rx where the fourth fixed parameter says so."""
    x, y, z = (_turn(axis, p[axis]) for axis in range(3))
    return (z @ y @ x if len(fixed) > 3 and fixed[3] else z @ x @ y), p[3:6]


def _quaternion(x: float, y: float, z: float, w: float) -> _Array:
    v, K = np.array([x, y, z]), np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return (w * w - v @ v) * np.eye(3) + 2 * np.outer(v, v) + 2 * w * K


def _versor(v: _Array) -> _Array:
    rest = 1 - float(v @ v)
    if rest < -1e-9:
        raise ValueError(f"a versor of length {math.sqrt(1 - rest):.4g}")
    return _quaternion(v[0], v[1], v[2], math.sqrt(max(rest, 0.0)))


def _unit_quaternion(q: _Array) -> _Array:
    length = float(np.linalg.norm(q))
    if abs(length - 1) > 1e-3:
        raise ValueError(f"a quaternion of length {length:.4g}")
    x, y, z, w = q / length
    return _quaternion(x, y, z, w)


def _skewed(p: _Array) -> _Array:
    """The versor's matrix, scales added on the diagonal and skews beside it, as ITK does."""
    K = np.zeros((3, 3))
    K[[0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1]] = p[9:15]
    return _versor(p[:3]) + np.diag(p[6:9] - 1) + K


def _composed(p: _Array) -> _Array:
    K = np.eye(3)
    K[[0, 0, 1], [1, 2, 2]] = p[9:12]
    return _versor(p[:3]) @ np.diag(p[6:9]) @ K


_NOWHERE = np.zeros(3)
_AFFINE = LinearKind(12, (3,), lambda p, _: (p[:9].reshape(3, 3), p[9:]))
KINDS = {
    "IdentityTransform": LinearKind(0, (0,), lambda p, _: (np.eye(3), _NOWHERE)),
    "TranslationTransform": LinearKind(3, (0,), lambda p, _: (np.eye(3), p)),
    "AffineTransform": _AFFINE,
    "MatrixOffsetTransformBase": _AFFINE,
    "Rigid3DTransform": _AFFINE,
    "Euler3DTransform": LinearKind(6, (3, 4), _euler),
    "VersorTransform": LinearKind(3, (3,), lambda p, _: (_versor(p), _NOWHERE)),
    "VersorRigid3DTransform": LinearKind(6, (3,), lambda p, _: (_versor(p[:3]), p[3:])),
    "QuaternionRigidTransform": LinearKind(7, (3,), lambda p, _: (_unit_quaternion(p[:4]), p[4:])),
    "Similarity3DTransform": LinearKind(7, (3,), lambda p, _: (p[6] * _versor(p[:3]), p[3:6])),
    "ScaleTransform": LinearKind(3, (3,), lambda p, _: (np.diag(p), _NOWHERE)),
    "ScaleVersor3DTransform": LinearKind(9, (3,), lambda p, _: (_versor(p[:3]) + np.diag(p[6:] - 1), p[3:6])),
    "ScaleSkewVersor3DTransform": LinearKind(15, (3,), lambda p, _: (_skewed(p), p[3:6])),
    "ComposeScaleSkewVersor3DTransform": LinearKind(12, (3,), lambda p, _: (_composed(p), p[3:6])),
}
"""By the name in the file; one entry for each kind of transform that is read."""
