"""Register implants from files to a folder of results: read meshes and X-rays, find each implant, save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import InputError, OutputError, read_mesh, read_pose
from xraykit.render.files import MESH_UNITS, VOLUME_SUFFIXES
from xraykit.render.pictures import save_png
from xraykit.render.storage import atomic_folder, check_result_folder, to_plain, write_settings

from .implants.answers import ImplantRegistration
from .implants.implant import Implant, mended
from .implants.pictures import implant_overlay
from .implants.record import FILE_NAME, ImplantRecord, read_implants, write_implants
from .implants.registration import register_implants
from .procedure_settings import MeshSettings, RegisterSettings, StructureSettings
from .refine.settings import RefinementSettings
from .start.candidates import calibrated_places
from .start.checks import implied_starts
from .start.settings import StartSettings
from .xray.calibration import assigned_cameras
from .xray.names import file_stem
from .xray.shot import Shot
from .xray.xray_input import read_shots

JOINT = "joint"


def register_mesh_files(
    settings: RegisterSettings,
    *,
    step: Callable[[str], AbstractContextManager[object]] | None = None,
    doubted: Callable[[tuple[str, ...]], None] | None = None,
) -> list[tuple[ImplantRecord, Path]]:
    """Find implants in X-rays, and write a folder of results for each X-ray, or one for all of them together.

    A folder holds implants.json (see implants/record.py) and [VIEW.]overlay.png. All X-rays are registered before the
    first is written.

    Args:
        settings: All there is to say; with meshes there is no CT, and every file named is an X-ray.
        step: Makes a context for each part of the work, reading twice, then each X-ray or all together.
        doubted: Called before anything is registered with what is doubtful about the X-rays, if anything is.

    Returns:
        The record and the folder of each group of X-rays, in their order.

    Raises:
        InputError: Settings that contradict each other, or an implant that is found nowhere.
        FileError: A mesh or X-ray that cannot be read.
        OutputError: The folder cannot be written, or holds something else.
    """
    step, output = step or (lambda title: nullcontext()), settings.results.output
    check_meshes(settings)
    with step("read the meshes"):
        implants = read_implant_files(settings.meshes)
    with step("read the X-rays"):
        shots = read_shots(settings.all_xrays, settings.xray, cameras=settings.camera)
    check_polarity(shots)
    begun_with = tuple(dict.fromkeys(line for shot in shots for line in shot.doubts))
    if begun_with and doubted is not None:
        doubted(begun_with)
    groups = [shots] if settings.joint else [(shot,) for shot in shots]
    found = []
    for group in groups:
        folder = output / (JOINT if settings.joint else group[0].name)
        if folder.exists() and not (folder / FILE_NAME).is_file():
            raise OutputError(f"{folder} must be new or hold an earlier result of --mesh; choose another --output.")
        with step(f"find {', '.join(implant.name for implant in implants)} in {' + '.join(s.name for s in group)}"):
            starts = earlier_answers(settings.start, implants, len(group))
            where = register_implants(group, implants, starts, cameras=_cameras(settings, group))
            found.append((folder, group, where))
    return [(_saved(folder, implants, group, where, settings), folder) for folder, group, where in found]


def check_meshes(settings: RegisterSettings) -> None:
    """What can be refused before anything is read.

    Raises:
        InputError: A CT beside meshes, --joint with one X-ray or without places of each, options of other starts.
        OutputError: The folder cannot be written.
    """
    count, meshes = len(settings.all_xrays), settings.meshes
    if settings.ct.is_dir() or settings.ct.name.lower().endswith(VOLUME_SUFFIXES):
        raise InputError(f"--mesh registers meshes without a CT, got {settings.ct} before the X-rays; leave it out.")
    _check_options(settings)
    if settings.joint and count < 2:
        raise InputError("--joint needs two X-rays or more, got one; leave it out.")
    assigned_cameras(settings.camera, settings.all_xrays)
    places = len(settings.start.stated.pose)
    if settings.camera and places:
        raise InputError("--camera places the X-rays, got --pose too; leave one out.")
    if settings.joint and places != count and not settings.start.result and not settings.camera:
        raise InputError(
            f"--joint with --mesh needs one --pose or --camera for each X-ray, which says where the cameras stand to "
            f"each other, got {places} for {count}."
        )
    if len(meshes.mesh_material) not in (1, len(meshes.mesh)):
        raise InputError(
            f"give one --mesh-material, or one for each --mesh, got {len(meshes.mesh_material)} for {len(meshes.mesh)}."
        )
    check_result_folder(settings.results.output)


def _check_options(settings: RegisterSettings) -> None:
    """Refuse options that only a CT's registration has."""
    usual = {"--structures, --labels and other options of the CT": (settings.anatomy, StructureSettings()),
             "options of refinement": (settings.refinement, RefinementSettings()),
             "--init-only": (settings.init_only, False), "--resume": (settings.results.resume, False)}  # fmt: skip
    for name, (value, default) in usual.items():
        if value != default:
            raise InputError(f"{name} belong to a CT's registration, got them with --mesh; leave them out.")
    strays = set(implied_starts(settings.start)) - {"result", "fixed" if settings.joint else ""}
    if settings.start.kinds or strays:
        raise InputError(
            "--mesh starts from a search or from --result (and --joint takes --pose), got --start "
            f"{' '.join(settings.start.kinds or sorted(strays))} or options of it; leave them out."
        )


def check_polarity(shots: Sequence[Shot]) -> None:
    """Refuse pictures of which nobody said what greys mean: outlines of metal that is taken for air fit, too.

    Raises:
        InputError: The polarity of an X-ray was assumed.
    """
    guessed = next((shot for shot in shots if shot.greys == "assumed"), None)
    if guessed is not None:
        raise InputError(
            f"{guessed.name} must say whether metal is dark or bright, got a picture without tags; give --polarity "
            "intensity where metal is dark, --polarity log_attenuation where it is bright (xvr register --help lists "
            "all five)."
        )


def read_implant_files(meshes: MeshSettings) -> tuple[Implant, ...]:
    """The implants in files; two of one name are told apart by a number.

    Raises:
        FileError: A file that holds no closed mesh of a plausible size.
        InputError: An unknown material.
    """
    scale = None if meshes.mesh_units is None else MESH_UNITS[meshes.mesh_units]
    materials = meshes.mesh_material * (len(meshes.mesh) if len(meshes.mesh_material) == 1 else 1)
    found: list[Implant] = []
    for path, material in zip(meshes.mesh, materials, strict=True):
        taken = [implant.name for implant in found]
        name = path.stem if path.stem not in taken else f"{path.stem}_{len(found)}"
        found.append(Implant(read_mesh(path, scale=scale, name=name, material=material, piercing="doubt")))
    return tuple(found)


def earlier_answers(start: StartSettings, implants: tuple[Implant, ...], views: int) -> Tensor | None:
    """Starts (S, K, V, 4, 4) from earlier results of these implants in as many X-rays, None without one.

    Raises:
        FileError: A result that cannot be read.
        InputError: One of other implants, or of another number of X-rays.
    """
    if not start.result:
        return None
    earlier = [answers for path in start.result for answers in [read_implants(path)]]
    names = [implant.name for implant in implants]
    starts = []
    for answers in earlier:
        missing = [name for name in names if name not in answers]
        if missing:
            raise InputError(f"--result must hold all meshes, got none of {', '.join(missing)}; leave --result out.")
        held = list(answers[names[0]])
        if len(held) != views:
            raise InputError(f"--result must hold {views} X-rays as are registered now, it holds {len(held)}.")
        starts.append(torch.stack([torch.cat([answers[name][view][0].poses for view in held]) for name in names]))
    return torch.stack(starts)


def _cameras(settings: RegisterSettings, group: tuple[Shot, ...]) -> Tensor | None:
    """Camera to world of X-rays that belong together, (V, 4, 4)."""
    if settings.joint and settings.camera:
        return calibrated_places(group)
    if not settings.joint or not settings.start.stated.pose:
        return None
    poses = []
    for path, shot in zip(settings.start.stated.pose, group, strict=True):
        camera, pose = read_pose(path)
        if (camera.height, camera.width) != (shot.camera.height, shot.camera.width):
            raise InputError(
                f"{path} must be of an image of {shot.camera.height} x {shot.camera.width} px like {shot.name}, got "
                f"{camera.height} x {camera.width}; check the order of the files."
            )
        poses.append(pose)
    return torch.cat(poses)


def _saved(
    folder: Path,
    implants: tuple[Implant, ...],
    group: tuple[Shot, ...],
    found: ImplantRegistration,
    settings: RegisterSettings,
) -> ImplantRecord:
    record = ImplantRecord(
        implants=tuple(implant.name for implant in implants),
        views=tuple(shot.name for shot in group),
        found=found,
        inputs={"meshes": list(map(str, settings.meshes.mesh)), "xrays": [str(shot.source) for shot in group]},
        settings=to_plain(settings),
        notes=(*mended(implants), *dict.fromkeys(note for shot in group for note in shot.notes)),
        doubts=(*dict.fromkeys(doubt for shot in group for doubt in shot.doubts), *found.doubts),
    )
    settings.results.output.mkdir(parents=True, exist_ok=True)
    write_settings(
        settings.results.output / "settings.json", settings, command="xvr register", distribution="xraykit-xvr"
    )
    with atomic_folder(folder) as staging:
        write_implants(staging / FILE_NAME, record)
        for view, shot in enumerate(group):
            stem = f"{file_stem(shot.name)}." if len(group) > 1 else ""
            save_png(staging / f"{stem}overlay.png", implant_overlay(shot, implants, found.poses[:, view]))
    return record
