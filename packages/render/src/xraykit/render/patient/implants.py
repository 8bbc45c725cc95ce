"""Implants where a surgeon would put them: stems in femoral canals, screws through pedicles, plates on bones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from ..meshes.instruments import instrument
from ..meshes.mesh import Mesh
from ..simulation.scene import PlacedTool, tool_pose
from .body.figure import Figure
from .body.regions import BodyRegion
from .body.skeleton import Side
from .body.trunk_shape import levels
from .canvas import Coordinates
from .findings import Findings
from .knee_replacement import place_components

# In the frame of the bone, right side: where a plate lies along it, and from where the surface is sought.
_PLATES = {
    "knee": ("femur", "femur", (10.0, 15.0, -330.0), (1.0, 0.0, 0.0)),
    "ankle_foot": ("fibula", "tibia", (25.0, -9.0, -350.0), (1.0, 0.0, 0.0)),
    "shoulder": ("humerus", "humerus", (0.0, 0.0, -75.0), (0.95, 0.3, 0.0)),
    "wrist_hand": ("radius", "radius", (14.0, 0.0, -210.0), (0.0, 1.0, 0.0)),
}
# Ends of wires, tip first, in the frame of the bone.
_WIRES = {
    "ankle_foot": (
        "tibia",
        (((-2.0, -1.0, -352.0), (-26.0, -1.0, -412.0)), ((-6.0, 7.0, -350.0), (-24.0, 6.0, -413.0))),
    ),
    "elbow": ("humerus", (((8.0, -6.0, -235.0), (-34.0, -3.0, -304.0)), ((-6.0, -6.0, -235.0), (33.0, -2.0, -304.0)))),
    "wrist_hand": ("radius", (((8.0, 0.0, -205.0), (26.0, 2.0, -262.0)), ((24.0, 3.0, -205.0), (-1.0, -9.0, -258.0)))),
}
_NECK = ((-10.0, 2.1, 9.6), (55.0, -11.7, -52.7))  # along the femoral neck: below the head's surface, lateral cortex


def place_implants(
    figure: Figure, findings: Findings, region: BodyRegion, side: Side, rng: np.random.Generator
) -> tuple[PlacedTool, ...]:
    """The implants that the findings name, in the painted figure; none where they name none."""
    makers: dict[str, Callable[[], list[PlacedTool]]] = {
        "hip_stem": lambda: [_stem(figure, side, rng)],
        "pedicle_screws": lambda: _pedicle_screws(figure, region, rng),
        "cannulated_screws": lambda: _neck_screws(figure, side, rng),
        "plate": lambda: _plate(figure, region, side, rng),
        "k_wires": lambda: _wires(figure, region, side, rng),
        "knee_replacement": lambda: place_components(figure, findings.components, side) if findings.components else [],
    }
    return tuple(makers[findings.implant]()) if findings.implant else ()


def _stem(figure: Figure, side: Side, rng: np.random.Generator) -> PlacedTool:
    """A hip stem with its ball in the joint and its shaft down the canal."""
    mesh = instrument("hip_stem", seed=int(rng.integers(1000)))
    vertices = mesh.vertices.numpy().astype(np.float64)
    ball = sphere_center(vertices[-300:])
    up = _axis(figure, f"femur_{side}", (27.0, 12.0, -190.0), (38.0, -5.0, -60.0))
    medial = _axis(figure, f"femur_{side}", (41.0, -9.0, -38.0), (0.0, 0.0, -38.0))
    medial = _unit(medial - (medial @ up) * up)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([medial, np.cross(up, medial), up], axis=1)
    pose[:3, 3] = figure.landmark(f"femur_{side}", (0.0, 0.0, 0.0)) - pose[:3, :3] @ ball
    return PlacedTool(mesh, torch.from_numpy(pose), name=f"hip stem {side}")


def _pedicle_screws(figure: Figure, region: BodyRegion, rng: np.random.Generator) -> list[PlacedTool]:
    """Screws through both pedicles of two to four neighbouring vertebrae."""
    names = ["L5", "L4", "L3", "L2", "L1"] if region.name != "thoracic_spine" else ["T12", "T11", "T10", "T9", "T8"]
    count = int(rng.integers(2, 5))
    first = int(rng.integers(0, len(names) - count + 1))
    seed = int(rng.integers(1000))
    tools = []
    for name in names[first : first + count]:
        level, frame = levels()[name], f"vertebrae_{name}"
        width, depth, height = level.half
        for side, sign in (("right", 1.0), ("left", -1.0)):
            x, y, z = level.center
            wobble = rng.normal(0, 1.0, 3)
            tip = np.array([x + sign * 0.32 * width, y + 0.35 * depth, z + 0.2 * height]) + wobble
            root = np.array([x + sign * 0.66 * width, y - depth - 4, z + 0.32 * height])
            start, end = (figure.landmark(frame, (p[0], p[1], p[2])) for p in (tip, root))
            tools.append(_along("pedicle_screw", start, end, f"pedicle screw {name} {side}", seed=seed))
    return tools


def _neck_screws(figure: Figure, side: Side, rng: np.random.Generator) -> list[PlacedTool]:
    """Three parallel screws in the femoral neck, in a triangle."""
    tip, entry = (figure.landmark(f"femur_{side}", p) for p in _NECK)
    axis = _unit(entry - tip)
    across = np.linalg.svd(axis[None])[2][1:]
    turn, seed = rng.uniform(0, 2 * np.pi), _longest("cannulated_screw", float(np.linalg.norm(entry - tip)), rng)
    tools = []
    for number in range(3):
        angle = turn + number * 2 * np.pi / 3
        offset = 6.5 * (np.cos(angle) * across[0] + np.sin(angle) * across[1])
        name = f"cannulated screw {number + 1} {side}"
        tools.append(_along("cannulated_screw", tip + offset, entry + offset, name, seed=seed))
    return tools


def _plate(figure: Figure, region: BodyRegion, side: Side, rng: np.random.Generator) -> list[PlacedTool]:
    """A plate on a bone's surface, along its axis; no plate where the bone is out of the picture."""
    bone, frame, middle, outward = _PLATES[region.name]
    mesh = instrument("plate", seed=int(rng.integers(1000)))
    frame = f"{frame}_{side}"
    center, up = figure.landmark(frame, middle), _axis(figure, frame, (0.0, 0.0, -1.0), (0.0, 0.0, 0.0))
    normal = _unit(figure.landmark(frame, (middle[0] + outward[0], middle[1] + outward[1], middle[2])) - center)
    depth = surface(figure, f"{bone}_{side}", center, normal)
    if depth is None:
        return []
    low, high = mesh.vertices.min(dim=0).values.numpy(), mesh.vertices.max(dim=0).values.numpy()
    normal = _unit(normal - (normal @ up) * up)
    thin = int(np.argmin((high - low)[:2]))
    axes = np.zeros((3, 3))
    axes[:, thin], axes[:, 2] = normal, up
    axes[:, 1 - thin] = np.cross(up, normal) if thin == 0 else np.cross(normal, up)
    pose = np.eye(4)
    pose[:3, :3] = axes
    inside = (low + high) / 2
    inside[thin] = low[thin]  # its back lies on the bone
    pose[:3, 3] = center + (depth + 0.3) * normal - axes @ inside
    return [PlacedTool(mesh, torch.from_numpy(pose), name=f"plate {bone} {side}")]


def _wires(figure: Figure, region: BodyRegion, side: Side, rng: np.random.Generator) -> list[PlacedTool]:
    """Two crossing wires."""
    frame, lines = _WIRES[region.name]
    tools = []
    for number, (tip, tail) in enumerate(lines, start=1):
        start, end = (figure.landmark(f"{frame}_{side}", p) + rng.normal(0, 1.5, 3) for p in (tip, tail))
        tools.append(_along("k_wire", start, end, f"k-wire {number} {side}", seed=int(rng.integers(1000))))
    return tools


def surface(
    figure: Figure, label: str, inside: Coordinates, direction: Coordinates, *, reach: float = 60.0
) -> float | None:
    """How far along a direction [mm] the outermost voxel of a label lies; None where none does."""
    canvas = figure.canvas
    steps = np.arange(0.0, reach, 0.25 * canvas.spacing)
    index = np.round((inside + steps[:, None] * direction - canvas.low) / canvas.spacing).astype(int)
    valid = np.all((index >= 0) & (index < canvas.count), axis=1)
    steps, (i, j, k) = steps[valid], index[valid].T
    hits = steps[canvas.labels[k, j, i] == figure.ids[label]]
    return float(hits.max()) + canvas.spacing / 2 if len(hits) else None


def sphere_center(points: Coordinates) -> Coordinates:
    """Centre of the sphere that fits points (n, 3) best in the algebraic sense."""
    system = np.concatenate([2 * points, np.ones((len(points), 1))], axis=1)
    return np.linalg.lstsq(system, np.square(points).sum(axis=1), rcond=None)[0][:3]


def _along(kind: str, tip: Coordinates, tail: Coordinates, name: str, *, seed: int) -> PlacedTool:
    """An instrument with its tip at one point and its axis towards another."""
    pose = tool_pose(torch.from_numpy(tip), direction=torch.from_numpy(tail - tip))
    return PlacedTool(instrument(kind, seed=seed), pose, name=name)


def _longest(kind: str, length: float, rng: np.random.Generator) -> int:
    """The seed, of a few, whose instrument comes closest to a length [mm]."""
    seeds = [int(s) for s in rng.integers(1000, size=6)]
    meshes: list[Mesh] = [instrument(kind, seed=s) for s in seeds]
    lengths = [float(mesh.vertices[:, 2].max()) for mesh in meshes]
    return seeds[int(np.argmin(np.abs(np.array(lengths) - length)))]


def _axis(
    figure: Figure, frame: str, start: tuple[float, float, float], end: tuple[float, float, float]
) -> Coordinates:
    return _unit(figure.landmark(frame, end) - figure.landmark(frame, start))


def _unit(vector: Coordinates) -> Coordinates:
    return vector / np.linalg.norm(vector)
