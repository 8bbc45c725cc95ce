"""The two metal parts of a total knee replacement: a shell over the femur's condyles, a tray on the tibia.

Both stand as in a right knee, x lateral, y anterior, z proximal, and have the proportions of catalogue implants; the
inside of the femoral one is the box of five cuts that a surgeon makes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .instrument_parts import Floats, MeshPart, angles, extruded, moved, sheet, together, tube_mesh, turned

# Lateral view of the femoral component, (y, z) from the posterior condyle's tip over the distal end to the flange's,
# for one of 76 x 69 mm: the bearing surface along the middle of a condyle, and the five cuts with their four corners.
_WIDTH, _DEPTH = 76.0, 69.0
_OUTSIDE = np.array([
    [-26.0, 38.5], [-29.6, 34.0], [-31.5, 27.5], [-32.0, 21.0], [-29.8, 11.5], [-22.5, 3.7], [-11.0, 0.3], [-3.0, 0.0],
    [8.0, 1.0], [19.0, 5.4], [28.0, 13.5], [34.2, 25.0], [36.8, 37.0], [36.4, 48.0], [33.8, 58.5],
])  # fmt: skip
_CUTS = np.array([[-23.5, 37.5], [-23.5, 19.0], [-13.5, 9.0], [14.0, 9.0], [29.5, 25.0], [29.8, 59.5]])
_KNOTS = np.array([3.0, 5.0, 8.6, 11.0])  # points of the outside that the cuts' four corners face
_NOTCH_END = 9.2  # the intercondylar notch ends here along the outside


def component_size(name: str, seed: int) -> tuple[float, float]:
    """Breadth (x) and depth (y) [mm] of the component that `instrument` makes of this name and seed."""
    return _SIZES[name](np.random.default_rng(seed))


def _femoral_size(rng: np.random.Generator) -> tuple[float, float]:
    width = float(rng.uniform(60.0, 80.0))
    return width, (10.0 + 0.75 * width) * float(rng.uniform(0.985, 1.015))


def _tibial_size(rng: np.random.Generator) -> tuple[float, float]:
    width = float(rng.uniform(65.0, 85.0))
    return width, 0.645 * width * float(rng.uniform(0.98, 1.02))


_SIZES = {"femoral_component": _femoral_size, "tibial_component": _tibial_size}


def femoral_cuts(width: float, depth: float) -> Floats:
    """The cuts that fit a femoral component of this breadth (x) and depth (y) [mm], in its own frame.

    Returns:
        (6, 2): y and z [mm] of the posterior tip, the four corners between posterior, posterior chamfer, distal,
        anterior chamfer and anterior cut, and the tip of the flange.
    """
    return _CUTS * [depth / _DEPTH, width / _WIDTH]


def make_femoral_component(rng: np.random.Generator) -> tuple[MeshPart, str, str]:
    """A shell over both condyles with notch, trochlear groove and flange; pegs, or the box that replaces a ligament."""
    width, depth = _femoral_size(rng)
    notch, boxed = 0.125 * width * float(rng.uniform(0.9, 1.1)), bool(rng.random() < 0.5)
    stretch = np.array([width / _WIDTH, depth / _DEPTH, width / _WIDTH])
    parts = [_shell(notch / stretch[0], float(rng.uniform(0.8, 1.2)))]
    floor = _CUTS[2, 1]
    if boxed:
        parts.append(_ligament_box(notch / stretch[0] - 0.03, floor, height=float(rng.uniform(12.0, 16.0))))
    if not boxed or rng.random() < 0.5:
        peg = tube_mesh(turned([(0.0, 3.6), (8.5, 3.3), (10.5, 2.6), (11.5, 1.2)], 24))
        parts += [moved(peg, np.eye(3), (x, 0.0, floor)) for x in (-21.0, 21.0)]
    part = moved(together(parts), np.diag(stretch))
    kind = "posterior-stabilised" if boxed else "cruciate-retaining"
    text = f"{kind} femoral component of a knee replacement, {width:.0f} mm wide, {depth:.0f} mm deep"
    return part, "cobalt_chrome", text


def _shell(notch: float, groove: float) -> MeshPart:
    """The shell: a flat region of (place along the outside, x), thickened from the cuts to the bearing surface."""
    last = len(_OUTSIDE) - 1.0
    along = np.unique(np.concatenate([np.linspace(0, last, 71), _KNOTS, _NOTCH_END - np.array([0, 0.05, 0.15, 0.3])]))
    opening = notch * np.sqrt(np.clip((_NOTCH_END - along) / 0.9, 0.0, 1.0))
    edges = {side: 38.0 * _breadth(along, narrowing) for side, narrowing in ((-1, 0.62), (1, 0.42))}  # medial, lateral
    condyles = []
    for side, edge in edges.items():
        x = side * (opening[:, None] + np.linspace(0.0, 1.0, 15) * (edge - opening)[:, None]) + 0.0
        condyles.append(sheet(np.stack([np.broadcast_to(along[:, None], x.shape), x], axis=2)))
    vertices, faces = extruded(*together(condyles), 0.0, 1.0)
    place, x, layer = vertices.T
    near = np.interp(place, along, opening)
    far = np.where(x < 0, np.interp(place, along, edges[-1]), np.interp(place, along, edges[1]))
    inside = _inside(place)
    share = layer * _thickness(place, np.abs(x), near, far, groove)
    return np.column_stack([x, inside + share[:, None] * (_outside(place) - inside)]), faces


def _breadth(along: Floats, narrowing: float) -> Floats:
    """Share of the whole half breadth along the outside: round tips of the condyles, a flange that narrows upwards."""
    last = len(_OUTSIDE) - 1.0
    flange = np.clip((along - 9.0) / (last - 9.0), 0.0, 1.0)
    tips = 1 - 0.13 * np.clip(1 - along / 1.2, 0.0, 1.0) ** 2
    return tips * (1 - narrowing * flange**1.6) * np.sqrt(1 - 0.75 * np.clip((flange - 0.7) / 0.3, 0.0, 1.0) ** 3)


def _thickness(place: Floats, aside: Floats, near: Floats, far: Floats, groove: float) -> Floats:
    """Share of the greatest thickness: round condyles behind, two ridges beside the groove of the patella in front.

    Args:
        place: Along the outside.
        aside: Distance from the middle [mm].
        near: That of the notch's border there.
        far: That of the outer edge.
        groove: Depth of the groove, 1 half the thickness.
    """
    in_front = np.clip((place - 7.5) / 3.5, 0.0, 1.0)
    in_front = in_front**2 * (3 - 2 * in_front)
    across = np.clip((aside - near) / (far - near), 0.0, 1.0) * 2 - 1
    condyle = 1 - 0.42 * np.abs(across) ** 2.5
    ridge = np.clip(aside / far, 0.0, 1.0)
    trochlea = 1 - 0.5 * groove * np.exp(-((ridge / 0.3) ** 2)) - 0.45 * ridge**4
    return (1 - in_front) * condyle + in_front * trochlea


def _outside(place: Floats) -> Floats:
    """Points (N, 2) of the bearing surface: the Catmull-Rom curve through its knots."""
    p = np.concatenate([2 * _OUTSIDE[:1] - _OUTSIDE[1:2], _OUTSIDE, 2 * _OUTSIDE[-1:] - _OUTSIDE[-2:-1]])
    k: NDArray[np.int64] = np.minimum(place.astype(np.int64), len(_OUTSIDE) - 2)
    t = (place - k)[:, None]
    a, b, c, d = (p[k + n] for n in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.maximum(curve, [-np.inf, 0.0])  # the lowest point is a knot, not what the curve swings over


def _inside(place: Floats) -> Floats:
    """Points (N, 2) of the cuts that face places of the outside."""
    knots = np.concatenate([[0.0], _KNOTS, [len(_OUTSIDE) - 1.0]])
    return np.stack([np.interp(place, knots, column) for column in _CUTS.T], axis=1)


def _ligament_box(half: float, floor: float, *, height: float) -> MeshPart:
    """Two walls and a roof in the notch, open below: what holds the post of the insert."""
    wall, behind, ahead = 1.8, -20.0, 5.0
    outer = np.array([[-half, floor], [-half, floor + height], [half, floor + height], [half, floor]])
    inner = np.array([[wall, 0.0], [wall, -wall], [-wall, -wall], [-wall, 0.0]]) + outer
    flat = extruded(*sheet(np.stack([inner, outer])), behind, ahead)  # x and z, then y
    return moved(flat, [[1, 0, 0], [0, 0, 1], [0, 1, 0]])


def make_tibial_component(rng: np.random.Generator) -> tuple[MeshPart, str, str]:
    """A tray with a notch behind for the ligament, on a keel: a stem with two fins that fall to its sides."""
    around = 180
    width, depth = _tibial_size(rng)
    keel, thick, stem = (float(rng.uniform(*ends)) for ends in ((35.0, 50.0), (3.0, 5.0), (5.5, 7.5)))
    sweep, notch = np.deg2rad(float(rng.uniform(4.0, 22.0))), float(rng.uniform(0.2, 0.42))
    theta = angles(around)
    cosine, sine = np.cos(theta), np.sin(theta)
    outline = (np.abs(cosine / (width / 2)) ** 2.5 + np.abs(sine / (depth / 2)) ** 2.5) ** (-1 / 2.5)
    behind = (theta - 1.5 * np.pi) / np.deg2rad(24.0)
    outline = outline * (1 - notch * np.exp(-(behind**2)))
    fall, widest = 0.6 * keel, 0.33 * width
    profile: list[tuple[float, float | Floats]] = [
        (0.0, 0.4 * stem),
        (0.15 * stem, 0.7 * stem),
        (0.5 * stem, 0.9 * stem),
    ]
    for z in np.linspace(stem, keel, 14):
        round_ = stem * (0.95 + 0.25 * z / keel)
        reach = max(round_, round_ + (widest - round_) * (1 - (keel - z) / fall))
        profile.append((float(z), np.maximum(round_, np.maximum(_fin(-sweep, reach), _fin(np.pi + sweep, reach)))))
    profile += [(keel, outline), (keel + thick - 0.6, outline), (keel + thick, outline - 0.6)]
    material = str(rng.choice(["titanium_alloy", "cobalt_chrome"]))
    text = f"tibial component of a knee replacement, {width:.0f} mm wide, {depth:.0f} mm deep, keel of {keel:.0f} mm"
    return tube_mesh(turned(profile, around)), material, text


def _fin(direction: float, reach: float, *, half: float = 1.6, around: int = 180) -> Floats:
    """The radius of a fin of a thickness of 2 half [mm] at every angle of a ring; 0 behind the axis."""
    away = angles(around) - direction
    side = np.maximum(np.abs(np.sin(away)), 1e-9)
    return np.where(np.cos(away) > 0, np.minimum(half / side, reach), 0.0)
