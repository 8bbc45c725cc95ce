"""Ways to a first guess of a pose, as the page's buttons: DICOM tags, a coarse search, a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import FileError, GeometryError, Volume, render

from ..network.predict import predict_poses
from ..refine.pyramid import samples_through, shrunk_shot
from ..refine.similarity import gradient_ncc, mncc
from ..start.coarse_search import SearchSettings, starts_from_search
from ..start.dicom_tags import starts_from_dicom
from ..start.finding import asked_network
from ..start.fixed import starts_from_views
from ..start.settings import NetworkStart
from ..xray.shot import Shot
from ..xray.upright import rolled
from .pose_sliders import sliders_of
from .session import Starter, StarterProgress

AROUND = (45.0, 30.0, 15.0)
"""How far the coarse search looks to both sides of the LAO/RAO, CRA/CAU and roll at hand [degrees]."""
COMPARED = 128  # px of the longer side when candidates are compared
DEFAULT_VIEW = "ap"


def make_starters(
    volume: Volume,
    paths: Sequence[Path],
    shots: Sequence[Shot],
    *,
    mirror: bool | None = None,
    network: NetworkStart | None = None,
    warp: Tensor | None = None,
) -> dict[str, Starter]:
    """The ways that there are for these X-rays, by name: "dicom" where a file has the tags, "coarse", "network".

    Args:
        volume: The CT.
        paths: The file of each X-ray.
        shots: The X-rays.
        mirror: As given to `read_shot`.
        network: A pose network, where it has a source; it is read when it is first used.
        warp: For networks trained in a template frame.
    """
    tags = {
        shot.name: pose
        for path, shot in zip(paths, shots, strict=True)
        if (pose := tagged_pose(path, shot, volume, mirror)) is not None
    }

    def from_tags(shot: Shot, body: Volume, pose: Tensor, progress: StarterProgress) -> Tensor:
        known = tags.get(shot.name)
        if known is None and shot.source is not None:  # another frame of a run than the first
            known = tagged_pose(shot.source, shot, volume, mirror)
        if known is None:
            raise GeometryError(f"{shot.name} has no positioner tags; start it by hand or by a search.")
        return known

    asked = network or NetworkStart()

    def from_network(shot: Shot, body: Volume, pose: Tensor, progress: StarterProgress) -> Tensor:
        progress("reading the network", None, None)
        found = asked_network(asked)
        progress("asking the network", None, None)
        return most_similar(shot, body, predict_poses(found, shot, volume, warp=warp)[:, 0])

    ways: dict[str, Starter] = {"dicom": from_tags} if tags else {}
    return {**ways, "coarse": from_search, **({"network": from_network} if asked.source else {})}


def from_search(shot: Shot, body: Volume, pose: Tensor, progress: StarterProgress) -> Tensor:
    """The best pose of a coarse search `AROUND` where the X-ray is seen from, at any distance that C-arms have."""
    now = sliders_of(pose, body.center)
    settings = SearchSettings(
        lao_rao=(now.lao_rao - AROUND[0], now.lao_rao + AROUND[0]),
        cra_cau=(now.cra_cau - AROUND[1], now.cra_cau + AROUND[1]),
        roll=(now.roll - AROUND[2], now.roll + AROUND[2]),
    )

    def report(done: int, total: int) -> None:
        progress(f"{done} of {total} views compared", done / max(total, 1), None)

    return starts_from_search(shot, body, settings, report=report)[0, 0]


def most_similar(shot: Shot, body: Volume, poses: Tensor) -> Tensor:
    """The pose (4, 4) among candidates (S, 4, 4) whose rendering is most like the X-ray."""
    image, valid, camera = shrunk_shot(shot, COMPARED)
    drr = render(body, camera, poses, samples=samples_through(body)).cpu()
    target = image[None, None].cpu()
    likeness = mncc(drr, target, valid=valid) + gradient_ncc(drr, target, valid=valid)
    return poses[int(likeness.argmax())]


def first_poses(
    volume: Volume,
    paths: Sequence[Path],
    shots: Sequence[Shot],
    *,
    view: str | None = None,
    mirror: bool | None = None,
) -> tuple[Tensor, list[str]]:
    """Where each X-ray is seen from when the page opens, (V, 4, 4), and what was assumed.

    The named view for all, if there is one; else each file's positioner tags; else AP.

    Raises:
        InputError: No view has this name, or it needs labels.
    """
    poses, notes = [], []
    for path, shot in zip(paths, shots, strict=True):
        pose = tagged_pose(path, shot, volume, mirror) if view is None else None
        if pose is None:
            pose = rolled(starts_from_views([view or DEFAULT_VIEW], volume, [shot.camera])[0, 0], shot.roll)
            if view is None:
                notes.append(f"{shot.name} has no positioner tags: the page opens with an AP view.")
        poses.append(pose)
    return torch.stack(poses).double(), notes


def tagged_pose(path: Path, shot: Shot, volume: Volume, mirror: bool | None) -> Tensor | None:
    """The pose (4, 4) that a file's positioner tags describe, or None where it has none."""
    try:
        where = {"isocenter": volume.center, "mirror": mirror, "frames": [shot.frame]}
        return starts_from_dicom([path], [shot.camera], **where)[0, 0]
    except (FileError, GeometryError):
        return None
