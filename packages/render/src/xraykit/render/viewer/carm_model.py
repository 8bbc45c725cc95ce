"""The C-arm as solids and lines in the camera's own frame, so that one pose moves it all. Lengths in millimetres."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..geometry.camera import Camera
from ..geometry.frames import box_corners
from ..geometry.projection import back_project
from ..geometry.rotations import parameters_from
from ..volumes.volume import Volume

Points = NDArray[np.float64]
REACH = 90.0  # how far the arc passes behind source and detector
GAP = 0.06  # of the patient's largest extent, between the surface and its letters


class Triangles(NamedTuple):
    """A mesh: vertices (N, 3) [mm] and faces (M, 3), outward."""

    vertices: Points
    faces: NDArray[np.int64]


class NodePose(NamedTuple):
    """Where a frame stands in the world: position (3,) [mm] and unit quaternion (w, x, y, z)."""

    position: Points
    wxyz: Points


def node_pose(pose: Tensor) -> NodePose:
    """Position and orientation of a pose (1, 4, 4): where the camera's frame is in the world."""
    matrix = pose.detach().cpu().double().reshape(1, 4, 4)
    wxyz = parameters_from(matrix[:, :3, :3], parameterization="quaternion")
    return NodePose(matrix[0, :3, 3].numpy(), wxyz[0].numpy())


def detector_corners(camera: Camera) -> Points:
    """Corners of the image in the camera's frame, (4, 3): round the image from the first pixel along the first row."""
    width, height = float(camera.width), float(camera.height)
    uv = torch.tensor([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]], dtype=torch.float64)
    return back_project(uv, camera, torch.eye(4, dtype=torch.float64)[None])[0].detach().numpy()


def beam_edges(camera: Camera) -> Points:
    """The beam as line segments (9, 2, 3): source to corners, around the detector, and the central ray."""
    corners = detector_corners(camera)
    source, foot = np.zeros(3), np.array([0.0, 0.0, corners[0, 2]])
    edges = [(source, corner) for corner in corners]
    edges += [(corner, corners[(n + 1) % 4]) for n, corner in enumerate(corners)]
    return np.array([*edges, (source, foot)])


def arc(sdd: float, *, radius: float = 42.0, steps: int = 48) -> Triangles:
    """The C: half a circle from behind the source round the patient's left (unturned) to behind the detector."""
    angle = np.linspace(0, np.pi, steps)
    reach = sdd / 2 + REACH
    path = np.stack([-reach * np.sin(angle), 0 * angle, sdd / 2 - reach * np.cos(angle)], axis=1)
    return swept_tube(path, radius)


def swept_tube(path: Points, radius: float, *, sides: int = 16) -> Triangles:
    """A closed round tube along a path (N, 3) that lies in the plane y = 0."""
    along = np.gradient(path, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    up = np.array([0.0, 1.0, 0.0])
    across = np.cross(up, along)
    turn = 2 * np.pi * np.arange(sides) / sides
    ring = np.cos(turn)[None, :, None] * across[:, None] + np.sin(turn)[None, :, None] * up
    vertices = (path[:, None] + radius * ring).reshape(-1, 3)
    n, s = np.meshgrid(np.arange(len(path) - 1), np.arange(sides), indexing="ij")
    here, beside = (n * sides + s).ravel(), (n * sides + (s + 1) % sides).ravel()
    walls = [np.stack([here, beside, beside + sides], 1), np.stack([here, beside + sides, here + sides], 1)]
    fan = np.arange(1, sides - 1)
    start = np.stack([0 * fan, fan + 1, fan], 1)
    end = (len(path) - 1) * sides + np.stack([0 * fan, fan, fan + 1], 1)
    return Triangles(vertices, np.concatenate([*walls, start, end]))


def patient_letters(volume: Volume) -> dict[str, Points]:
    """Where to write what lies in each direction of the patient: just outside the faces of the volume's box [mm]."""
    corners = box_corners(volume.shape, volume.affine).numpy()
    low, high = corners.min(axis=0), corners.max(axis=0)
    gap = GAP * (high - low).max()
    words = (("right", "left"), ("front", "back"), ("head", "feet"))
    places = {}
    for axis, (plus, minus) in enumerate(words):
        for word, end, sign in ((plus, high, 1), (minus, low, -1)):
            place = (low + high) / 2
            place[axis] = end[axis] + sign * gap
            places[word] = place
    return places
