"""The drawn C-arm stands where the camera and pose put it, and its solids are closed and face outward."""

import numpy as np
import pytest
import torch
import trimesh
from xraykit.render import Camera, carm_pose
from xraykit.render.geometry import project
from xraykit.render.viewer.carm_model import (
    Triangles,
    arc,
    beam_edges,
    detector_corners,
    node_pose,
    patient_letters,
    swept_tube,
)
from xraykit.render.viewer.state import ViewerState
from xraykit.render.volumes.volume import Volume

CAMERA = Camera(sdd=1000.0, height=100, width=200, pixel_spacing=(3.0, 2.0), principal_point=(90.0, 50.0))


def as_mesh(solid: Triangles) -> trimesh.Trimesh:
    return trimesh.Trimesh(solid.vertices, solid.faces, process=False)


def rotated(wxyz: np.ndarray, point: np.ndarray) -> np.ndarray:
    """q p q* for a unit quaternion."""
    w, v = wxyz[0], wxyz[1:]
    return point + 2 * np.cross(v, np.cross(v, point) + w * point)


def test_detector_corners_are_those_of_the_pixels():
    wanted = [[-180, -150, 1000], [220, -150, 1000], [220, 150, 1000], [-180, 150, 1000]]
    assert np.allclose(detector_corners(CAMERA), wanted)


def test_placement_is_the_pose():
    pose = carm_pose(lao_rao=37.0, cra_cau=-21.0, roll=14.0, sod=700.0, isocenter=(5.0, 6.0, 7.0)).double()
    place = node_pose(pose)
    assert np.allclose(place.position, pose[0, :3, 3].numpy())
    for axis in range(3):
        assert np.allclose(rotated(place.wxyz, np.eye(3)[axis]), pose[0, :3, axis].numpy(), atol=1e-6)


def test_placed_detector_corner_projects_to_the_corner_of_the_image():
    camera = ViewerState(field=300.0, size=50).camera
    pose = ViewerState(lao_rao=-40.0, cra_cau=25.0).pose(torch.zeros(3, dtype=torch.float64))
    place = node_pose(pose)
    world = np.stack([rotated(place.wxyz, corner) + place.position for corner in detector_corners(camera)])
    uv = project(torch.from_numpy(world), camera, pose).uv[0]
    assert np.allclose(uv, [[0, 0], [50, 0], [50, 50], [0, 50]], atol=1e-6)


def test_beam_runs_from_the_source_to_the_corners_and_around():
    edges = beam_edges(CAMERA)
    corners = detector_corners(CAMERA)
    assert edges.shape == (9, 2, 3)
    assert np.all(edges[:4, 0] == 0) and np.allclose(edges[:4, 1], corners)
    assert np.allclose(edges[4:8, 0], corners) and np.allclose(edges[4:8, 1], np.roll(corners, -1, axis=0))
    assert np.allclose(edges[8], [[0, 0, 0], [0, 0, 1000.0]])


def test_arc_is_closed_faces_outward_and_clears_source_and_detector():
    mesh = as_mesh(arc(1000.0))
    assert mesh.is_watertight
    assert mesh.volume > 0
    assert mesh.bounds[0, 2] < -40 and mesh.bounds[1, 2] > 1040
    assert mesh.bounds[0, 0] < -500  # round the patient's left, where the unturned camera's x does not point


def test_tube_along_a_line_is_a_cylinder():
    mesh = as_mesh(swept_tube(np.array([[0.0, 0, 0], [50, 0, 0], [100, 0, 0]]), 10.0, sides=64))
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(np.pi * 100 * 100, rel=0.01)


def test_letters_lie_outside_the_patient_in_their_directions():
    affine = torch.diag(torch.tensor([-2.0, 2.0, 3.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([100.0, -50.0, 20.0])
    volume = Volume(torch.rand(20, 40, 60), affine)
    places = patient_letters(volume)
    center, half = volume.center.numpy(), np.array([60.0, 40.0, 30.0])
    signs = {"right": (0, 1), "left": (0, -1), "front": (1, 1), "back": (1, -1), "head": (2, 1), "feet": (2, -1)}
    assert set(places) == set(signs)
    for word, (axis, sign) in signs.items():
        offset = places[word] - center
        assert sign * offset[axis] > half[axis]
        assert np.allclose(np.delete(offset, axis), 0)
