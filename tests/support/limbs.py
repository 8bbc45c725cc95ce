"""Limbs and a head made of capsules and ellipsoids, labelled, turned any way: bodies whose axes are known exactly.

Described for the right side in the anatomical position: x lateral, y to the front, z upwards, the joint at the origin.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from xraykit.render import Volume

Point = tuple[float, float, float]
Capsule = tuple[str, Point, Point, float]

KNEE: Sequence[Capsule] = (
    ("femur", (0, 8, 30), (0, 8, 140), 13),
    ("femur", (-26, -6, 18), (26, -6, 18), 20),
    ("tibia", (0, 4, -45), (0, 4, -140), 12),
    ("tibia", (-22, 0, -16), (22, 0, -16), 17),
    ("fibula", (38, -14, -30), (38, -14, -140), 7),
    ("patella", (0, 38, 16), (0, 38, 24), 11),
)
FOOT: Sequence[Capsule] = (
    ("tibia", (-4, 0, 14), (-4, 0, 140), 13),
    ("fibula", (24, -9, 0), (24, -9, 140), 7),
    ("tarsal", (0, -38, -30), (0, 20, -26), 17),
    *(("metatarsal", (12 * n - 24, 48, -26), (15 * n - 30, 108, -36), 6) for n in range(5)),
    *(("phalanges_feet", (15 * n - 30, 122, -38), (16 * n - 32, 150, -39), 5) for n in range(5)),
)
ELBOW: Sequence[Capsule] = (
    ("humerus", (0, 0, 20), (0, 0, 140), 12),
    ("humerus", (-24, 0, 10), (24, 0, 10), 12),
    ("ulna", (-10, 0, -14), (-10, 0, -140), 9),
    ("radius", (16, 0, -16), (16, 0, -140), 8),
)
HAND: Sequence[Capsule] = (
    ("radius", (14, 0, 22), (14, 0, 110), 9),
    ("ulna", (-16, 0, 26), (-16, 0, 110), 7),
    ("carpal", (-14, 0, -4), (14, 0, -4), 12),
    *(("metacarpal", (14 * n - 24, 0, -26), (18 * n - 30, 0, -76), 5) for n in range(4)),
    ("metacarpal", (26, 10, -16), (46, 16, -46), 5),
    *(("phalanges_hand", (18 * n - 30, 0, -90), (19 * n - 32, 0, -140), 4.5) for n in range(4)),
)
HEAD: Sequence[Capsule] = (
    ("skull", (0, -25, 0), (0, 25, 0), 68),
    ("brain", (0, -25, 0), (0, 25, 0), 60),
)


def limb(
    parts: Sequence[Capsule],
    *,
    side: str = "right",
    turn: Tensor | None = None,
    place: Point = (0.0, 0.0, 0.0),
    spacing: float = 5.0,
    without: Sequence[str] = (),
) -> Volume:
    """The parts on one side, turned about the origin and moved to `place`, with TotalSegmentator-like names.

    The grid is shaken a little so that no plane of it is a plane of the body.
    """
    reach = 165.0
    count = int(2 * reach / spacing)
    axis = (torch.arange(count, dtype=torch.float64) + 0.5) * spacing - reach
    k, j, i = torch.meshgrid(axis + 0.3, axis - 0.7, axis + 1.1, indexing="ij")
    world = torch.stack([i, j, k], dim=-1)
    local = world if turn is None else world @ turn
    sign = torch.tensor([1.0 if side == "right" else -1.0, 1.0, 1.0], dtype=torch.float64)
    local = local * sign
    names: dict[str, int] = {}
    labels = torch.zeros(k.shape, dtype=torch.uint8)
    for name, start, end, radius in parts:
        if name in without:
            continue
        value = names.setdefault(name if name in ("skull", "brain") else f"{name}_{side}", len(names) + 1)
        p, q = torch.tensor(start, dtype=torch.float64), torch.tensor(end, dtype=torch.float64)
        along = q - p
        share = (((local - p) @ along) / (along @ along)).clamp(0, 1)
        labels[torch.linalg.vector_norm(local - p - share[..., None] * along, dim=-1) < radius] = value
    affine = torch.diag(torch.tensor([spacing, spacing, spacing, 1.0], dtype=torch.float64))
    affine[:3, 3] = world[0, 0, 0] + torch.tensor(place, dtype=torch.float64)
    hu = torch.where(labels > 0, 900.0, -1000.0)
    return Volume.from_hu(hu, affine, labels=labels, label_names={v: n for n, v in names.items()})


def turned(*degrees: float) -> Tensor:
    """The rotation by the vector of these angles, (3, 3) float64."""
    x, y, z = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    matrix = torch.zeros(3, 3, dtype=torch.float64)
    matrix[0, 1], matrix[0, 2], matrix[1, 2] = -z, y, -x
    return torch.linalg.matrix_exp(matrix - matrix.T)
