"""A run of X-rays of the app's small patient, who turns from frame to frame, its track, and a session that steps it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from support.xvr_app import CAMERA, SETTINGS, TRUE, patient, shot_of
from torch import Tensor
from xraykit.render import save_image
from xraykit.xvr.app.cine_steps import CineSteps
from xraykit.xvr.app.session import Session
from xraykit.xvr.app.tracked_poses import TrackedPoses, read_tracked_poses
from xraykit.xvr.procedure import register_xrays
from xraykit.xvr.tracking.cine import read_runs
from xraykit.xvr.tracking.journal import FILE_NAME, TrackHeader, begin_journal
from xraykit.xvr.tracking.result import TrackedFrame
from xraykit.xvr.tracking.settings import CineSettings
from xraykit.xvr.xray.settings import XraySettings

TURN = 3.0  # from frame to frame [degrees]
HOW = XraySettings(sdd=1000.0, pixel_spacing=1.0, polarity="line_integral", field_of_view="whole")


def write_run(folder: Path, count: int) -> tuple[Path, Tensor]:
    """A folder of images 000.tiff and on, and their true poses (T, 4, 4)."""
    volume, poses = patient(), []
    (folder / "run").mkdir(parents=True)
    for n in range(count):
        shot, pose = shot_of(volume, lao_rao=TRUE["lao_rao"] + n * TURN)
        save_image(folder / f"run/{n:03}.tiff", shot.image[None, None], camera=CAMERA)
        poses.append(pose)
    return folder / "run", torch.stack(poses)


def write_track(
    folder: Path, poses: Tensor, *, bodies: tuple[str, ...] = ("CT",), lost: tuple[int, ...] = (), **header: Any
) -> Path:
    """What `xvr track` would leave of poses (T, 4, 4), the same for every body, in frames 000 and on."""
    folder.mkdir(parents=True, exist_ok=True)
    count, frames = len(bodies), []
    for n, pose in enumerate(poses):
        is_lost = n in lost
        known = torch.full((4, 4), torch.nan, dtype=torch.float64) if is_lost else pose
        verdict, reasons = ("lost", ("fits 0.31, usual is 0.95",)) if is_lost else ("tracked", ())
        values = (known.expand(count, 1, 4, 4), (0.95,) * count, (None,) * count, (verdict,) * count, reasons)
        frames.append(TrackedFrame(n, f"{n:03}", None, *values))
    named: dict[str, Any] = {"views": ("run",), "inputs": {"ct": "ct.nii.gz"}, **header}
    pivots, radii = torch.zeros(count, 3, dtype=torch.float64), (50.0,) * count
    begin_journal(folder / FILE_NAME, TrackHeader(bodies, pivots=pivots, radii=radii, **named), frames)
    return folder


def cine_session(run: Path, start: Tensor, *, track: Path | None = None, **options: Any) -> Session:
    """A session that shows the first frame of a run that can be read, seen from a start (4, 4)."""
    runs = read_runs([run], HOW, CineSettings(uneven=True))
    tracked: TrackedPoses | None = None if track is None else read_tracked_poses(track, runs)
    frames = CineSteps(runs, tracked)
    shots, _ = frames.open()
    named = {"starters": {}, "refine_with": partial(register_xrays, settings=SETTINGS), **options}
    return Session(patient(), shots, start[None], frames=frames, **named)
