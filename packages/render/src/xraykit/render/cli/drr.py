"""`xraykit render drr`: one X-ray of a volume, from the options of the shell to one call of `render`."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..commands.findings import say_findings
from ..commands.options import flat
from ..commands.picture_size import check_size
from ..errors import InputError
from ..rendering.devices import usable_device
from ..storage.settings_file import write_settings
from ..storage.staged_folder import atomic_folder
from .drr_settings import DrrSettings, camera_and_pose, complete_settings

if TYPE_CHECKING:
    from torch import Tensor

    from ..geometry.camera import Camera
    from ..volumes.volume import Volume


def drr(settings: DrrSettings) -> None:
    """Render one X-ray of a CT (or MR) volume.

    NAME.settings.json beside the result is for --config.

    Args:
        settings: What to render, from where, and where to.
    """
    from ..files.pose_json import write_pose
    from ..radiographs.save import save_image
    from ..rendering.rendering import render
    from ..volumes.volume import Volume

    settings = complete_settings(settings)
    check_outputs(settings)
    device, projector, anatomy = usable_device(settings.compute.device), settings.projector, settings.anatomy
    given = None if settings.placement.pose is None else _read_pose(settings.placement.pose)
    check_size(*((given[0].height, given[0].width) if given is not None else settings.camera.size))
    start = time.perf_counter()
    volume = Volume.from_file(settings.ct, **anatomy.reading)
    print(f"read {settings.ct}: {' x '.join(map(str, volume.shape[::-1]))} voxels, {time.perf_counter() - start:.1f} s")
    say_findings(settings.ct, volume)
    camera, pose = given or camera_and_pose(settings, volume)
    start = time.perf_counter()
    options = {"method": projector.method, "samples": projector.samples, "backend": settings.compute.backend}
    image = render(volume.to(device), camera, pose, labels=settings.label_channels, **options).cpu()
    print(
        f"rendered {camera.width} x {camera.height} pixels by {projector.method}, {time.perf_counter() - start:.2f} s"
    )
    mirrored = _mirrored(settings)
    written = [settings.output, *companions(settings)]
    with atomic_folder(settings.output.parent, owned=[path.name for path in written]) as staging:  # all or none
        staged = replace(settings, output=staging / settings.output.name)
        save_image(staged.output, image, camera=camera, pose=pose, sod=settings.sod, mirrored=mirrored)
        write_pose(beside(staged, "pose.json"), camera, pose)
        path = beside(staged, "settings.json")
        write_settings(path, settings, command="render drr", distribution="xraykit-render", found=volume.provenance)
        if anatomy.labels is not None:
            _write_overlay(staged, image, volume.to(device), camera, pose, mirrored=mirrored)
    print("wrote " + ", ".join(map(str, written)))


command = flat(drr, DrrSettings)


def check_outputs(settings: DrrSettings) -> None:
    """Raise before the long work if a result could not be written, or would replace what it is made from."""
    from ..radiographs.save import check_writable
    from ..storage.atomic_write import check_folder

    check_writable(settings.output)
    for path in companions(settings):
        check_folder(path)
    for source in (settings.ct, settings.anatomy.labels):
        if source is not None and source.exists() and settings.output.exists() and source.samefile(settings.output):
            raise InputError(f"--output {settings.output} is the input itself; choose another name.")


def companions(settings: DrrSettings) -> list[Path]:
    """The files that join the output: pose, settings and, with labels, the overlay."""
    endings = ["pose.json", "settings.json", *(["labels.png"] if settings.anatomy.labels is not None else [])]
    return [beside(settings, ending) for ending in endings]


def beside(settings: DrrSettings, ending: str) -> Path:
    """The path of a companion of the output, NAME.ending."""
    return settings.output.with_name(f"{settings.output.stem}.{ending}")


def _read_pose(path: Path) -> tuple[Camera, Tensor]:
    from ..files.pose_json import read_pose

    return read_pose(path)


def _mirrored(settings: DrrSettings) -> bool:
    from ..geometry.carm import VIEWS
    from ..views.catalogue import STANDARD_VIEWS

    return settings.placement.view is not None and {**STANDARD_VIEWS, **VIEWS}[settings.placement.view].mirrored_display


def _write_overlay(
    settings: DrrSettings, image: Tensor, volume: Volume, camera: Camera, pose: Tensor, *, mirrored: bool
) -> Path:
    from ..pictures.grey_and_overlay import montage, save_png, to_grey
    from ..pictures.labelled import labelled_picture
    from ..rendering.rendering import label_masks

    masks = label_masks(volume, camera, pose, backend=settings.compute.backend)[0].cpu().numpy()
    seen = {volume.label_names.get(n, f"label {n}"): masks[n] for n in range(1, len(masks)) if masks[n].any()}
    picture = labelled_picture(to_grey(image[0].sum(dim=0).numpy()), seen, mirrored=mirrored)
    return save_png(beside(settings, "labels.png"), picture if seen else montage([picture]))
