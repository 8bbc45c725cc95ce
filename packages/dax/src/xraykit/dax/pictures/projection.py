"""From many features to a plane: principal components, or UMAP."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from xraykit.render import InputError
from xraykit.render.extras import require

from .settings import PlaneMethod


@dataclass(frozen=True, eq=False)
class PrincipalAxes:
    """Directions of the largest variance.

    Args:
        mean: Of the values, (D,).
        axes: Orthonormal rows, largest variance first, (k, D).
        variances: Along each axis, with N - 1 below the sum, (k,).
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    variances: NDArray[np.float64]

    def project(self, values: NDArray[np.floating]) -> NDArray[np.float64]:
        """Coordinates along the axes, (..., D) -> (..., k)."""
        return (np.asarray(values, dtype=np.float64) - self.mean) @ self.axes.T


def principal_axes(values: NDArray[np.floating], components: int = 2) -> PrincipalAxes:
    r"""The principal components of rows of numbers.

    X - mean = U S V^T; the axes are the first rows of V^T and the variances S^2 / (N - 1). The sign, which the equation
    leaves open, is that for which the entry of largest size in an axis is positive, so that it does not change from
    one machine to the next.

    Args:
        values: (N, D), finite, N >= 2.
        components: How many axes, 1 to min(N, D).

    Raises:
        InputError: Values of another shape or not finite, or more axes than there are.
    """
    rows = np.asarray(values, dtype=np.float64)
    if rows.ndim != 2 or len(rows) < 2 or not np.isfinite(rows).all():
        raise InputError(f"principal components need finite values (N, D) with N >= 2, got shape {rows.shape}.")
    if not 1 <= components <= min(rows.shape):
        raise InputError(f"components must be 1 to {min(rows.shape)} for values {rows.shape}, got {components}.")
    mean = rows.mean(0)
    _, sizes, axes = np.linalg.svd(rows - mean, full_matrices=False)
    axes = axes[:components]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(1)[:, None], 1)
    return PrincipalAxes(mean, axes * np.where(largest < 0, -1.0, 1.0), sizes[:components] ** 2 / (len(rows) - 1))


def plane_of(
    values: NDArray[np.floating], method: PlaneMethod = "pca", *, seed: int = 0, neighbours: int = 15
) -> NDArray[np.float64]:
    """Every row of features as a point of a plane, (N, D) -> (N, 2).

    Distances of a PCA plane mean something, for it is linear; those of UMAP do not, only who lies beside whom.

    Args:
        values: Features, (N, D), finite, N >= 2.
        method: "pca", or "umap" with cosine distance (needs the extra `umap` and 4 rows or more).
        seed: UMAP begins with it; the same seed gives the same plane.
        neighbours: How many UMAP keeps together; at most N - 1 are.

    Raises:
        InputError: Too few rows, or values that are not finite.
        BackendUnavailableError: umap-learn is not installed.
    """
    if method == "pca":
        axes = principal_axes(values, min(2, *np.shape(values)))
        plane = np.zeros((len(values), 2))
        plane[:, : len(axes.axes)] = axes.project(values)
        return plane
    rows = np.asarray(values, dtype=np.float32)
    if rows.ndim != 2 or len(rows) < 4 or not np.isfinite(rows).all():
        raise InputError(f"UMAP needs finite features (N, D) with N >= 4, got shape {rows.shape}; take the method pca.")
    umap = require_umap()
    start = "spectral" if len(rows) > 16 else "random"  # eigenvectors of so small a graph do not exist
    mapper = umap.UMAP(
        n_neighbors=min(neighbours, len(rows) - 1), metric="cosine", random_state=seed, n_jobs=1, init=start
    )
    return np.asarray(mapper.fit_transform(rows), dtype=np.float64)


def require_umap() -> ModuleType:
    """umap-learn, which is imported when it is needed, since that takes seconds.

    Raises:
        BackendUnavailableError: It is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)  # it misses TensorFlow, which nobody asked for
        return require("umap", extra="umap", distribution="xraykit-dax", what="UMAP")
