"""A small patient, X-rays of it, and a session of the registration app on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from support.waiting import PATIENCE
from torch import Tensor
from xraykit.render import Camera, Volume, carm_pose, render
from xraykit.render.geometry import rigid_matrix, rotation_from
from xraykit.render.volumes import Box, Ellipsoid, voxelise
from xraykit.xvr.app.session import Session
from xraykit.xvr.procedure import register_xrays
from xraykit.xvr.procedure_settings import ProcedureSettings
from xraykit.xvr.refine.settings import RefinementSettings
from xraykit.xvr.xray.shot import Shot

CAMERA = Camera(sdd=1000.0, height=240, width=320, pixel_spacing=1.0)
TRUE = {"lao_rao": 172.0, "cra_cau": 6.0, "roll": -3.0, "sod": 700.0}
SETTINGS = ProcedureSettings(refinement=RefinementSettings(scales=(32, 64), iterations=12, spread=False))


def patient() -> Volume:
    """A body with a bright rod, a ball and a block in it; labels 1, 2 and 3."""
    parts = {
        "rib_left_1": Box((16.0, 18.0, 90.0), mu=0.03, center=(-30.0, 10.0, 5.0)),
        "rib_left_2": Ellipsoid((17.0, 14.0, 20.0), mu=0.03, center=(35.0, -20.0, 20.0)),
        "liver": Box((40.0, 20.0, 12.0), mu=0.02, center=(10.0, 25.0, -30.0)),
    }
    body = Ellipsoid((80.0, 50.0, 70.0), mu=0.015)
    box = Box((168.0, 108.0, 148.0), mu=1e-9)
    whole = voxelise([*parts.values(), body, box], spacing=4.0, supersampling=1)
    labels = torch.zeros(whole.shape, dtype=torch.uint8)
    for value, part in enumerate(parts.values(), start=1):
        alone = voxelise([part, box], spacing=4.0, supersampling=1)
        labels[alone.mu > 0.01] = value
    return replace(whole, labels=labels, label_names=dict(enumerate(parts, start=1)))


def shot_of(volume: Volume, *, name: str = "front", lao_rao: float = TRUE["lao_rao"]) -> tuple[Shot, Tensor]:
    """A rendered X-ray and its true pose (4, 4)."""
    pose = carm_pose(**{**TRUE, "lao_rao": lao_rao}, isocenter=volume.center).double()  # type: ignore[arg-type]
    image = render(volume, CAMERA, pose, samples=120)[0, 0]
    return Shot(3.0 * image + 1.0, CAMERA, name=name, notes=("invented",)), pose[0]


def small_session(**options: Any) -> tuple[Session, Tensor]:
    """A session of two X-rays, with the patient moved by some 3 degrees and 9 mm, and the true poses (2, 4, 4)."""
    volume = patient()
    (front, first), (side, second) = shot_of(volume), shot_of(volume, name="side", lao_rao=100.0)
    truth = torch.stack([first, second])
    turn = rotation_from(torch.tensor([0.02, -0.03, 0.04], dtype=torch.float64), parameterization="axis_angle")
    shift = torch.tensor([4.0, -5.0, 6.0], dtype=torch.float64)
    starts = rigid_matrix(turn, volume.center - turn @ volume.center + shift) @ truth
    named = {"starters": {}, "refine_with": partial(register_xrays, settings=SETTINGS), **options}
    session = Session(volume, [front, side], starts, **named)
    return session, truth


def ended(session: Session) -> Any:
    """The job of a session once it has ended."""
    job = session.worker.job
    assert job is not None and job.future is not None
    job.future.exception(timeout=PATIENCE)
    return job


def blocked(event: Any) -> Callable[..., Tensor]:
    """A starter that reports until it is stopped, or returns its pose once the event is set."""

    def starter(shot: Shot, body: Volume, pose: Tensor, progress: Callable[..., None]) -> Tensor:
        while not event.wait(0.01):
            progress("looking", 0.5, None)
        return pose

    return starter
