"""Planes of features: principal components as scikit-learn has them, UMAP with its options."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from xraykit.dax.pictures import plane_of, principal_axes
from xraykit.render import InputError
from xraykit.render.errors import BackendUnavailableError

EXTRA = "needs the extra: pip install 'xraykit-dax[umap]'"


def cloud(n=40, d=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


@pytest.mark.parametrize("shape", [(40, 6), (5, 9)])
def test_axes_are_those_of_scikit_learn(shape):
    decomposition = pytest.importorskip("sklearn.decomposition", reason=EXTRA)
    values = cloud(*shape)
    axes = principal_axes(values, 3)
    other = decomposition.PCA(3, svd_solver="full").fit(values)
    np.testing.assert_allclose(axes.variances, other.explained_variance_, rtol=1e-9)
    np.testing.assert_allclose(axes.axes, other.components_, atol=1e-9)
    np.testing.assert_allclose(axes.project(values), other.transform(values), atol=1e-9)


def test_points_on_a_line_have_that_line_as_first_axis():
    values = np.outer(np.array([-3.0, 1.0, 2.0]), np.array([-3.0, 4.0]) / 5)
    axes = principal_axes(values, 2)
    np.testing.assert_allclose(axes.axes[0], [-0.6, 0.8], atol=1e-12)
    np.testing.assert_allclose(axes.variances, [7.0, 0.0], atol=1e-12)  # (9 + 1 + 4) / 2, mean 0


def test_the_sign_does_not_depend_on_the_order_of_rows_nor_on_a_mirror():
    values = cloud()
    axes = principal_axes(values, 4)
    np.testing.assert_allclose(principal_axes(values[::-1], 4).axes, axes.axes, atol=1e-9)
    np.testing.assert_allclose(principal_axes(-values, 4).axes, axes.axes, atol=1e-9)
    assert (np.take_along_axis(axes.axes, np.abs(axes.axes).argmax(1)[:, None], 1) > 0).all()


def test_axes_are_orthonormal_and_keep_all_variance_of_few_rows():
    values = cloud(4, 10)
    axes = principal_axes(values, 3)
    np.testing.assert_allclose(axes.axes @ axes.axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(axes.variances.sum(), values.var(0, ddof=1).sum(), rtol=1e-12)


def test_a_plane_has_two_coordinates_even_of_two_rows_or_one_feature():
    assert plane_of(cloud(2, 5)).shape == (2, 2)
    plane = plane_of(np.array([[1.0], [3.0]]))
    np.testing.assert_allclose(np.abs(plane), [[1, 0], [1, 0]], atol=1e-12)


@pytest.mark.parametrize(
    ("values", "components", "message"),
    [
        (np.ones((1, 3)), 1, r"finite values \(N, D\) with N >= 2"),
        (np.full((3, 3), np.nan), 1, "finite values"),
        (np.ones(3), 1, r"got shape \(3,\)"),
        (np.ones((3, 5)), 4, "components must be 1 to 3"),
        (np.ones((3, 5)), 0, "components must be 1 to 3"),
    ],
)
def test_values_without_such_axes_are_refused(values, components, message):
    with pytest.raises(InputError, match=message):
        principal_axes(values, components)


def test_umap_is_asked_for_cosine_neighbours_and_the_seed(monkeypatch):
    asked = {}

    class Mapper:
        def __init__(self, **options):
            asked.update(options)

        def fit_transform(self, rows):
            return rows[:, :2]

    monkeypatch.setitem(sys.modules, "umap", type(sys)("umap"))
    monkeypatch.setattr(sys.modules["umap"], "UMAP", Mapper, raising=False)
    values = cloud(10)
    np.testing.assert_array_equal(plane_of(values, "umap", seed=7), values[:, :2].astype(np.float32))
    assert asked == {"n_neighbors": 9, "metric": "cosine", "random_state": 7, "n_jobs": 1, "init": "random"}


def test_umap_of_too_few_rows_is_refused():
    with pytest.raises(InputError, match=r"N >= 4.*take the method pca"):
        plane_of(cloud(3), "umap")


def test_umap_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(BackendUnavailableError, match=r"UMAP needs umap.*xraykit-dax\[umap\]"):
        plane_of(cloud(), "umap")


@pytest.mark.slow
def test_umap_keeps_two_far_groups_apart_and_its_seed():
    if find_spec("umap") is None:
        pytest.skip(EXTRA)
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(size=(40, 8)) * 0.1 + np.eye(8)[side] * 4 for side in (0, 1)])
    plane = plane_of(values, "umap", seed=1)
    one, other = plane[:40], plane[40:]
    spread = max(part.std(0).max() for part in (one, other))
    assert np.linalg.norm(one.mean(0) - other.mean(0)) > 2 * spread
    np.testing.assert_allclose(plane_of(values, "umap", seed=1), plane, atol=1e-5)
