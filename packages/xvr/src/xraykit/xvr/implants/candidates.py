"""Where an implant may be: the starts and their neighbours, or what a search of all orientations finds."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from xraykit.render import InputError
from xraykit.render.geometry import rigid_inverse

from ..xray.shot import Shot
from .implant import Implant
from .objective import RimTarget
from .search import all_around, around, rough_places
from .settings import ImplantSettings
from .silhouette import Outline, focal_and_centre
from .two_views import joined

DETAIL = 0.75  # of a pixel, seen at the detector: what coarser triangles may hide


def candidate_poses(
    shots: Sequence[Shot], implant: Implant, starts: Tensor | None, between: Tensor, settings: ImplantSettings
) -> Tensor:
    """Poses (S, V, 4, 4) to climb from: the starts and what is found around them, or anywhere."""
    if starts is not None and not settings.spread:
        return starts
    search = settings.search
    level = tuple(RimTarget.of(shot, search.longest) for shot in shots)
    outline, places = outline_for(implant, level), []
    for v, target in enumerate(level):
        if starts is None:
            rolls = torch.arange(0, 360, search.step, dtype=torch.float64).deg2rad()
            middle = search.depths[len(search.depths) // 2]
            sizes, within = torch.tensor(search.depths, dtype=torch.float64) / middle, None
            poses = all_around(outline, target.camera, search)
        else:
            rolls = torch.tensor([-9.0, 0.0, 9.0], dtype=torch.float64).deg2rad()
            sizes = torch.tensor([0.97, 1.0, 1.03], dtype=torch.float64)
            poses = torch.cat([around(outline, start) for start in starts[:, v]])
            to_camera = rigid_inverse(starts[:, v])
            depth = to_camera[:, 2, :3] @ implant.pivot + to_camera[:, 2, 3]
            within = settings.radius * float(focal_and_centre(target.camera)[0].mean() / depth.mean())
        keep = search.keep if starts is None else max(4, settings.keep // 2)
        places.append(rough_places(target, outline, poses, rolls=rolls, sizes=sizes, within=within, keep=keep))
    found = joined(places, implant, between, most=search.keep)
    found = found if starts is None else torch.cat([starts, found])
    if len(found) == 0:
        raise InputError(
            f"{implant.name} must be found at one place by all X-rays, got places that do not meet; check the cameras "
            "and the order of the X-rays, or give a start."
        )
    return found


def outline_for(implant: Implant, targets: tuple[RimTarget, ...]) -> Outline:
    """The implant at the detail that the finest view can show."""
    pitch = min(float((1 / focal_and_centre(t.camera)[0]).min()) * _sdd(t) for t in targets)
    return Outline(implant.with_detail(DETAIL * pitch))


def _sdd(target: RimTarget) -> float:
    return float(target.camera.tensors(dtype=torch.float64, device="cpu")[0][0])


def check_in_view(shots: Sequence[Shot], implant: Implant, starts: Tensor) -> None:
    """Refuse starts (S, V, 4, 4) that put the implant wholly outside of an X-ray, or behind its source."""
    for start in starts.reshape(-1, len(shots), 4, 4):
        for shot, pose in zip(shots, start, strict=True):
            focal, centre = focal_and_centre(shot.camera)
            to_camera = rigid_inverse(pose)
            seen = to_camera[:3, :3] @ implant.pivot + to_camera[:3, 3]
            uv = focal * seen[:2] / seen[2].clamp_min(1.0) + centre
            reach = focal.max() * implant.radius / seen[2].clamp_min(1.0)
            size = uv.new_tensor([shot.camera.width, shot.camera.height])
            if seen[2] <= implant.radius or bool((uv < -reach).any()) or bool((uv > size + reach).any()):
                raise InputError(
                    f"{implant.name} must start inside {shot.name}, got a start that puts it at "
                    f"({float(uv[0]):.0f}, {float(uv[1]):.0f}) px of {shot.camera.width} x {shot.camera.height}, "
                    f"{float(seen[2]):.0f} mm before the source; check the start, and the unit of the mesh."
                )
