"""A track of two boxes through three frames, as `xraykit xvr track --mesh` would leave it, with its files."""

from __future__ import annotations

from pathlib import Path

import torch
import trimesh
from torch import Tensor
from xraykit.render import Camera, read_mesh, save_image
from xraykit.render.geometry import rigid_inverse, rigid_matrix
from xraykit.render.meshes import thickness
from xraykit.render.storage import write_settings
from xraykit.xvr.procedure_settings import MeshSettings
from xraykit.xvr.tracking.file_tracking import SETTINGS_FILE
from xraykit.xvr.tracking.journal import FILE_NAME, TrackHeader, begin_journal
from xraykit.xvr.tracking.result import TrackedFrame, Verdict
from xraykit.xvr.tracking.settings import TrackOutputSettings, TrackSettings
from xraykit.xvr.xray.settings import XraySettings

SDD = 1000.0
CAMERA = Camera(sdd=SDD, height=120, width=160, pixel_spacing=1.0)
SIZES = {"plate": (30.0, 12.0, 8.0), "stem": (8.0, 34.0, 8.0)}
PLACES = {"plate": (-20.0, -10.0), "stem": (15.0, 5.0)}  # right of and below the central ray [mm]
STEP = 6.0  # to the right from frame to frame [mm]
DEPTH = 700.0


def write_mesh_track(
    folder: Path, *, lost: tuple[tuple[int, int], ...] = (), noted: bool = True
) -> tuple[Path, Tensor]:
    """The folder of the track and the poses (T, K, 1, 4, 4), camera to mesh; `lost` are (frame, body).

    Without `noted`, settings.json does not say where its paths begin.
    """
    run, out = folder / "run", folder / "track"
    run.mkdir()
    out.mkdir()
    meshes = tuple(folder / f"{name}.stl" for name in SIZES)
    for path, size in zip(meshes, SIZES.values(), strict=True):
        trimesh.creation.box(size).export(path)
    poses = torch.stack([torch.stack([_pose(place, n)[None] for place in PLACES.values()]) for n in range(3)])
    for n in range(3):
        shadows = torch.stack([silhouette(path, poses[n, k, 0]).float() for k, path in enumerate(meshes)])
        save_image(run / f"{n:03}.tiff", (1.0 + shadows.sum(0))[None, None], camera=CAMERA)
    xray = XraySettings(sdd=SDD, pixel_spacing=1.0, polarity="line_integral", field_of_view="whole")
    settings = TrackSettings(run, TrackOutputSettings(out), meshes=MeshSettings(meshes), xray=xray)
    origin = {"command": "xvr track", "distribution": "xraykit-xvr"}
    write_settings(out / SETTINGS_FILE, settings, **origin, note_folder=noted)
    frames = [_frame(n, poses[n], [k for frame, k in lost if frame == n]) for n in range(3)]
    inputs = {"views": [str(run)], "meshes": [str(path) for path in meshes]}
    header = TrackHeader(tuple(SIZES), ("run",), torch.zeros(2, 3, dtype=torch.float64), (20.0, 20.0), inputs)
    begin_journal(out / FILE_NAME, header, frames)
    return out, poses


def silhouette(path: Path, pose: Tensor, camera: Camera = CAMERA) -> Tensor:
    """Which pixels (H, W) a mesh file covers, at a pose (4, 4)."""
    return thickness([read_mesh(path)], camera, pose[None])[0, 0] > 0


def _pose(place: tuple[float, float], frame: int) -> Tensor:
    shift = torch.tensor([place[0] + STEP * frame, place[1], DEPTH], dtype=torch.float64)
    return rigid_inverse(rigid_matrix(torch.eye(3, dtype=torch.float64), shift))


def _frame(number: int, poses: Tensor, lost: list[int]) -> TrackedFrame:
    known = poses.clone()
    verdicts: list[Verdict] = ["tracked" if number else "found" for _ in poses]
    for k in lost:
        known[k], verdicts[k] = torch.nan, "lost"
    reasons = ("stem: fits 0.31, usual is 0.95",) if lost else ()
    return TrackedFrame(number, f"{number:03}", None, known, (0.95, 0.9), (None, None), tuple(verdicts), reasons)
