"""Total knee replacement: components that fit the person, the bone cut for them, and both in place."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch

from ..meshes.instruments import instrument
from ..meshes.knee_components import component_size, femoral_cuts
from ..meshes.mesh import Mesh
from ..simulation.scene import PlacedTool
from .body.figure import Figure, Fracture
from .body.physique import Physique
from .body.skeleton import THIGH, Side
from .canvas import Array, Coordinates, Region

# In the frames of the bones, right side, reference adult's mm.
_DISTAL = -THIGH - 22.3  # height of the lowest point of the condyles
_FRONT = 30.5  # of the femur's shaft above the knee: the anterior cut ends flush with it
_PLATEAU_CUT = -36.3  # height of the tibial cut at the middle of the tray: 10 mm of the plateau go
_TRAY_MIDDLE = 3.5
_SLOPE = np.radians(4.0)  # of the tibial cut, down to the back
_WIDTHS = {"femoral_component": 69.5, "tibial_component": 74.0}  # that fit the reference man
_TRIED = 12


class KneeComponents(NamedTuple):
    """Seeds of the two instruments of a knee replacement."""

    femoral: int
    tibial: int


def fit_components(rng: np.random.Generator, physique: Physique) -> KneeComponents:
    """Of some random components those whose breadths come closest to what the person needs."""
    woman = 0.98 if physique.sex == "female" else 1.0
    found = []
    for kind, segment in (("femoral_component", "thigh"), ("tibial_component", "shank")):
        wanted = _WIDTHS[kind] * physique.length(segment) * woman
        seeds = [int(seed) for seed in rng.integers(1 << 16, size=_TRIED)]
        found.append(min(seeds, key=lambda seed: abs(component_size(kind, seed)[0] - wanted)))
    return KneeComponents(*found)


def cut_bones(components: KneeComponents, physique: Physique) -> Mapping[str, Fracture]:
    """Femur and tibia without what is cut off for the components, {bone without side: Fracture}."""
    scale = physique.length("thigh")
    corners = _femoral_cuts(components) / scale + _femoral_origin(components, scale)[1:]

    def femur(region: Region) -> Array:
        return _outside_of_cuts(region, corners)

    def tibia(region: Region) -> Array:
        rise, run = np.float32(np.cos(_SLOPE)), np.float32(np.sin(_SLOPE))
        return rise * (region.z - np.float32(_PLATEAU_CUT)) - run * (region.y - np.float32(_TRAY_MIDDLE))

    return {"femur": Fracture(femur, None), "tibia": Fracture(tibia, None)}


def place_components(figure: Figure, components: KneeComponents, side: Side) -> list[PlacedTool]:
    """The shell on the distal femur and the tray on the tibia, the keel in its canal."""
    femoral = instrument("femoral_component", seed=components.femoral)
    tibial = instrument("tibial_component", seed=components.tibial)
    origin = _femoral_origin(components, figure.physique.length("thigh"))
    tilt = np.eye(3)
    tilt[1:, 1:] = [[np.cos(_SLOPE), -np.sin(_SLOPE)], [np.sin(_SLOPE), np.cos(_SLOPE)]]
    top = _underside(tibial)
    below = np.array([0.0, _TRAY_MIDDLE, _PLATEAU_CUT]) - tilt @ [0.0, 0.0, top] / figure.physique.length("shank")
    return [
        _placed(figure, femoral, f"femur_{side}", origin, np.eye(3), f"femoral component {side}"),
        _placed(figure, tibial, f"tibia_{side}", below, tilt, f"tibial component {side}"),
    ]


def _femoral_cuts(components: KneeComponents) -> Coordinates:
    return femoral_cuts(*component_size("femoral_component", components.femoral))


def _femoral_origin(components: KneeComponents, scale: float) -> Coordinates:
    """Where the femoral component's origin lies in the frame of the femur, one unit of which is scale mm."""
    return np.array([0.0, _FRONT - _femoral_cuts(components)[-1, 0] / scale, _DISTAL])


def _outside_of_cuts(region: Region, corners: Coordinates) -> Array:
    """Distance to the bone that the five cuts leave; the anterior cut ends at the tip of the flange."""
    y, z = region.y, region.z
    sides = []
    for (y0, z0), (y1, z1) in pairwise(corners):
        length = np.hypot(y1 - y0, z1 - z0)
        out_y, out_z = np.float32((z1 - z0) / length), np.float32((y0 - y1) / length)
        sides.append(out_y * (y - np.float32(y0)) + out_z * (z - np.float32(z0)))
    sides[-1] = np.minimum(sides[-1], np.float32(corners[-1, 1]) - z)
    field = sides[0]
    for other in sides[1:]:
        field = np.maximum(field, other)
    return field


def _underside(mesh: Mesh) -> float:
    """Height of the tray's underside over the tip of the keel [mm]: that of the lowest points of its outline."""
    x = mesh.vertices[:, 0]
    return float(mesh.vertices[x > 0.98 * x.max(), 2].min())


def _placed(figure: Figure, mesh: Mesh, frame: str, origin: Coordinates, turn: Coordinates, name: str) -> PlacedTool:
    """A right knee's component in the frame of a bone; on the left both the frame and the component are mirrored."""
    ends = figure.frame(frame).to_world(np.concatenate([origin[None], origin + np.eye(3)]))
    axes = (ends[1:] - ends[0]).T
    axes = axes / np.linalg.norm(axes, axis=0)
    if np.linalg.det(axes) < 0:
        across = torch.tensor([-1.0, 1.0, 1.0])
        mesh = Mesh(mesh.vertices * across, mesh.faces.flip(1), mesh.name, mesh.material, mesh.description)
        mirror = np.diag([-1.0, 1.0, 1.0])
        axes, turn = axes @ mirror, mirror @ turn @ mirror
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = axes @ turn, ends[0]
    return PlacedTool(mesh, torch.from_numpy(pose), name=name)
