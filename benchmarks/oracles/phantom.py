"""The phantom that an independent simulator judges us by, and our own images of it.

A water box with inserts that differ in shape and in how they attenuate: lung, fat, bone, iodine (K edge inside the
spectrum), aluminium, and a threaded screw of titanium alloy. Nothing in it is symmetric, so that no flip goes unseen.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
import trimesh
from torch import Tensor
from torch.nn.functional import max_pool2d, pad
from xraykit.render import (
    Camera,
    Mesh,
    PlacedTool,
    Scene,
    SimulationSettings,
    Spectrum,
    Volume,
    carm_pose,
    instrument,
    simulate,
)
from xraykit.render.meshes import thickness, tube_mesh, turned
from xraykit.render.physics import Detector
from xraykit.render.simulation import BeamSettings, Body, MarchSettings, tool_pose

Placed = dict[str, Mesh]  # vertices in world RAS [mm]
Point = tuple[float, float, float]

SPECTRUM = Spectrum(100.0, (("aluminium", 2.5), ("copper", 0.1)))
BOX = (160.0, 120.0, 200.0)  # edges along x, y, z [mm], about the origin
_VOXEL = 4.0
_AROUND = 48


def camera_and_pose(size: int = 256) -> tuple[Camera, Tensor]:
    """An oblique cone beam, turned about all three axes, on size x size pixels."""
    camera = Camera(sdd=1020.0, height=size, width=size, pixel_spacing=384.0 / size)
    turn = torch.tensor(25.0, dtype=torch.float64)
    return camera, carm_pose(lao_rao=turn, cra_cau=-12.0, roll=7.0, sod=720.0, offset=(4.0, 3.0, -6.0))


def inserts() -> Placed:
    """What replaces water, by name; disjoint closed meshes well inside the box."""
    return {
        "lung": _ball("lung", 34.0, (-38.0, 5.0, 48.0)),
        "fat": _ball("adipose", 22.0, (40.0, -20.0, 62.0)),
        "bone": _bar("cortical_bone", 11.0, 90.0, (48.0, 10.0, -44.0), (0.3, 0.2, 1.0)),
        "iodine": _bar("iodine_contrast", 2.0, 70.0, (-60.0, -30.0, -50.0), (0.5, 0.3, 1.0)),
        "aluminium": _bar("aluminium", 7.0, 60.0, (-14.0, 20.0, -60.0), (0.2, -0.3, 1.0)),
        "screw": _set(instrument("pedicle_screw", seed=3), (0.0, -25.0, -10.0), (1.0, 0.5, 0.6)),
    }


def box(longest_edge: float = math.inf) -> Mesh:
    """The water box, inserts not cut out, its triangles' edges no longer than this [mm]."""
    solid = trimesh.creation.box(extents=BOX)
    while solid.edges_unique_length.max() > longest_edge:
        solid = solid.subdivide()
    return Mesh(torch.tensor(np.array(solid.vertices)), torch.tensor(np.array(solid.faces)), material="water")


def water_with_cavities(cavities: Placed) -> Mesh:
    """The box with the surface of every insert as an inner shell."""
    parts = [box(), *(Mesh(m.vertices, m.faces, material="water") for m in cavities.values())]
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)]).tolist()
    faces = [part.faces + start for part, start in zip(parts, starts, strict=False)]
    faces = [faces[0], *(inner.flip(1) for inner in faces[1:])]
    return Mesh(torch.cat([part.vertices for part in parts]), torch.cat(faces), name="water", material="water")


def all_meshes() -> Scene:
    """The phantom from triangles alone."""
    found = inserts()
    solids = [water_with_cavities(found), *found.values()]
    names = ["water", *found]
    return Scene(tools=tuple(PlacedTool(mesh, name=name) for name, mesh in zip(names, solids, strict=True)))


def voxels_and_tools() -> Scene:
    """The phantom as a patient would be: water in voxels, and inserts that displace it."""
    shape = tuple(round(edge / _VOXEL) for edge in reversed(BOX))
    affine = torch.diag(torch.tensor([_VOXEL, _VOXEL, _VOXEL, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([(_VOXEL - edge) / 2 for edge in BOX], dtype=torch.float64)
    labels = torch.ones(shape, dtype=torch.uint8)
    volume = Volume.from_hu(torch.zeros(shape), affine, labels=labels, label_names={1: "water"})
    body = Body.from_volume(volume, label_materials={"water": "water"}, storage=torch.float32)
    return Scene(bodies=(body,), tools=tuple(PlacedTool(mesh, name=name) for name, mesh in inserts().items()))


FORMS: dict[str, Callable[[], Scene]] = {"meshes": all_meshes, "voxels and tools": voxels_and_tools}


def detector(name: str) -> Detector:
    """The detectors: "ideal" stops every photon and adds up their energies; "caesium_iodide" is a flat panel."""
    return Detector(scintillator=None if name == "ideal" else name, blur=None)


def our_image(scene: Scene, size: int = 256, *, of: str = "ideal") -> Tensor:
    """Primary radiation relative to air behind the phantom, (size, size) float64, on a detector of this name."""
    settings = SimulationSettings(
        beam=BeamSettings(spectrum=SPECTRUM),
        detector=detector(of),
        march=MarchSettings(method="siddon", tool_rays=1),
        masks=False,
    )
    camera, pose = camera_and_pose(size)
    return simulate(scene, camera, pose, settings).intensity[0, 0].to(torch.float64)


def regions(size: int = 256) -> dict[str, Tensor]:
    """Where what is seen, (size, size) bool by name: "air", "water" alone, behind each insert, and "outlines".

    Outlines are the pixels with a neighbour that sees other solids; the other regions are without them.
    """
    camera, pose = camera_and_pose(size)
    solids = inserts()
    lengths = thickness([box(), *solids.values()], camera, pose)[0]
    seen = (lengths > 0).to(torch.float32)[None]
    wide = pad(seen, (1, 1, 1, 1), mode="replicate")
    outlines = (max_pool2d(wide, 3, 1) != -max_pool2d(-wide, 3, 1)).any(dim=1)[0]
    inside = {"air": seen[0].sum(dim=0) == 0, "water": (seen[0, 0] > 0) & (seen[0, 1:].sum(dim=0) == 0)}
    inside |= {name: row > 0 for name, row in zip(solids, seen[0, 1:], strict=True)}
    return {name: here & ~outlines for name, here in inside.items()} | {"outlines": outlines}


def _ball(material: str, radius: float, centre: Point) -> Mesh:
    polar = np.linspace(0.0, np.pi, _AROUND // 2 + 1)[1:-1]
    profile = [(-radius * np.cos(angle), radius * np.sin(angle)) for angle in polar]
    return _turned(material, profile, centre, (0.0, 0.0, 1.0))


def _bar(material: str, radius: float, length: float, centre: Point, direction: Point) -> Mesh:
    side = [(z, radius) for z in np.linspace(-length / 2, length / 2, 2 + round(length / 6))]
    profile = [(-length / 2, radius / 2), *side, (length / 2, radius / 2)]
    return _turned(material, profile, centre, direction)


def _turned(material: str, profile: list[tuple[float, float]], centre: Point, direction: Point) -> Mesh:
    vertices, faces = tube_mesh(turned(profile, _AROUND))
    solid = Mesh(torch.from_numpy(vertices), torch.from_numpy(faces), name=material, material=material)
    return _set(solid, centre, direction)


def _set(mesh: Mesh, position: Point, direction: Point) -> Mesh:
    """The mesh with its vertices moved into the world, float64."""
    pose = tool_pose(position, direction=direction)
    return mesh.with_vertices(mesh.vertices.to(torch.float64) @ pose[:3, :3].mT + pose[:3, 3])
