"""Meshes of less detail are closed two-manifolds, however thin their walls are beside the cells of the grid."""

import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from xraykit.render import Mesh, instrument
from xraykit.render.geometry import rotation_from
from xraykit.xvr import Implant
from xraykit.xvr.implants import two_manifold as two_manifold_module
from xraykit.xvr.implants.two_manifold import two_manifold

SOLIDS = {
    "shell": lambda: _shell(20.0, 18.5),
    "ring": lambda: trimesh.creation.torus(20.0, 3.0),
    "plate": lambda: trimesh.creation.box((40.0, 30.0, 1.5)).subdivide_to_size(3.0),
    "femoral_component": lambda: instrument("femoral_component", seed=0),
    "tibial_component": lambda: instrument("tibial_component", seed=0),
}


def _shell(outer: float, inner: float) -> trimesh.Trimesh:
    hollow = trimesh.creation.icosphere(3, inner)
    hollow.invert()
    return trimesh.util.concatenate([trimesh.creation.icosphere(3, outer), hollow])


def implant(name: str) -> Implant:
    solid = SOLIDS[name]()
    if isinstance(solid, trimesh.Trimesh):
        faces = torch.from_numpy(np.array(solid.faces, dtype=np.int64))
        solid = Mesh(torch.from_numpy(np.array(solid.vertices)), faces, name=name, material="titanium")
    return Implant(solid, "cobalt_chrome")


def passes(faces: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """How often each edge is passed in one direction and in the other."""
    start, end = faces.reshape(-1).numpy(), faces.roll(-1, 1).reshape(-1).numpy()
    edges = np.unique(np.sort(np.stack([start, end], 1), axis=1), axis=0, return_inverse=True)[1].reshape(-1)
    return np.bincount(edges, weights=start < end), np.bincount(edges, weights=start > end)


def area(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices.double()[mesh.faces[:, n]] for n in range(3))
    return float(torch.linalg.cross(b - a, c - a).norm(dim=1).sum()) / 2


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(list(SOLIDS)), st.floats(0.8, 8.0), st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3))
def test_every_edge_belongs_to_two_triangles_and_the_volume_is_that_of_the_moved_surface(name, cell, turn):
    whole = implant(name)
    rotation = rotation_from(torch.tensor(turn, dtype=torch.float64), parameterization="axis_angle")
    mesh = Mesh(whole.mesh.vertices.double() @ rotation.mT, whole.mesh.faces, name=name, material="titanium")
    coarse = Implant(mesh, "cobalt_chrome").with_detail(cell).mesh
    there, back = passes(coarse.faces)
    assert (there == 1).all() and (back == 1).all()
    assert abs(float(coarse.volume - mesh.volume)) < np.sqrt(3) * cell * area(mesh)


@pytest.mark.parametrize("name", ["femoral_component", "tibial_component"])
@pytest.mark.parametrize("cell", [1.0, 2.5])
def test_cells_of_the_size_that_registration_asks_for_keep_the_volume(name, cell):
    whole = implant(name)
    coarse = whole.with_detail(cell)
    assert len(coarse.mesh.faces) < len(whole.mesh.faces) or cell == 1.0
    assert float(coarse.mesh.volume) == pytest.approx(float(whole.mesh.volume), rel=0.06)


def touching(*, shared: int) -> tuple[np.ndarray, np.ndarray]:
    """Two tetrahedra that share a vertex, an edge, or all of a face, back to back."""
    below = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, -1]])
    faces = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]])  # outwards
    above = [0, 1, 2][:shared] + list(range(4, 8 - shared))
    new = np.array([[0.0, 0, 1], [0.3, 0.3, 2], [0.5, 0.1, 3]])
    if shared == 3:
        return np.concatenate([below, new[:1]]), np.concatenate([faces, [[0, 2, 1], [0, 1, 4], [1, 2, 4], [2, 0, 4]]])
    a, b, c, d = above
    other = np.array([[a, b, c], [a, d, b], [b, d, c], [c, d, a]])
    points = np.concatenate([below, new[: 4 - shared]])
    volume = np.linalg.det(points[[b, c, d]] - points[a])
    return points, np.concatenate([faces, other if volume < 0 else other[:, ::-1]])


def enclosed(points: np.ndarray, faces: np.ndarray) -> float:
    return float(np.linalg.det(points[faces]).sum() / 6)


@pytest.mark.parametrize(("shared", "points", "faces"), [(1, 7, 8), (2, 8, 8), (3, 5, 6)])
def test_bodies_that_touch_are_taken_apart_and_enclose_what_they_did(shared, points, faces):
    before = touching(shared=shared)
    after = two_manifold(*before)
    there, back = passes(torch.from_numpy(after[1]))
    assert (there == 1).all() and (back == 1).all()
    assert enclosed(*after) == pytest.approx(enclosed(*before))
    assert (len(after[0]), len(after[1])) == (points, faces)


def test_two_fans_that_share_both_ends_of_an_edge_get_a_point_between(monkeypatch):
    calls, divided = [], two_manifold_module._divided
    monkeypatch.setattr(two_manifold_module, "_divided", lambda *given: calls.append(given) or divided(*given))
    coarse = implant("femoral_component").with_detail(5.0).mesh
    there, back = passes(coarse.faces)
    assert calls and (there == 1).all() and (back == 1).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.booleans(), min_size=27, max_size=27).filter(any))
def test_any_heap_of_blocks_becomes_a_two_manifold_of_its_volume(blocks):
    solid = np.array(blocks).reshape(3, 3, 3)
    found = two_manifold(*_voxels(solid))
    there, back = passes(torch.from_numpy(found[1]))
    assert (there == 1).all() and (back == 1).all()
    assert enclosed(*found) == pytest.approx(solid.sum())


def _voxels(solid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All sides of all blocks, two triangles each: sides between blocks lie back to back."""
    size = np.array(solid.shape) + 1
    box = trimesh.creation.box(extents=(1, 1, 1))
    faces = []
    for place in np.argwhere(solid):
        corners = np.round(box.vertices + 0.5).astype(int) + place
        faces.append(np.ravel_multi_index(tuple(corners.T), tuple(size))[box.faces])
    points = np.stack(np.unravel_index(np.arange(size.prod()), tuple(size)), 1).astype(float)
    return points, np.concatenate(faces).astype(np.int64)
