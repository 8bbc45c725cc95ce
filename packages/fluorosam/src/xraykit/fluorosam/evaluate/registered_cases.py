"""Cases of X-rays that were registered to a CT: the label map's masks, projected as the found camera sees them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from xraykit.render import Camera, FileError, GeometryError, InputError, Volume, read_pose
from xraykit.render.commands import LeftOut
from xraykit.render.rendering import scene_masks
from xraykit.render.storage import finding_sentences, kind_at, read_json_object

from ..predictor.xray_input import open_xray
from ..vocabulary.annotations import absent_targets, present_targets
from .cases import SegmentationCase, evenly, readable
from .settings import CaseSettings

RESULT = "result.json"
_LIMIT = 1 << 26
_SUFFIXES = (".dcm", ".dicom", ".ima", ".png", ".tif", ".tiff", ".jpg", ".jpeg", "")


class RegisteredView(NamedTuple):
    """A view of a result: its name, camera, and camera to world (4, 4) [mm]."""

    name: str
    camera: Camera
    pose: Tensor


class RegisteredCases:
    """Registered X-rays with the projected masks of every label.

    Args:
        xrays: The X-ray, or a folder that holds one file for each view of the result.
        settings: The result, the CT and its label map.
        left_out: Takes images that cannot be read; None ends at the first.

    Raises:
        InputError: Result, CT or label map were not given, or labels have no known names.
        FileError: A file that is missing or damaged, an X-ray of another size than its view, or a view without X-ray.
    """

    def __init__(self, xrays: str | Path, settings: CaseSettings, *, left_out: LeftOut | None = None) -> None:
        if settings.xvr is None or settings.ct is None or settings.labels is None:
            raise InputError("registered X-rays need a result, a CT and its label map; give --xvr, --ct and --labels.")
        self.views = read_views(settings.xvr)
        self._xrays = [(view, _xray_of(Path(xrays), view, len(self.views))) for view in self.views]
        self._numbers = evenly(len(self._xrays), settings.images)
        files = {"labels": settings.labels, "label_names": settings.label_names}
        self._volume = Volume.from_file(settings.ct, **settings.volume.reading, **files)
        found = {**self._volume.assumptions, **self._volume.doubts}
        self.notes = [f"{settings.ct.name}: {line}" for line in finding_sentences(found)]
        self._reading = settings.reading
        if not present_targets(tuple(self._volume.label_names.values())):
            raise InputError(
                f"{settings.labels} must have labels with known names, got "
                f"{', '.join(map(str, list(self._volume.label_names.values())[:4])) or 'none'}; give --label-names."
            )
        self._patient, self._left_out = settings.ct.name, left_out

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[SegmentationCase]:
        yield from readable(self._numbers, self._read, self._left_out)

    def _read(self, number: int) -> SegmentationCase:
        view, path = self._xrays[number]
        xray = open_xray(path, self._reading)
        said = [f"{path.name}: {line}" for line in (*xray.notes, *xray.doubts)]
        self.notes += [line for line in said if line not in self.notes]
        size = (view.camera.height, view.camera.width)
        if xray.size != size:
            raise FileError(
                f"{path} must have the {size[0]} x {size[1]} pixels of its view {view.name!r}, got "
                f"{xray.size[0]} x {xray.size[1]}."
            )
        return self._case(view, xray)

    def _case(self, view: RegisteredView, xray: Any) -> SegmentationCase:
        found = scene_masks([self._volume], view.camera, view.pose[None].float())
        masks = found.stack()[0].cpu()
        shown = [n for n, name in enumerate(found.names) if bool(masks[n].any())]
        names = tuple(found.names[n] for n in shown)
        spacing = view.camera.tensors(dtype=torch.float64, device="cpu")[1][0].tolist()
        return SegmentationCase(
            view.name, self._patient, "unknown", xray.grey, xray.bone, masks[shown], present_targets(names),
            absent_targets(names), (spacing[0], spacing[1]),
        )  # fmt: skip


def read_views(path: str | Path) -> list[RegisteredView]:
    """The views of a result of `xvr register` (its folder or result.json), or the one of a pose.json.

    Raises:
        FileError: It is missing, neither of these, or damaged; or it has several structures, each with poses of its
            own.
    """
    path = Path(path)
    path = path / RESULT if kind_at(path) == "folder" else path
    content = read_json_object(path, what="a result of xvr register or a pose.json", most_bytes=_LIMIT)
    if "camera_to_world" in content:
        camera, pose = read_pose(path)
        return [RegisteredView(path.stem, camera, pose[0])]
    try:
        views, structures = content["views"], content["structures"]
        if len(structures) != 1:
            raise FileError(f"{path} must have one structure, got {len(structures)}, each with poses of its own.")
        poses = structures[0]["camera_to_world"]
        return [RegisteredView(str(one["name"]), _camera(one), _pose(poses[one["name"]])) for one in views]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, GeometryError) as error:
        if isinstance(error, FileError):
            raise
        missing = f"{error} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise FileError(
            f"{path} must be a result of xvr register or a pose.json, got another file: {missing}."
        ) from error


def _camera(view: Mapping[str, Any]) -> Camera:
    return Camera(
        sdd=float(view["sdd_mm"]),
        height=view["height_px"],
        width=view["width_px"],
        pixel_spacing=[float(side) for side in view["pixel_spacing_row_column_mm"]],
        principal_point=[float(side) for side in view["principal_point_x_y_px"]],
    )


def _pose(rows: Any) -> Tensor:
    pose = torch.tensor(rows, dtype=torch.float64)
    if tuple(pose.shape) != (4, 4) or not all(math.isfinite(value) for value in pose.flatten().tolist()):
        raise ValueError("camera_to_world must be 4 x 4 finite numbers")
    return pose


def _xray_of(xrays: Path, view: RegisteredView, count: int) -> Path:
    """The file of a view: the only one, or the one that is called like it."""
    if xrays.is_file():
        if count > 1:
            raise InputError(f"{count} views need a folder with a file for each, got the file {xrays}.")
        return xrays
    if not xrays.is_dir():
        raise FileError(f"X-rays were expected at {xrays}, got nothing there; check the path.")
    files = sorted(path for path in xrays.iterdir() if path.is_file() and path.suffix.lower() in _SUFFIXES)
    fits = [path for path in files if view.name in (path.name, path.stem)]
    if len(fits) != 1:
        raise FileError(f"{xrays} must hold one X-ray called {view.name!r}, got {len(fits)}.")
    return fits[0]
