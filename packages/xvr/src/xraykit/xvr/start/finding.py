"""Candidate poses for a registration, from all the sources that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from xraykit.render import FileError, GeometryError, InputError, Radiograph, Volume, read_radiograph
from xraykit.render.geometry import carm_angles, rigid_inverse
from xraykit.render.radiographs import is_stored_mirrored

from ..result.reading import read_result
from ..xray.settings import XraySettings
from ..xray.shot import Shot
from ..xray.upright import rolled
from .candidates import calibrated_places, joined_starts, spread_to_views
from .checks import check_start, implied_starts
from .coarse_search import SearchSettings, starts_from_search
from .dicom_tags import starts_from_dicom
from .earlier_result import starts_from_result
from .fixed import default_sod, starts_from_angles, starts_from_pose_files, starts_from_views
from .landmarks import joint_starts_from_landmarks, starts_from_landmarks
from .settings import NetworkStart, StartKind, StartSettings
from .slicer_markups import SLICER_ENDINGS, read_image_points, read_world_points

if TYPE_CHECKING:
    from ..network.pose_network import PoseNetwork

T = TypeVar("T")
KNOWN_ANGLES, KNOWN_SOD = 5.0, 0.05  # how far tags and stated angles may be off: degrees, share of sod


@dataclass(frozen=True, eq=False)
class StartRequest:
    """X-rays that get one pose together, and what is known of where they were taken from.

    Args:
        settings: Where to start; what is given for each X-ray has one value for each of these, or one for all.
        shots: The V X-rays.
        volume: The CT.
        isocenter: What the C-arm turns about, world RAS [mm], (3,).
        paths: The file of each X-ray; () where there is none, then nothing is read from them.
        reading: How the files were read.
        around: Search around what does not know where in the beam the patient lies.
        structure: Whose pose of an earlier result it is; None, or where it holds a single one, is its first.
    """

    settings: StartSettings
    shots: Sequence[Shot]
    volume: Volume
    isocenter: Tensor
    paths: Sequence[Path] = ()
    reading: XraySettings = field(default_factory=XraySettings)
    around: bool = True
    structure: str | None = None


def find_starts(request: StartRequest) -> tuple[Tensor, str, tuple[str, ...]]:
    """Candidates (S, V, 4, 4), where they come from, and what was assumed.

    Raises:
        InputError: A setting that does not fit the X-rays.
        FileError: A file that cannot be read.
        GeometryError: Tags that are missing or contradict each other.
    """
    check_start(request.settings, views=len(request.shots))
    kinds = request.settings.kinds or implied_starts(request.settings)
    notes: tuple[str, ...] = ()
    if not kinds:
        kinds, notes = _by_what_the_files_say(request)
    found = joined_starts([SOURCES[kind](request) for kind in kinds])
    relative = calibrated_places(request.shots)
    if relative is not None:  # what the tags or poses say of the other views is less exact
        found = spread_to_views(found[:, :1], relative)
    return found, "+".join(kinds), notes


def _by_what_the_files_say(request: StartRequest) -> tuple[tuple[StartKind, ...], tuple[str, ...]]:
    """DICOM tags where there are any; a search where not."""
    try:
        _tagged(request)
    except (FileError, GeometryError) as error:
        if len(request.shots) > 1 and calibrated_places(request.shots) is None:
            raise InputError(
                f"--joint needs the views' places relative to each other, give their --camera files: {error}"
            ) from error
        return ("search",), (f"started by a search over AP and PA views, as the file does not say more: {error}",)
    return ("dicom",), ()


def _for_each(request: StartRequest, values: tuple[T, ...]) -> list[T]:
    return list(values) * len(request.shots) if len(values) == 1 else list(values)


def _tagged(request: StartRequest) -> Tensor:
    """(1, V, 4, 4) as the positioner tags say."""
    if not request.paths:
        raise FileError("positioner tags are in DICOM files, got images without their files; give paths.")
    stated = request.settings.stated
    isocenter = request.isocenter + torch.tensor(stated.offset, dtype=torch.float64)
    cameras = [shot.camera for shot in request.shots]
    frames = [shot.frame for shot in request.shots]
    mirror = request.reading.mirror
    return starts_from_dicom(request.paths, cameras, isocenter=isocenter, sod=stated.sod, mirror=mirror, frames=frames)


def _from_dicom(request: StartRequest) -> Tensor:
    return _with_search_around(request, _tagged(request))


def _from_network(request: StartRequest) -> Tensor:
    from ..network.predict import predict_poses
    from ..template.warp import read_warp

    asked = request.settings.network
    network = asked_network(asked)
    warp = None if asked.warp is None else read_warp(asked.warp, request.volume, invert=asked.invert_warp)
    return _for_all_views(request, predict_poses(network, request.shots[0], request.volume, warp=warp))


@cache
def asked_network(asked: NetworkStart) -> PoseNetwork:
    """The network, read once.

    Raises:
        FileError: It cannot be read.
    """
    from ..network.weights import load_network

    options = {name: value for name, value in (("sdd", asked.sdd), ("delx", asked.delx)) if value is not None}
    return load_network(asked.source or "", **options)


def _from_fixed(request: StartRequest) -> Tensor:
    stated = request.settings.stated
    if stated.pose:
        return starts_from_pose_files(_for_each(request, stated.pose))
    cameras = [shot.camera for shot in request.shots]
    if stated.view:
        views = [stated.view] * len(cameras)
        found = starts_from_views(views, request.volume, cameras, sod=stated.sod)
        return _with_search_around(request, _as_stored(request, found))
    said = {"lao_rao": stated.lao_rao, "cra_cau": stated.cra_cau, "roll": stated.roll}
    angles = {name: _for_each(request, values) for name, values in said.items() if values}
    sods = [default_sod(camera, stated.sod) for camera in cameras]
    found = starts_from_angles(request.isocenter, sod=sods, offset=stated.offset, **angles)
    return _with_search_around(request, found if stated.roll else _as_stored(request, found))


def _as_stored(request: StartRequest, poses: Tensor) -> Tensor:
    """Poses (1, V, 4, 4) of which nobody stated the roll, with that of images that are stored turned."""
    each = [rolled(poses[:, n], shot.roll) for n, shot in enumerate(request.shots)]
    return torch.stack(each, dim=1)


def _from_result(request: StartRequest) -> Tensor:
    paths = request.settings.result
    if len(set(paths)) == 1:
        return starts_from_result(paths[0], structure=_held(paths[0], request.structure), views=len(request.shots))
    return torch.cat([starts_from_result(path, views=1) for path in paths], dim=1)


def _held(path: Path, structure: str | None) -> str | None:
    """The structure, where the result at `path` is not one of a single other one."""
    names = read_result(path).structures if structure is not None else ()
    return None if len(names) == 1 else structure


def _from_landmarks(request: StartRequest) -> Tensor:
    world = read_world_points(str(request.settings.landmarks.ct[0]))
    images = [_image_points(request, path, view) for view, path in enumerate(request.settings.landmarks.xray)]
    cameras = [shot.camera for shot in request.shots]
    if len(images) == 1:
        return _for_all_views(request, starts_from_landmarks(world, images[0], cameras[0]))
    return joint_starts_from_landmarks(world, images, cameras, _relative_places(request))


def _image_points(request: StartRequest, path: Path, view: int = 0) -> dict[str, tuple[float, float]]:
    """Points placed on the stored image of an X-ray, in pixels of its shot: mirrored, cropped, averaged."""
    reading, camera = request.reading, request.shots[view].camera
    if not request.paths:
        return read_image_points(path, camera)
    stored = read_radiograph(request.paths[view], colour=reading.colour, frame=request.shots[view].frame)
    mirrored = bool(is_stored_mirrored(stored)) if reading.mirror is None else reading.mirror
    factor = round((stored.width - 2 * reading.crop) / camera.width)
    spacing = (camera.tensors(dtype=request.isocenter.dtype, device="cpu")[1][0] / factor).tolist()
    is_of_slicer = path.name.lower().endswith(SLICER_ENDINGS)
    in_slicer = _spacing_in_slicer(stored) if is_of_slicer else spacing
    first = _first_pixel(stored) if is_of_slicer else (0.0, 0.0)
    on_file = replace(
        camera, height=stored.height, width=stored.width, pixel_spacing=in_slicer or spacing, principal_point=None
    )
    points = read_image_points(path, on_file, unit="px" if in_slicer is None else "mm")
    points = {name: (u - first[0], v - first[1]) for name, (u, v) in points.items()}
    return {
        name: (((stored.width - u if mirrored else u) - reading.crop) / factor, (v - reading.crop) / factor)
        for name, (u, v) in points.items()
    }


def _spacing_in_slicer(stored: Radiograph) -> list[float] | None:
    """The pixel spacing (row, column) [mm] with which 3D Slicer showed the file; None where it counted pixels.

    It is what the file itself states, whatever the options say; pictures (PNG, TIFF) state none that Slicer knows.
    """
    origin, is_grid = stored.provenance.get("pixel_spacing"), "axes" in stored.provenance
    if origin is None or not isinstance(origin.value, (tuple, list)):
        return None
    if not is_grid and (stored.modality is None or origin.is_assumed):
        return None
    return [float(value) for value in origin.value]


def _first_pixel(stored: Radiograph) -> tuple[float, float]:
    """Where 3D Slicer puts the centre of the first pixel [px]: at 0, but for files of volumes, which state it."""
    if "axes" not in stored.provenance:
        return 0.0, 0.0
    if "image origin" not in stored.provenance:
        raise InputError(
            f"{stored.source} places its pixels along turned axes, so landmarks of 3D Slicer cannot be brought to its "
            "pixels; give them as .csv in pixels."
        )
    x, y = stored.provenance["image origin"].value  # type: ignore[misc]
    down, across = _spacing_in_slicer(stored) or (1.0, 1.0)
    return x / across, y / down


def _from_search(request: StartRequest) -> Tensor:
    given = {name: value for name, value in asdict(request.settings.search).items() if value is not None}
    if "roll" not in given and request.shots[0].roll:
        given["roll"] = tuple(bound + request.shots[0].roll for bound in SearchSettings.roll)
    settings = SearchSettings(**given)
    found = starts_from_search(request.shots[0], request.volume, settings, isocenter=request.isocenter)
    return _for_all_views(request, found)


def _with_search_around(request: StartRequest, stated: Tensor) -> Tensor:
    """The stated poses (1, V, 4, 4), and others of like angles: nobody said where in the beam the patient lies."""
    if not request.around:
        return stated
    first = stated[0, :1]
    sod = float(torch.linalg.vector_norm(first[0, :3, 3] - request.isocenter))
    sdd = request.shots[0].camera.sdd_mm
    lao_rao, cra_cau, roll = (
        (float(value) - KNOWN_ANGLES, float(value) + KNOWN_ANGLES) for value in carm_angles(first)[:3]
    )
    distances = ((1 - KNOWN_SOD) * sod, min((1 + KNOWN_SOD) * sod, 0.99 * sdd))
    settings = SearchSettings(lao_rao=lao_rao, cra_cau=cra_cau, roll=roll, sod=distances, candidates=3)
    found = starts_from_search(request.shots[0], request.volume, settings, isocenter=request.isocenter)
    calibrated = calibrated_places(request.shots)
    relative = rigid_inverse(first) @ stated[0] if calibrated is None else calibrated
    return joined_starts([stated, spread_to_views(found, relative)])


def _for_all_views(request: StartRequest, first: Tensor) -> Tensor:
    """Candidates (S, V, 4, 4) for all views from those for the first, (S, 1, 4, 4)."""
    return first if len(request.shots) == 1 else spread_to_views(first, _relative_places(request))


def _relative_places(request: StartRequest) -> Tensor:
    """Camera of each of several views to the first, (V, 4, 4), by their calibration, tags, poses or earlier result."""
    calibrated = calibrated_places(request.shots)
    if calibrated is not None:
        return calibrated
    settings = request.settings
    by_result = _from_result if settings.result else None
    known = (by_result or (_from_fixed if settings.stated.pose else _tagged))(request)
    return rigid_inverse(known[0, :1]) @ known[0]


SOURCES: dict[StartKind, Callable[[StartRequest], Tensor]] = {
    "network": _from_network,
    "dicom": _from_dicom,
    "fixed": _from_fixed,
    "result": _from_result,
    "landmarks": _from_landmarks,
    "search": _from_search,
}
