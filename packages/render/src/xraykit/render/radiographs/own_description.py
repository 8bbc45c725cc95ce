"""What our own TIFF says of itself in its ImageDescription: polarity, camera, pose; what is damaged is a doubt."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch

from ..errors import GeometryError
from ..geometry.camera import Camera
from ..geometry.plausible_camera import camera_doubts
from ..geometry.rigid import check_pose
from ..storage.brief import brief
from ..storage.provenance import DOUBT, MISSING, Found, Origin
from .radiograph import POLARITIES

MARK = "xraykit"
OURS = "ImageDescription (xraykit)"
CAMERA = ("sdd", "pixel_spacing", "principal_point")


def own_description(description: str, facts: Found) -> dict[str, Any]:
    """The entries that `save_image` wrote; {} where another program did, or where they are damaged.

    Args:
        description: Tag 270 of a TIFF.
        facts: Gets a doubt where it bears our mark and cannot be read, or has a polarity that there is not.
    """
    try:
        content = json.loads(description)
        ours = content.get(MARK, {}) if isinstance(content, dict) else {}
    except (ValueError, RecursionError):
        ours = None if f'"{MARK}"' in description else {}
    if not isinstance(ours, dict):
        note = f"{OURS} is damaged, and what it said of polarity, camera and pose is lost"
        facts["description"] = Origin(None, DOUBT, note)
        return {}
    if "polarity" in ours and ours["polarity"] not in POLARITIES:
        note = f"{OURS} has one that there is not, so it is assumed; say it with --polarity"
        facts["stated polarity"] = Origin(None, DOUBT, note)
    return ours


def own_camera(ours: dict[str, Any], shape: tuple[int, ...], facts: Found) -> Camera | None:
    """The camera of an own description, None where it has none or a damaged one; the pose becomes a fact.

    Args:
        ours: See `own_description`.
        shape: Of the pages, (F, H, W).
        facts: Gets what is said of camera and pose, and doubts.
    """
    if not any(name in ours for name in CAMERA):
        facts["camera"] = Origin(None, MISSING, "the format has no geometry tags; pass a camera")
        return None
    try:
        camera = _camera(ours, shape)
    except (GeometryError, KeyError, TypeError, ValueError, OverflowError) as error:
        facts["camera"] = Origin(None, MISSING, f"ImageDescription holds no camera ({brief(error)})")
        facts["stated camera"] = Origin(None, DOUBT, f"that of {OURS} is damaged and left out ({brief(error)})")
        return None
    for name in CAMERA:
        facts[name] = Origin(ours[name], OURS)
    for sentence in camera_doubts(camera):
        facts["stated camera"] = Origin(None, DOUBT, sentence)
    if "camera_to_world" in ours:
        try:
            values = _poses(ours["camera_to_world"], shape[0])
            facts["camera_to_world"] = Origin(values, OURS, "4x4 per view, row by row, RAS mm")
        except (GeometryError, TypeError, ValueError, OverflowError) as error:
            facts["stated pose"] = Origin(None, DOUBT, f"that of {OURS} is damaged and left out ({brief(error)})")
    return camera


def _camera(ours: dict[str, Any], shape: tuple[int, ...]) -> Camera:
    lacking = [name for name in CAMERA if name not in ours]
    if lacking:
        raise ValueError(f"no {' and no '.join(lacking)}")
    stated = tuple(ours.get(name, size) for name, size in zip(("height", "width"), shape[1:], strict=True))
    if stated != shape[1:]:
        raise ValueError(f"it is of {stated[0]} x {stated[1]} pixels, the image has {shape[1]} x {shape[2]}")
    return Camera(
        sdd=float(ours["sdd"]),
        height=shape[1],
        width=shape[2],
        pixel_spacing=tuple(float(v) for v in ours["pixel_spacing"]),
        principal_point=tuple(float(v) for v in ours["principal_point"]),
    )


def _poses(stated: object, pages: int) -> tuple[float, ...]:
    """The elements of all matrices, once each is a rigid motion and there is one, or one for each view."""
    poses = np.asarray(stated, dtype=np.float64).reshape(-1, 4, 4)
    check_pose(torch.from_numpy(poses))
    if pages % len(poses):
        raise ValueError(f"{len(poses)} matrices for {pages} pages")
    return tuple(poses.flatten().tolist())
