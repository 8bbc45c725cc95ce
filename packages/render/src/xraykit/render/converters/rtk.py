"""RTK: nine numbers per projection of a ThreeDCircularProjectionGeometry, and the image that they refer to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import GeometryError
from ..geometry.camera import Camera
from ..geometry.frames import Vector, swap_ras_lps_points, swap_ras_lps_pose
from ..geometry.rotations import parameters_from, rotation_from
from ..geometry.torch_modes import full_precision
from .pinhole import PeerView, settle, unsettle


@dataclass(frozen=True)
class RTKProjection:
    """One projection of an RTK geometry, in plain numbers.

    The first nine fields are the arguments of `ThreeDCircularProjectionGeometry.AddProjection` (lengths [mm], angles
    [degrees]); the rest describe the projection image, rows stacked along ITK's second axis. RTK's fixed frame is
    the ITK world of the volume, LPS, unless an isocenter was given; then the volume must be moved by its negative.

    Args:
        source_to_isocenter: `sid`.
        source_to_detector: `sdd`, positive (RTK reads 0 as parallel beams).
        gantry_angle: About the fixed y.
        projection_offset: `projOffsetX`, `projOffsetY`.
        out_of_plane_angle: About x after the gantry turned.
        in_plane_angle: About the beam.
        source_offset: `sourceOffsetX`, `sourceOffsetY`.
        origin: Physical (u, v) of the first pixel's centre [mm].
        spacing: (u, v), that is (column, row) spacing [mm].
        size: (columns, rows) [px].
        direction: +1 or -1 along u and v: how u and v change as the pixel index grows.
    """

    source_to_isocenter: float
    source_to_detector: float
    gantry_angle: float
    projection_offset: tuple[float, float]
    out_of_plane_angle: float
    in_plane_angle: float
    source_offset: tuple[float, float]
    origin: tuple[float, float]
    spacing: tuple[float, float]
    size: tuple[int, int]
    direction: tuple[int, int] = (1, -1)

    @property
    def arguments(self) -> tuple[float, ...]:
        """The nine numbers in the order of `AddProjection`."""
        return (
            self.source_to_isocenter,
            self.source_to_detector,
            self.gantry_angle,
            *self.projection_offset,
            self.out_of_plane_angle,
            self.in_plane_angle,
            *self.source_offset,
        )

    @property
    def matrix(self) -> Tensor:
        """RTK's projection matrix (3, 4) float64, fixed frame [mm] to homogeneous detector (u, v) [mm]."""
        sid, sdd = self.source_to_isocenter, self.source_to_detector
        (sx, sy), (px, py) = self.source_offset, self.projection_offset
        rows = [[-sdd, 0.0, sx - px, sdd * sx], [0.0, -sdd, sy - py, sdd * sy], [0.0, 0.0, 1.0, 0.0]]
        in_detector = torch.tensor(rows, dtype=torch.float64)
        in_detector[:, 3] -= sid * in_detector[:, 2]
        return torch.cat([in_detector[:, :3] @ self.rotation, in_detector[:, 3:]], dim=1)

    @property
    def rotation(self) -> Tensor:
        """Fixed frame to detector frame (u, v, towards the source), (3, 3) float64: Rz(-in) Rx(-out) Ry(-gantry)."""
        angles = [-self.in_plane_angle, -self.out_of_plane_angle, -self.gantry_angle]
        radians = torch.deg2rad(torch.tensor(angles, dtype=torch.float64))
        return rotation_from(radians, parameterization="euler_angles", convention="ZXY")


@full_precision
def to_rtk(camera: Camera, pose: Tensor, *, isocenter: Vector = (0.0, 0.0, 0.0)) -> list[RTKProjection]:
    """RTK's numbers for each view.

    RTK's detector frame has u, v and the direction *to* the source right-handed, so v runs up where our rows run
    down: the image keeps our row order and carries direction (1, -1). All views of one camera size share origin,
    spacing and size (the principal point goes into the projection offset), so they fit one geometry and one stack.

    Args:
        camera: Intrinsics.
        pose: Camera to world RAS, (B, 4, 4) or (4, 4).
        isocenter: World point [mm, RAS] to serve as RTK's origin; the default keeps ITK's world. A point near the
            patient makes the nine numbers readable; the volume handed to RTK must then be moved along.

    Returns:
        One RTKProjection per view, computed in float64, without gradient.
    """
    axes, camera = unsettle(camera, pose.detach().cpu().double())
    sdd, spacing, centre = (t.detach() for t in camera.tensors(dtype=axes.dtype, device=axes.device))
    sdd, spacing, centre = sdd.expand(len(axes)), spacing.expand(len(axes), 2), centre.expand(len(axes), 2)
    axes = _about(swap_ras_lps_pose(axes), isocenter)
    rotation = axes[:, :3, :3].mT * axes.new_tensor([1.0, -1.0, -1.0])[:, None]
    source = (rotation @ axes[:, :3, 3:])[:, :, 0]
    turns = torch.rad2deg(-parameters_from(rotation, parameterization="euler_angles", convention="ZXY")).tolist()
    half = torch.tensor([camera.width / 2, camera.height / 2], dtype=torch.float64)
    shift = (centre - half) * spacing.flip(-1) * half.new_tensor([-1.0, 1.0])
    corner = (0.5 - half) * spacing.flip(-1) * half.new_tensor([1.0, -1.0])
    return [
        RTKProjection(
            source_to_isocenter=float(source[i, 2]),
            source_to_detector=float(sdd[i]),
            gantry_angle=turns[i][2],
            projection_offset=_two(source[i, :2] + shift[i]),
            out_of_plane_angle=turns[i][1],
            in_plane_angle=turns[i][0],
            source_offset=_two(source[i, :2]),
            origin=_two(corner[i]),
            spacing=_two(spacing[i].flip(-1)),
            size=(camera.width, camera.height),
        )
        for i in range(len(axes))
    ]


@full_precision
def from_rtk(projections: RTKProjection | Sequence[RTKProjection], *, isocenter: Vector = (0.0, 0.0, 0.0)) -> PeerView:
    """The views of RTK projections; the inverse of `to_rtk`.

    An image with RTK's usual identity direction lists its rows from the bottom up, which is our image mirrored (and
    turned by 180 degrees): then `mirrored` is true.

    Args:
        projections: One or more, with one image size and one handedness.
        isocenter: World point [mm, RAS] at RTK's origin.

    Returns:
        camera, pose (B, 4, 4) float64 to world RAS, and `mirrored`.

    Raises:
        GeometryError: No projection, parallel beams, mixed sizes or handedness.
    """
    views = [projections] if isinstance(projections, RTKProjection) else list(projections)
    if not views or len({view.size for view in views}) > 1:
        raise GeometryError(f"projections must share one image size, got {[view.size for view in views]}.")
    numbers = torch.tensor([view.arguments for view in views], dtype=torch.float64)
    sid, sdd, source, offset = numbers[:, 0], numbers[:, 1], numbers[:, 7:9], numbers[:, 3:5]
    if not bool((sdd > 0).all()):
        raise GeometryError(
            f"source_to_detector must be positive, got {sdd.tolist()} mm; parallel beams have no Camera."
        )
    to_fixed = torch.stack([view.rotation.mT for view in views])
    origin, spacing, direction = (
        torch.tensor([getattr(view, name) for view in views], dtype=torch.float64)
        for name in ("origin", "spacing", "direction")
    )
    axes = torch.eye(4, dtype=torch.float64).repeat(len(views), 1, 1)
    axes[:, :3, :3] = to_fixed * torch.cat([direction, -torch.ones_like(sid)[:, None]], dim=-1)[:, None]
    axes[:, :3, 3:] = to_fixed @ torch.cat([source, sid[:, None]], dim=-1)[:, :, None]
    width, height = views[0].size
    centre = (source - offset - origin) * direction / spacing + 0.5
    camera = Camera(sdd, height, width, pixel_spacing=spacing.flip(-1), principal_point=centre)
    return settle(swap_ras_lps_pose(_about(axes, isocenter, back=True)), camera, name="projections")


def _about(axes: Tensor, isocenter: Vector, *, back: bool = False) -> Tensor:
    """LPS axes with the isocenter (RAS) moved to the origin, or back."""
    centre = swap_ras_lps_points(torch.as_tensor(isocenter, dtype=torch.float64).reshape(3))
    moved = axes.clone()
    moved[:, :3, 3] += centre if back else -centre
    return moved


def _two(values: Tensor) -> tuple[float, float]:
    first, second = values.tolist()
    return first, second
