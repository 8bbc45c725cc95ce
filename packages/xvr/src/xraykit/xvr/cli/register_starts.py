"""Where `xraykit xvr register` starts: from options to candidate poses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from xraykit.render import FileError, GeometryError, InputError

if TYPE_CHECKING:
    from torch import Tensor

    from xraykit.render import Volume

    from ..network.pose_network import PoseNetwork
    from ..xray.shot import Shot
    from .register_options import RegisterConfig, Source

T = TypeVar("T")
BELONGS = {
    "network": ("network", "network_sdd", "network_delx", "warp", "invert_warp"),
    "fixed": ("view", "lao_rao", "cra_cau", "roll", "pose"),
    "result": ("result",),
    "landmarks": ("landmarks_ct", "landmarks_xray"),
    "search": ("search_lao_rao", "search_cra_cau", "search_roll", "search_sod", "search_offset"),
}
PLACES_VIEWS = ("pose", "result")  # with --joint, they may do no more than say where the views are
KNOWN_ANGLES, KNOWN_SOD = 5.0, 0.05  # how far tags and stated angles may be off: degrees, share of sod


@dataclass(frozen=True, eq=False)
class Request:
    """X-rays that start together: options, files, what they show, their places on the command line, and the CT."""

    config: RegisterConfig
    paths: tuple[Path, ...]
    shots: tuple[Shot, ...]
    numbers: tuple[int, ...]
    volume: Volume
    isocenter: Tensor

    def own(self, option: str) -> list[Any]:
        """An option's values for these X-rays, from one value for all of them or one for each on the command line.

        Raises:
            InputError: Another number of values.
        """
        values: Sequence[Any] = getattr(self.config, option)
        count = len(self.config.xrays)
        if len(values) not in (1, count):
            name = "--" + option.replace("_", "-")
            raise InputError(f"{name} must be given once, or once for each of {count} X-rays, got {len(values)}.")
        return [values[0] if len(values) == 1 else values[n] for n in self.numbers]


def check_start_options(config: RegisterConfig) -> None:
    """Refuse options of a start that was not asked for, and starts that lack theirs, before anything is read.

    Raises:
        InputError: Which one, and what to do.
    """
    kinds = config.start or implied_starts(config)
    placed = PLACES_VIEWS if config.joint else ()
    for kind, names in BELONGS.items():
        given = [name for name in names if getattr(config, name) and name not in placed]
        if given and kind not in kinds:
            option = "--" + given[0].replace("_", "-")
            raise InputError(f"{option} belongs to --start {kind}, got --start {' --start '.join(kinds)}; add it.")
    needed = {"network": "network", "result": "result", "landmarks": "landmarks_ct"}
    for kind, name in needed.items():
        if kind in kinds and not getattr(config, name):
            raise InputError(f"--start {kind} needs --{name.replace('_', '-')}, got none.")
    angles = bool(config.lao_rao or config.cra_cau or config.roll)
    ways = [bool(config.view), angles, bool(config.pose)]
    if "fixed" in kinds and sum(ways) != 1:
        raise InputError("--start fixed needs one of --view, angles (--lao-rao, --cra-cau, --roll) and --pose.")
    if bool(config.landmarks_ct) != bool(config.landmarks_xray):
        raise InputError("landmarks come in pairs: give both --landmarks-ct and --landmarks-xray.")
    if config.joint and len(config.xrays) < 2:
        raise InputError("--joint needs two X-rays or more, got one; leave it out.")


def implied_starts(config: RegisterConfig) -> tuple[Source, ...]:
    """The starts that the other options name; () where none does."""
    return tuple(kind for kind, names in BELONGS.items() if any(getattr(config, name) for name in names))  # type: ignore[misc]


def find_starts(request: Request) -> tuple[Tensor, str, tuple[str, ...]]:
    """Candidates (S, V, 4, 4), where they come from, and what was assumed.

    Raises:
        InputError: An option that does not fit the X-rays.
        FileError: A file that cannot be read.
        GeometryError: Tags that are missing or contradict each other.
    """
    from ..start.candidates import joined_starts

    kinds = request.config.start or implied_starts(request.config)
    notes: tuple[str, ...] = ()
    if not kinds:
        kinds, notes = _by_what_the_files_say(request)
    return joined_starts([SOURCES[kind](request) for kind in kinds]), "+".join(kinds), notes


def _by_what_the_files_say(request: Request) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """DICOM tags where there are any; a search where not."""
    try:
        _tagged(request)
    except (FileError, GeometryError) as error:
        if request.config.joint:
            raise InputError(f"--joint needs the views' places relative to each other: {error}") from error
        return ("search",), (f"started by a search over AP views, as the file does not say more: {error}",)
    return ("dicom",), ()


def _tagged(request: Request) -> Tensor:
    """(1, V, 4, 4) as the positioner tags say."""
    import torch

    from ..start.dicom_tags import starts_from_dicom

    config = request.config
    isocenter = request.isocenter + torch.tensor(config.offset, dtype=torch.float64)
    cameras = [shot.camera for shot in request.shots]
    return starts_from_dicom(request.paths, cameras, isocenter=isocenter, sod=config.sod, mirror=config.mirror)


def _from_dicom(request: Request) -> Tensor:
    return _with_search_around(request, _tagged(request))


def _from_network(request: Request) -> Tensor:
    from ..network.predict import predict_poses
    from ..template.warp import read_warp

    config = request.config
    network = _network(str(config.network), config.network_sdd, config.network_delx)
    warp = None if config.warp is None else read_warp(config.warp, request.volume, invert=config.invert_warp)
    return _for_all_views(request, predict_poses(network, request.shots[0], request.volume, warp=warp))


@cache
def _network(source: str, sdd: float | None, delx: float | None) -> PoseNetwork:
    from ..network.weights import load_network

    options = {name: value for name, value in (("sdd", sdd), ("delx", delx)) if value is not None}
    return load_network(source, **options)


def _from_fixed(request: Request) -> Tensor:
    import torch

    from ..start.fixed import default_sod, starts_from_angles, starts_from_pose_files, starts_from_views

    config = request.config
    if config.pose:
        return starts_from_pose_files(request.own("pose"))
    cameras = [shot.camera for shot in request.shots]
    if config.view:
        views = [config.view] * len(cameras)
        return _with_search_around(request, starts_from_views(views, request.volume, cameras, sod=config.sod))
    angles = {name: request.own(name) for name in ("lao_rao", "cra_cau", "roll") if getattr(config, name)}
    sods = [default_sod(camera, config.sod) for camera in cameras]
    offset = torch.tensor(config.offset, dtype=torch.float64).tolist()
    return _with_search_around(request, starts_from_angles(request.isocenter, sod=sods, offset=offset, **angles))


def _from_result(request: Request) -> Tensor:
    import torch

    from ..start.earlier_result import starts_from_result

    paths = request.own("result")
    if len(set(paths)) == 1:
        return starts_from_result(paths[0], views=len(request.shots))
    return torch.cat([starts_from_result(path, views=1) for path in paths], dim=1)


def _from_landmarks(request: Request) -> Tensor:
    from ..start.landmarks import starts_from_landmarks
    from ..start.slicer_markups import read_world_points

    world = read_world_points(str(request.config.landmarks_ct))
    image = _image_points(request, request.own("landmarks_xray")[0])
    return _for_all_views(request, starts_from_landmarks(world, image, request.shots[0].camera))


def _image_points(request: Request, path: Path) -> dict[str, tuple[float, float]]:
    """Points placed on the stored image of the first X-ray, in pixels of its shot: mirrored, cropped, averaged."""
    from dataclasses import replace

    from xraykit.render import read_radiograph
    from xraykit.render.radiographs import is_stored_mirrored

    from ..start.slicer_markups import read_image_points

    config, camera = request.config, request.shots[0].camera
    stored = read_radiograph(request.paths[0], colour=config.colour)
    mirrored = bool(is_stored_mirrored(stored)) if config.mirror is None else config.mirror
    factor = round((stored.width - 2 * config.crop) / camera.width)
    spacing = camera.tensors(dtype=request.isocenter.dtype, device="cpu")[1][0] / factor
    on_file = replace(
        camera, height=stored.height, width=stored.width, pixel_spacing=spacing.tolist(), principal_point=None
    )
    points = read_image_points(path, on_file, unit="px" if stored.modality is None else "mm")
    return {
        name: (((stored.width - u if mirrored else u) - config.crop) / factor, (v - config.crop) / factor)
        for name, (u, v) in points.items()
    }


def _from_search(request: Request) -> Tensor:
    from ..start.coarse_search import SearchSettings, starts_from_search

    config = request.config
    given: dict[str, Any] = {
        name: getattr(config, f"search_{name}") for name in ("lao_rao", "cra_cau", "roll", "sod", "offset")
    }
    settings = SearchSettings(**{name: value for name, value in given.items() if value is not None})
    found = starts_from_search(request.shots[0], request.volume, settings, isocenter=request.isocenter)
    return _for_all_views(request, found)


def _with_search_around(request: Request, stated: Tensor) -> Tensor:
    """The stated poses (1, V, 4, 4), and others of like angles: nobody said where in the beam the patient lies."""
    import torch

    from xraykit.render.geometry import carm_angles, rigid_inverse

    from ..start.candidates import joined_starts, spread_to_views
    from ..start.coarse_search import SearchSettings, starts_from_search

    if request.config.init_only:
        return stated
    first = stated[0, :1]
    sod = float(torch.linalg.vector_norm(first[0, :3, 3] - request.isocenter))
    sdd = float(torch.as_tensor(request.shots[0].camera.sdd).reshape(-1)[0])
    around: dict[str, Any] = {
        name: (float(value) - KNOWN_ANGLES, float(value) + KNOWN_ANGLES)
        for name, value in zip(("lao_rao", "cra_cau", "roll"), carm_angles(first)[:3], strict=True)
    }
    distances = ((1 - KNOWN_SOD) * sod, min((1 + KNOWN_SOD) * sod, 0.99 * sdd))
    settings = SearchSettings(**around, sod=distances, candidates=3)
    found = starts_from_search(request.shots[0], request.volume, settings, isocenter=request.isocenter)
    relative = rigid_inverse(first) @ stated[0]
    return joined_starts([stated, spread_to_views(found, relative)])


def _for_all_views(request: Request, first: Tensor) -> Tensor:
    """Candidates for all views from those for the first, by the tags, poses or earlier result that place the others."""
    from xraykit.render.geometry import rigid_inverse

    from ..start.candidates import spread_to_views

    if len(request.shots) == 1:
        return first
    config = request.config
    known = _from_result(request) if config.result else _from_fixed(request) if config.pose else _tagged(request)
    return spread_to_views(first, rigid_inverse(known[0, :1]) @ known[0])


SOURCES: dict[str, Callable[[Request], Tensor]] = {
    "network": _from_network,
    "dicom": _from_dicom,
    "fixed": _from_fixed,
    "result": _from_result,
    "landmarks": _from_landmarks,
    "search": _from_search,
}
