"""Built-in instruments and implants, made from a few numbers: nothing to download.

Each stands in its own frame with its tip (or distal end) at the origin and its long axis along +z, in mm; components of
a knee replacement have the bone's axis along +z. Sizes are those of common catalogues; the seed picks one within the
range. They are closed meshes of touching, not overlapping parts.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch

from ..geometry.checks import check_choice
from .instrument_parts import (
    Floats,
    MeshPart,
    angles,
    extruded,
    moved,
    polygon_radius,
    sheet,
    thread,
    together,
    tube_mesh,
    turned,
)
from .knee_components import make_femoral_component, make_tibial_component
from .mesh import Mesh

_AROUND = 36


def instrument(name: str, *, seed: int = 0) -> Mesh:
    """A built-in instrument or implant, float32 vertices in mm, tip at the origin, long axis along +z.

    A femoral or tibial component is that of a right knee: x lateral, y anterior, z along the bone.

    Args:
        name: One of `INSTRUMENTS`: cannulated_screw, clamp, drill_bit, femoral_component, hip_stem, k_wire, needle,
            pedicle_screw, plate, tibial_component.
        seed: Picks the size; the same seed gives the same mesh.

    Raises:
        InputError: No instrument has this name.
    """
    check_choice(name, "instrument", INSTRUMENTS)
    part, material, description = _MAKERS[name](np.random.default_rng(seed))
    vertices, faces = torch.from_numpy(part[0]).to(torch.float32), torch.from_numpy(part[1].copy())
    return Mesh(vertices, faces, name=name, material=material, description=description)


Made = tuple[MeshPart, str, str]


def _cannulated_screw(rng: np.random.Generator) -> Made:
    """A partially threaded lag screw with a bore for its guide wire and a hexagonal socket."""
    diameter = float(rng.choice([4.0, 6.5, 7.3]))
    length = float(rng.choice(np.arange(30, 56, 5) if diameter < 5 else np.arange(60, 121, 5)))
    outer, bore, pitch = diameter / 2, 0.2 * diameter, 0.25 + 0.35 * diameter
    core, shank = 0.66 * outer, 0.7 * outer
    threaded = min(16.0 if diameter < 5 else 32.0, length / 2)
    z = np.linspace(0.0, threaded, int(threaded / pitch * 10) + 1)
    ramp = np.clip(np.minimum(z / pitch, (threaded - z) / pitch), 0.0, 1.0)
    radius = core + (outer - core) * ramp[:, None] * thread(z, pitch=pitch, around=_AROUND)
    radius -= (0.35 * (core - bore) * np.clip(1 - z / pitch, 0.0, 1.0))[:, None]
    profile: list[tuple[float, float | Floats]] = list(zip(z.tolist(), radius, strict=True))
    head, wide = 0.55 * diameter, 0.82 * diameter
    profile += [(threaded + 0.6 * pitch, shank), (length, shank), (length + 0.25 * head, wide)]
    profile += [(length + head * (0.25 + 0.75 * np.sin(a)), wide * np.cos(a) ** 0.5) for a in (0.3, 0.6, 0.9)]
    top, socket = profile[-1][0], polygon_radius(0.45 * diameter, 6, _AROUND)
    profile += [(top, socket), (top - 0.5 * head, socket), (top - 0.5 * head, bore), (0.0, bore)]
    return (
        tube_mesh(turned(profile, _AROUND), closed=True),
        "titanium_alloy",
        f"cannulated lag screw, {diameter:g} mm diameter, {length:g} mm long, {threaded:g} mm of thread",
    )


def _pedicle_screw(rng: np.random.Generator) -> Made:
    """A tapered screw with a deep thread and a tulip head open for a rod."""
    diameter, length = float(rng.choice([4.5, 5.5, 6.5, 7.5])), float(rng.choice(np.arange(30, 56, 5)))
    outer, pitch = diameter / 2, 2.75
    z = np.linspace(0.0, length - 3.0, int((length - 3.0) / pitch * 10) + 1)
    core = outer * (0.5 + 0.25 * z / length)
    tip = np.clip(z / 4.0, 0.05, 1.0)
    depth = (outer - core) * np.clip((length - 3.0 - z) / pitch, 0.0, 1.0)
    radius = tip[:, None] * (core[:, None] + depth[:, None] * thread(z, pitch=pitch, around=_AROUND, crest=0.12))
    profile: list[tuple[float, float | Floats]] = list(zip(z.tolist(), radius, strict=True))
    body, rod, bore, arm = 6.5, 3.0, 4.4, 14.0
    floor = length + 5.5
    profile += [(length, core[-1]), (length + 1.0, 4.2), (length + 2.5, 5.9), (length + 3.2, body), (floor, body)]
    parts = [tube_mesh(turned(profile, _AROUND)), *_tulip(body, rod, bore, floor, floor + arm)]
    return (
        together(parts),
        "titanium_alloy",
        f"polyaxial pedicle screw with tulip head, {diameter:g} mm diameter, {length:g} mm long",
    )


def _tulip(body: float, rod: float, bore: float, floor: float, top: float) -> list[MeshPart]:
    """Two arms left and right of a slot for the rod (along y), and the slot's round bottom."""
    reach = np.sqrt(body**2 - rod**2)
    y = reach * np.sin(np.linspace(-np.pi / 2, np.pi / 2, 41))
    far = np.sqrt(body**2 - y**2)
    near = np.maximum(rod, np.sqrt(np.maximum(bore**2 - y**2, 0.0)))
    near[[0, -1]] = far[[0, -1]]
    arm = extruded(*sheet(np.stack([np.stack([near, y], axis=1), np.stack([far, y], axis=1)])), floor, top)
    x = rod * np.sin(np.linspace(-np.pi / 2, np.pi / 2, 17))
    side = np.sqrt(body**2 - x**2)
    bed = np.stack([np.stack([x, -side], axis=1), np.stack([x, side], axis=1)])
    rise = np.maximum(rod - np.sqrt(np.maximum(rod**2 - x**2, 0.0)), 0.05)
    bottom = extruded(*sheet(bed), floor, np.tile(floor + rise, 2))
    return [arm, moved(arm, np.diag([-1.0, 1.0, 1.0])), bottom]


def _k_wire(rng: np.random.Generator) -> Made:
    """A steel wire with a three-sided trocar point."""
    diameter, length = float(rng.choice([1.2, 1.6, 2.0, 2.5])), float(rng.choice([150.0, 200.0, 280.0]))
    radius, point = diameter / 2, 3.0 * diameter
    profile: list[tuple[float, float | Floats]] = [
        (s * point, np.minimum(radius, polygon_radius(max(s, 0.01) * radius, 3, 24))) for s in np.linspace(0, 1, 9)
    ]
    profile += [(length - 0.3 * radius, radius), (length, 0.7 * radius)]
    return (
        tube_mesh(turned(profile, 24)),
        "stainless_steel",
        f"Kirschner wire, {diameter:g} mm diameter, {length:g} mm long",
    )


def _drill_bit(rng: np.random.Generator) -> Made:
    """A twist drill with two flutes, a 118 degree point and a quick-coupling shank."""
    diameter, length = float(rng.choice([2.5, 3.2, 4.3, 5.0])), float(rng.choice([110.0, 145.0, 180.0]))
    radius, lead, fluted = diameter / 2, 5.5 * diameter, 0.4 * length
    theta, point = angles(48), diameter / 2 / np.tan(np.deg2rad(59.0))
    profile: list[tuple[float, float | Floats]] = []
    for z in np.concatenate([[0.0], np.linspace(0.05 * point, point, 6), np.linspace(point + 0.3, fluted, 120)]):
        flute = np.clip(np.cos(2 * (theta - 2 * np.pi * z / lead)) + 0.15, 0.0, 1.0) ** 0.7
        depth = 0.52 * np.clip((fluted - z) / diameter, 0.0, 1.0)
        profile.append((float(z), max(0.02, min(1.0, z / point)) * radius * (1 - depth * flute)))
    shank = np.full(48, radius)
    flat = np.where(np.abs(np.sin(theta)) < 0.5, 0.8, 1.0) * radius
    profile += [(fluted + 0.5, shank), (length - 14.0, shank), (length - 13.5, flat), (length - 4.0, flat)]
    profile += [(length - 3.9, 0.7 * radius), (length - 2.4, 0.7 * radius), (length - 2.3, shank), (length, shank)]
    return (
        tube_mesh(turned(profile, 48)),
        "stainless_steel",
        f"twist drill bit, {diameter:g} mm diameter, {length:g} mm long",
    )


def _needle(rng: np.random.Generator) -> Made:
    """A hollow needle with a bevelled tip and a hub."""
    outer, inner = [(1.65, 1.19), (1.27, 0.84), (0.91, 0.6)][int(rng.integers(3))]
    length, bevel = float(rng.choice([50.0, 90.0, 150.0])), 2.6 * outer
    rings = turned([(0.0, outer / 2), (bevel + 1, outer / 2), (length, outer / 2)], 24)
    bores = turned([(length, inner / 2), (bevel + 1, inner / 2), (0.0, inner / 2)], 24)
    for ring in (rings[0], bores[-1]):
        ring[:, 2] = bevel * (0.5 - ring[:, 0] / outer)  # one plane cuts wall and bore
    shaft = tube_mesh(np.concatenate([rings, bores]), closed=True)
    hub = [(0.0, outer / 2 + 0.5), (4.0, 1.6), (5.0, 2.9), (18.0, 3.1), (18.0, 3.9), (20.0, 3.9)]
    hub += [(20.0, 2.15), (9.0, 1.95), (8.0, inner / 2), (0.0, inner / 2)]
    lock = moved(tube_mesh(turned(hub, 24), closed=True), np.eye(3), (0.0, 0.0, length))
    return together([shaft, lock]), "stainless_steel", f"puncture needle, {outer:g} mm diameter, {length:g} mm long"


def _plate(rng: np.random.Generator) -> Made:
    """A bone plate with a row of screw holes, its underside rounded to the bone."""
    holes, wide = int(rng.integers(4, 11)), float(rng.choice([8.0, 10.0, 12.0]))
    pitch, thick, hole = 1.35 * wide, 0.32 * wide, 0.26 * wide
    cells = [_plate_cell(n * pitch, pitch, wide, hole, ends=(n == 0, n == holes - 1)) for n in range(holes)]
    points, triangles = together(cells)
    bow = points[:, 1] ** 2 / (2.5 * wide)
    flat = extruded(points, triangles, -bow, thick - bow)
    along = moved(flat, [[0, 0, 1], [0, 1, 0], [-1, 0, 0]])  # x becomes -z ...
    part = moved(along, np.diag([1.0, -1.0, -1.0]), (0.0, 0.0, pitch / 2))  # ... and turns to +z, its end at 0
    return part, "titanium", f"bone plate with {holes} screw holes, {wide:g} mm wide, {holes * pitch:.0f} mm long"


def _plate_cell(middle: float, pitch: float, wide: float, hole: float, *, ends: tuple[bool, bool]):
    """The ring between a round hole and its cell: a rectangle, or a rounded end."""
    corner = np.arctan2(wide, pitch)
    stops = [-corner, corner, np.pi - corner, np.pi + corner, 2 * np.pi - corner]
    theta = np.concatenate([np.linspace(a, b, 13)[:-1] for a, b in pairwise(stops)])
    cosine, sine = np.cos(theta), np.sin(theta)
    with np.errstate(divide="ignore"):
        reach = np.minimum(pitch / 2 / np.abs(cosine), wide / 2 / np.abs(sine))
    x, y = reach * cosine, reach * sine
    y = y * (1 - 0.06 * (1 - np.cos(2 * np.pi * x / pitch)))  # narrower between holes
    for side, is_end in zip((-1.0, 1.0), ends, strict=True):
        if is_end:
            tail = side * x > 0
            x = np.where(tail, side * pitch / 2 * np.abs(cosine) ** 0.8, x)
            y = np.where(tail, wide / 2 * np.sign(sine) * np.abs(sine) ** 0.8, y)
    rim = np.stack([x + middle, y], axis=1)
    round_hole = np.stack([middle + hole * cosine, hole * sine], axis=1)
    return sheet(np.stack([np.concatenate([c, c[:1]]) for c in (round_hole, (round_hole + rim) / 2, rim)]))


def _hip_stem(rng: np.random.Generator) -> Made:
    """A tapered femoral stem with its neck and ball head; medial is +x."""
    scale, head = float(rng.uniform(0.88, 1.12)), float(rng.choice([14.0, 16.0, 18.0]))
    # Medial and lateral border in the frontal plane, and half the depth: stations from the tip to the neck.
    border = np.array([
        [1.0, 0.0, -1.0, 0.0, 1.0], [3.4, 2.0, -3.4, 2.0, 3.4], [4.6, 8.0, -4.6, 8.0, 4.5],
        [5.2, 40.0, -5.4, 40.0, 5.2], [6.2, 75.0, -7.0, 76.0, 6.0], [7.8, 95.0, -8.6, 99.0, 6.6],
        [10.6, 108.0, -9.8, 116.0, 7.2], [14.6, 117.0, -10.2, 129.0, 7.6], [19.0, 123.0, -7.0, 137.0, 7.6],
        [22.6, 127.0, 3.0, 141.0, 7.4],
    ])  # fmt: skip
    step = np.linspace(0, len(border) - 1, 64)
    border = np.stack([np.interp(step, np.arange(len(border)), column) for column in border.T], axis=1)
    theta = angles(_AROUND)
    ring_x, ring_y = (np.sign(f) * np.abs(f) ** 0.8 for f in (np.cos(theta), np.sin(theta)))
    rings = []
    for medial_x, medial_z, lateral_x, lateral_z, depth in border * scale:
        medial, lateral = np.array([medial_x, 0.0, medial_z]), np.array([lateral_x, 0.0, lateral_z])
        side = np.outer(ring_x, (medial - lateral) / 2)
        rings.append((medial + lateral) / 2 + side + np.outer(ring_y, [0.0, depth, 0.0]))
    base = (border[-1, [0, 1]] + border[-1, [2, 3]]) / 2 * scale
    axis = np.array([border[-1, 3] - border[-1, 1], border[-1, 0] - border[-1, 2]])
    axis = axis / np.linalg.norm(axis)
    span = 34.0 * scale
    profile = [(1.5, 8.6 * scale), (4.0, 7.2 * scale), (10.0, 6.2 * scale), (span - 0.9 * head, 5.9 * scale)]
    profile += [(span - head * np.cos(a), head * np.sin(a)) for a in np.linspace(np.arccos(0.9), np.pi - 0.05, 22)]
    for distance, radius in profile:
        centre = np.array([base[0] + distance * axis[0], 0.0, base[1] + distance * axis[1]])
        across = np.array([axis[1], 0.0, -axis[0]])
        rings.append(centre + radius * (np.outer(np.cos(theta), across) + np.outer(np.sin(theta), [0.0, 1.0, 0.0])))
    return (
        tube_mesh(np.stack(rings)),
        "cobalt_chrome",
        f"femoral stem of a hip prosthesis with a {2 * head:g} mm ball head, {scale * 141:.0f} mm long",
    )


def _clamp(rng: np.random.Generator) -> Made:
    """A haemostatic clamp: two crossing halves with finger rings, one above the other, held by a pin."""
    size, opening = float(rng.uniform(0.85, 1.3)), float(np.deg2rad(rng.uniform(0.5, 6.0)))
    half = extruded(*together(_clamp_half()), 0.0, 2.6)
    turn = np.array([[np.cos(opening), -np.sin(opening), 0.0], [np.sin(opening), np.cos(opening), 0.0], [0, 0, 1.0]])
    other = np.diag([1.0, -1.0, -1.0])  # turned over: below the first one, its ring on the other side
    pin = tube_mesh(turned([(0.0, 3.6), (0.8, 3.6), (1.3, 2.6)], 24))
    parts = [
        moved(half, turn),
        moved(half, other @ turn),
        moved(pin, np.eye(3), (0.0, 0.0, 2.6)),
        moved(pin, other, (0.0, 0.0, -2.6)),
    ]
    upright = np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.float64)  # the long axis x becomes z
    vertices, faces = moved(together(parts), upright)
    vertices = (vertices - [0.0, 0.0, vertices[:, 2].min()]) * size
    length = float(np.ptp(vertices[:, 2]))
    return (
        (vertices, faces),
        "stainless_steel",
        f"haemostatic clamp, {length:.0f} mm long, jaws apart by " + (f"{2 * np.rad2deg(opening):.0f} degrees"),
    )


def _clamp_half() -> list[tuple[Floats, np.ndarray]]:
    """One half in the plane, its pin at the origin: jaw towards -x, finger ring at x = 105, y = 17."""
    centre, inner, outer, around = np.array([105.0, 17.0]), 10.0, 13.2, 48
    theta = 2 * np.pi * np.arange(around + 1) / around + np.pi + 0.1
    circle = np.stack([np.cos(theta), np.sin(theta)], axis=1)
    ring = np.stack([centre + inner * circle, centre + outer * circle])
    start = centre + outer * circle[:4]  # three sides of the ring carry the arm
    along = np.array([[84.0, 14.6], [60.0, 9.6], [30.0, 3.6], [12.0, 0.9], [0.0, 0.0], [-10.0, -0.9], [-24.0, -1.6]])
    along = np.concatenate([along, [[-42.0, -1.4]]])
    width = np.array([4.6, 4.4, 5.0, 7.2, 8.4, 6.6, 3.8, 1.6])
    ahead = np.gradient(along, axis=0)
    normal = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1) / np.linalg.norm(ahead, axis=1, keepdims=True)
    spread = np.linspace(-0.5, 0.5, 4)[None, :, None]
    strip = along[:, None] + spread * (width[:, None] * normal)[:, None]
    return [sheet(ring), sheet(np.concatenate([start[None], strip]))]


_MAKERS: dict[str, Callable[[np.random.Generator], Made]] = {
    "cannulated_screw": _cannulated_screw,
    "clamp": _clamp,
    "drill_bit": _drill_bit,
    "femoral_component": make_femoral_component,
    "hip_stem": _hip_stem,
    "k_wire": _k_wire,
    "needle": _needle,
    "pedicle_screw": _pedicle_screw,
    "plate": _plate,
    "tibial_component": make_tibial_component,
}
INSTRUMENTS: tuple[str, ...] = tuple(_MAKERS)
