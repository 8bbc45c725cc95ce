"""Where an outline fits roughly: templates of many directions, turns and sizes, matched with edges by FFT."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import Camera
from xraykit.render.geometry import nearest_rotation, rigid_inverse, rigid_matrix, rotation_about, rotation_from

from .objective import RimTarget
from .silhouette import Outline, focal_and_centre

AT_ONCE = 64  # templates in one transform
STRONG = 2.0  # slope per pixel, in floors of the target there, that counts half


@dataclass(frozen=True)
class OrientationSearch:
    """What a coarse search tries.

    Args:
        step: Between neighbouring directions, and between turns about the ray [degrees].
        depths: Distances of the pivot from the source, as shares of sdd.
        longest: Pixels of the image's longer side while it is searched.
        keep: Places whose outlines are compared in full; the best few of them are refined.
    """

    step: float = 20.0
    depths: tuple[float, ...] = (0.6, 0.66, 0.73, 0.8, 0.88, 0.96)
    longest: int = 128
    keep: int = 64


class RoughPlaces(NamedTuple):
    """Candidates of one view: poses (S, 4, 4), camera to mesh, and scores (S,), at most 1, the best first."""

    poses: Tensor
    score: Tensor


def spread_directions(step: float) -> Float[Tensor, "directions 3"]:
    """Unit vectors about `step` degrees apart, on a spiral with equal areas."""
    count = max(6, round(4 * math.pi / math.radians(step) ** 2))
    n = torch.arange(count, dtype=torch.float64)
    z, angle = 1 - (2 * n + 1) / count, n * math.pi * (3 - math.sqrt(5))
    return torch.stack([(1 - z * z).sqrt() * angle.cos(), (1 - z * z).sqrt() * angle.sin(), z], dim=1)


def all_around(outline: Outline, camera: Camera, search: OrientationSearch) -> Tensor:
    """Poses (D, 4, 4), camera to mesh, that look along the beam at the pivot from all directions, at middle depth."""
    directions = spread_directions(search.step)
    helper = torch.eye(3, dtype=torch.float64)[directions.abs().argmin(1)]
    x = F.normalize(torch.linalg.cross(helper, directions, dim=-1), dim=-1)
    rotation = torch.stack([x, torch.linalg.cross(directions, x, dim=-1), directions], dim=-1)
    sdd = float(camera.tensors(dtype=torch.float64, device="cpu")[0][0])
    away = sdd * search.depths[len(search.depths) // 2]
    return rigid_matrix(rotation, outline.implant.pivot - away * directions)


def around(outline: Outline, pose: Tensor, *, tilt: float = 9.0) -> Tensor:
    """Poses (9, 4, 4) that look at the pivot from where `pose` (4, 4) does and from directions `tilt` degrees off."""
    steps = [(a, b) for a in (0.0, -tilt, tilt) for b in (0.0, -tilt, tilt)]
    turns = torch.stack([_turn("X", math.radians(a)) @ _turn("Y", math.radians(b)) for a, b in steps])
    to_camera = rigid_inverse(pose)
    middle = to_camera[:3, :3] @ outline.implant.pivot + to_camera[:3, 3]
    rotation = turns @ to_camera[:3, :3]
    return rigid_inverse(rigid_matrix(rotation, middle - rotation @ outline.implant.pivot))


def rough_places(
    target: RimTarget,
    outline: Outline,
    poses: Tensor,
    *,
    rolls: Tensor,
    sizes: Tensor,
    within: float | None = None,
    keep: int = 24,
) -> RoughPlaces:
    r"""The best place in the image of the outline seen from each pose, turned about its ray and scaled.

    The score of a place is the mean over the outline of -n . g, n the outward normal and
    g = grad I / (|grad I| + strong) the X-ray's slope, which saturates: how strong an edge is matters less than where
    it is and which side is denser. All places are correlated at once by FFT.

    Args:
        target: The view, at the size to search.
        outline: The implant.
        poses: Camera to mesh, (D, 4, 4).
        rolls: Turns about the ray [rad], (R,).
        sizes: Factors of the distance from the source, (Z,).
        within: How far the middle may move from where the pose has it [px]; None is anywhere.
        keep: Candidates to return.
    """
    field = edge_field(target)
    height, width = field.shape[-2:]
    margin = min(height, width) // 2
    size = (height + margin, width + margin)  # a template that wraps round meets zeros first
    spectrum = torch.fft.rfft2(field, s=size)
    middle = _middles(target.camera, outline, poses)
    patch = outline.render(target.camera, poses)
    rim = outline.rim(target.camera, poses, patch)
    found = []
    turn, scale = (part.reshape(-1) for part in torch.meshgrid(rolls.double(), sizes.double(), indexing="ij"))
    spin = torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], -1).reshape(-1, 2, 2)
    for d in range(len(poses)):
        kept = rim.kept[d]
        if int(kept.sum()) < 8:
            continue
        offset = (rim.uv[d, kept] - middle[d]) @ spin.mT / scale[:, None, None]
        normal = rim.normal[d, kept] @ spin.mT
        for part in torch.arange(len(spin)).split(AT_ONCE):
            score, place = _best_places(spectrum, size, (height, width), offset[part], normal[part], middle[d], within)
            found.append(torch.cat([score[:, None], place, torch.stack([turn[part], scale[part]], 1),
                                    torch.full((len(part), 1), float(d)).double()], dim=1))  # fmt: skip
    if not found:
        return RoughPlaces(poses[:0], poses.new_zeros(0))
    rows = torch.cat(found)
    rows = rows[rows[:, 0].argsort(descending=True)[: 40 * keep]]
    placed = torch.stack(
        [_placed(target.camera, outline, poses[int(row[5])], row[1:3], row[3], row[4]) for row in rows]
    )
    chosen = _apart(placed, outline, keep)
    return RoughPlaces(placed[chosen], rows[chosen, 0])


def edge_field(target: RimTarget) -> Tensor:
    """-g, the X-ray's saturated slope towards the less dense, (2, H, W) float32; zero beside what is not valid."""
    down, right = torch.gradient(target.image[0, 0])
    slope = torch.stack([right, down])
    size = slope.norm(dim=0, keepdim=True)
    floor = target.floor(-F.max_pool2d(-target.image, 3, 1, 1)[0])
    inside = -F.max_pool2d(-target.valid, 5, 1, 2)[0] > 0.99
    return -slope / (size + STRONG * floor) * inside


def _best_places(
    spectrum: Tensor, size: tuple[int, int], shape: tuple[int, int], offset: Tensor, normal: Tensor, middle: Tensor,
    within: float | None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Best scores (T,) and places of the middle (T, 2) [px] of T templates given by points (T, N, 2) and normals."""
    count, (height, width) = len(offset), shape
    anchor = offset.new_tensor([width // 2, height // 2]) + 0.5
    at = (offset + anchor).floor().long()
    fits = (at >= 0).all(-1) & (at < at.new_tensor([width, height])).all(-1)
    slot = (at[..., 1].clamp(0, height - 1) * width + at[..., 0].clamp(0, width - 1))[:, None].expand(-1, 2, -1)
    values = (normal * fits[..., None]).mT.float() / offset.shape[1]
    template = torch.zeros(count, 2, height * width).scatter_add_(2, slot, values).unflatten(2, (height, width))
    product = (torch.fft.rfft2(template, s=size).conj() * spectrum).sum(1)
    scores = torch.fft.irfft2(product, s=size).roll((height // 2, width // 2), (1, 2))[:, :height, :width]
    if within is not None:
        rows, columns = torch.arange(height) + 0.5 - middle[1], torch.arange(width) + 0.5 - middle[0]
        scores = torch.where(rows[:, None] ** 2 + columns**2 <= within**2, scores, -1.0)
    best, place = scores.flatten(1).max(1)
    return best.double(), torch.stack([place % width, place // width], 1).double() + 0.5


def _middles(camera: Camera, outline: Outline, poses: Tensor) -> Tensor:
    """Where the pivot is seen [px], (D, 2)."""
    focal, centre = focal_and_centre(camera)
    to_camera = rigid_inverse(poses)
    seen = to_camera[:, :3, :3] @ outline.implant.pivot + to_camera[:, :3, 3]
    return focal * seen[:, :2] / seen[:, 2:] + centre


def _placed(camera: Camera, outline: Outline, pose: Tensor, place: Tensor, turn: Tensor, scale: Tensor) -> Tensor:
    """The pose whose pivot is seen at `place` [px], looking as before along its ray, turned and farther."""
    focal, centre = focal_and_centre(camera)
    to_camera = rigid_inverse(pose)
    before = to_camera[:3, :3] @ outline.implant.pivot + to_camera[:3, 3]
    ray = F.normalize(torch.cat([(place - centre) / focal, place.new_ones(1)]), dim=0)
    rotation = _between(before / before.norm(), ray) @ _about(before / before.norm(), turn) @ to_camera[:3, :3]
    rotation = nearest_rotation(rotation)
    middle = ray * before.norm() * scale
    return rigid_inverse(rigid_matrix(rotation, middle - rotation @ outline.implant.pivot))


def _apart(poses: Tensor, outline: Outline, keep: int) -> Tensor:
    """The first poses of which none sees the implant within a quarter of its radius of an earlier one."""
    radius = outline.implant.radius
    corners = outline.implant.pivot + radius * torch.cat([torch.eye(3), -torch.eye(3)]).double()
    to_camera = rigid_inverse(poses)
    seen = corners @ to_camera[:, :3, :3].mT + to_camera[:, None, :3, 3]
    weight = seen.new_tensor([1.0, 1.0, 0.2])  # depth is hardly seen
    kept: list[int] = []
    for n in range(len(poses)):
        if not kept or bool((((seen[kept] - seen[n]) * weight).norm(dim=-1).mean(-1) > radius / 4).all()):
            kept.append(n)
        if len(kept) == keep:
            break
    return torch.tensor(kept, dtype=torch.int64)


def _turn(axis: str, angle: float) -> Tensor:
    return rotation_about(axis, torch.tensor(angle, dtype=torch.float64))


def _about(axis: Tensor, angle: Tensor) -> Tensor:
    """The turn about a unit vector."""
    return rotation_from(axis * angle, parameterization="axis_angle")


def _between(first: Tensor, second: Tensor) -> Tensor:
    """The smallest turn that takes one unit vector to another in the same half space."""
    across = torch.linalg.cross(first, second, dim=-1)
    angle = across.norm().clamp_max(1).arcsin()
    return rotation_from(F.normalize(across, dim=-1) * angle, parameterization="axis_angle")
