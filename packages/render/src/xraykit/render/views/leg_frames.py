"""Frames of thigh, knee, shank, ankle and foot, from the bones themselves."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .anatomy import Anatomy
from .axes import ViewFrame, across, front_of_slab, long_axis, principal_axes, shaft_from, unit, upright
from .definition import ViewSide

FRONT, UP = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64), torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
TORSION = math.radians(20.0)  # the fibula lies beside the tibia and that much behind
SLAB = 35.0  # of the condyles [mm]


def thigh(body: Anatomy, side: ViewSide) -> ViewFrame:
    """z along the femur's shaft to the hip; y across the condyles to the patella."""
    cloud = body.cloud(f"femur_{side}")
    z = long_axis(cloud, _proximal(body, cloud, f"hip_{side}", f"tibia_{side}|patella_{side}"))
    height = cloud @ z
    end = cloud[height < height.min() + SLAB]
    return _by_condyles(body, side, z, end, end.mean(dim=0))


def knee(body: Anatomy, side: ViewSide) -> ViewFrame:
    """z halfway between the shafts of femur and tibia; y across the condyles to the patella."""
    femur, tibia = body.cloud(f"femur_{side}"), body.cloud(f"tibia_{side}")
    joint = body.joint(f"femur_{side}", f"tibia_{side}")
    z = unit(shaft_from(joint, femur) - shaft_from(joint, tibia))
    end = femur[torch.linalg.vector_norm(femur - joint, dim=1) < 1.5 * SLAB]
    return _by_condyles(body, side, z, end, joint)


def leg(body: Anatomy, side: ViewSide) -> ViewFrame:
    """z along the tibia to the knee; y to the patella, else to the toes, else as the fibula tells."""
    cloud = body.cloud(f"tibia_{side}")
    z = long_axis(cloud, _proximal(body, cloud, f"femur_{side}|patella_{side}", f"tarsal_{side}"))
    knee_end = cloud[(cloud @ z) > (cloud @ z).max() - SLAB].mean(dim=0)
    return upright(z, [_patella(body, side, knee_end), _toes(body, side), _fibula(body, side, z), ("volume", FRONT)])


def ankle(body: Anatomy, side: ViewSide) -> ViewFrame:
    """z along the tibia away from the ankle; y to the toes, else as the fibula tells."""
    cloud = body.cloud(f"tibia_{side}")
    z = shaft_from(body.joint(f"tibia_{side}", f"tarsal_{side}"), cloud)
    return upright(z, [_toes(body, side), _fibula(body, side, z), ("volume", FRONT)])


def foot(body: Anatomy, side: ViewSide) -> ViewFrame:
    """On the sole: y from under the heel to under the heads of the metatarsals, z out of the instep."""
    rays, heel = body.cloud(f"metatarsal_{side}"), body.cloud(f"tarsal_{side}")
    toes = rays.mean(dim=0) - heel.mean(dim=0)
    plane = principal_axes(rays)[1][:, 0]
    shank = body.centroid(f"tibia_{side}", f"fibula_{side}")
    instep = UP if shank is None else shank - heel.mean(dim=0)
    rough = upright(plane if float(plane @ instep) > 0 else -plane, [("metatarsals", toes)]).axes
    sole = _lowest(rays, rough, front=True) - _lowest(heel, rough, front=False)
    x = rough[:, 0]
    y = unit(across(sole, x))
    return ViewFrame(torch.stack([x, y, torch.linalg.cross(x, y)], dim=1), "sole")


def _lowest(cloud: Tensor, frame: Tensor, *, front: bool) -> Tensor:
    """The lowest point of the third of a cloud that lies at the front (or back) of a frame."""
    along = cloud @ frame[:, 1]
    third = torch.quantile(along[:: max(1, len(along) // 10000)], 2 / 3 if front else 1 / 3)
    end = cloud[along >= third] if front else cloud[along <= third]
    return end[(end @ frame[:, 2]).argmin()]


def _proximal(body: Anatomy, cloud: Tensor, near: str, far: str) -> Tensor:
    """A direction that points to the proximal end of a bone."""
    if (root := body.centroid(near)) is not None:
        return root - cloud.mean(dim=0)
    return UP if (tip := body.centroid(far)) is None else cloud.mean(dim=0) - tip


def _by_condyles(body: Anatomy, side: ViewSide, z: Tensor, end: Tensor, joint: Tensor) -> ViewFrame:
    rough = upright(z, [_patella(body, side, joint), _fibula(body, side, z), ("volume", FRONT)])
    front = front_of_slab(end, z, rough.axes[:, 1], within=math.cos(math.radians(35)))
    return rough if front is None else upright(z, [(f"condyles, {rough.basis}", front)])


def _patella(body: Anatomy, side: ViewSide, joint: Tensor) -> tuple[str, Tensor | None]:
    centre = body.centroid(f"patella_{side}")
    return "patella", None if centre is None else centre - joint


def _toes(body: Anatomy, side: ViewSide) -> tuple[str, Tensor | None]:
    rays, heel = body.centroid(f"metatarsal_{side}"), body.centroid(f"tarsal_{side}")
    return "toes", None if rays is None or heel is None else rays - heel


def _fibula(body: Anatomy, side: ViewSide, z: Tensor) -> tuple[str, Tensor | None]:
    """The front that is TORSION away from perpendicular to the line from tibia to fibula."""
    outer, inner = body.cloud(f"fibula_{side}"), body.cloud(f"tibia_{side}")
    if not len(outer) or not len(inner):
        return "fibula", None
    low, high = (outer @ z).min(), (outer @ z).max()
    beside = inner[((inner @ z) >= low) & ((inner @ z) <= high)]
    lateral = unit(across(outer.mean(dim=0) - (beside if len(beside) else inner).mean(dim=0), z))
    turn = 1.0 if side == "right" else -1.0
    return "fibula", math.cos(TORSION) * turn * torch.linalg.cross(z, lateral) - math.sin(TORSION) * lateral
