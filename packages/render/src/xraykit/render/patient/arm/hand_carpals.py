"""The eight bones of the wrist: rounded bodies cut halfway to their neighbours, so that their joints are congruent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..body.figure import Figure
from ..body.skeleton import Side
from ..body.solids import half_space, sphere
from ..canvas import Array, Canvas, Region, ellipsoid, smooth_union
from .solids import girth

# Carpal height (radius to third metacarpal) is 0.54 of that metacarpal's length (Youm et al., J Bone Joint Surg Am 60,
# 1978): 35 mm. Each body is a chain of ellipsoids (centre, radii) in the hand's frame, run together.
_BODIES: dict[str, tuple[tuple[tuple[float, float, float], tuple[float, float, float]], ...]] = {
    "scaphoid": (
        ((9.5, -1.0, 3.5), (6.8, 8.0, 7.0)),
        ((15.0, 2.0, -4.0), (6.0, 6.0, 7.0)),
        ((19, 6, -10), (5.5, 5.5, 5)),
    ),
    "lunate": (((-3.5, 0.0, 4.8), (8.6, 9.0, 7.4)),),
    "triquetrum": (((-16.0, -3.0, -1.0), (8.0, 7.5, 7.5)),),
    "pisiform": (((-18.0, 9.8, -1.5), (4.6, 4.5, 5.6)),),
    "trapezium": (((22.0, 7.0, -16.5), (8.5, 8.0, 6.5)),),
    "trapezoid": (((11.5, -1.5, -15.5), (6.5, 8.5, 7.0)),),
    "capitate": (((-0.5, 0.0, -6.0), (6.8, 7.5, 6.8)), ((1.0, -0.5, -14.0), (7.2, 8.5, 8.5))),
    "hamate": (
        ((-8.5, -0.5, -8.0), (5.0, 7.0, 6.0)),
        ((-12.0, -0.5, -14.5), (8.0, 8.5, 7.5)),
        ((-11, 10, -15), (3, 6.5, 4.5)),
    ),
}
_GAP = 1.6
# Where the distal row ends at its metacarpals: height at x = 0 and slope of the line.
_ENDS = {"trapezoid": (-17.0, 0.0), "capitate": (-20.3, 0.0), "hamate": (-22.1, -0.22)}


def paint_carpals(figure: Figure, side: Side, seed: int) -> None:
    """Paint the carpal bones of one hand."""
    rng, thick = figure.rng(seed, "carpals"), girth(figure, seed) ** 0.5
    swollen = {name: thick * (1 + float(np.clip(rng.normal(0, 0.03), -0.06, 0.06))) for name in _BODIES}
    for name in _BODIES:
        figure.paint_bone(
            f"carpal_{side}",
            _drawing(name, swollen),
            frame=f"hand_{side}",
            cortex=0.9,
            shell=950,
            core=270,
        )


def _drawing(name: str, swollen: dict[str, float]) -> Callable[[Canvas], tuple[Region, Array]]:
    def draw(canvas: Canvas) -> tuple[Region, Array]:
        centers = np.array([center for center, _ in _BODIES[name]])
        region = canvas.region(centers.min(axis=0) - 13, centers.max(axis=0) + 13)
        return region, _packed(region, name, swollen)

    return draw


def _packed(region: Region, name: str, swollen: dict[str, float]) -> Array:
    r"""max over the others j of (d_i, (d_i - d_j + gap) / 2): the body, cut halfway to each neighbour."""
    own = _body(region, _BODIES[name], swollen[name])
    field = own
    for other, solids in _BODIES.items():
        if other != name and _near(_BODIES[name], solids):
            field = np.maximum(field, (own - _body(region, solids, swollen[other])) / 2 + np.float32(_GAP / 2))
    if name == "lunate":  # hollow for the head of the capitate
        field = np.maximum(field, -sphere(region, (-0.5, 0.0, -6.0), 8.4))
    if name in _ENDS:
        height, slope = _ENDS[name]
        field = np.maximum(field, -half_space(region, (0.0, 0.0, height), (-slope, 0.0, 1.0)))
    return field.astype(np.float32)


def _body(region: Region, solids: Sequence[tuple[Sequence[float], Sequence[float]]], factor: float) -> Array:
    field: Array | None = None
    for center, radii in solids:
        part = ellipsoid(region, center, [factor * r for r in radii])
        field = part if field is None else smooth_union(field, part, 3.0)
    return np.asarray(field)


def _near(first: Sequence, second: Sequence) -> bool:
    gaps = [np.linalg.norm(np.subtract(a, b)) for a, _ in first for b, _ in second]
    return bool(min(gaps) < 20.0)
