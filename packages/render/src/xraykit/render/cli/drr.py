"""`xraykit render drr`: one X-ray of a volume, from the options of the shell to one call of `render`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..commands.findings import say_findings, say_lines
from ..commands.options import flat
from ..commands.picture_size import check_size
from ..errors import InputError
from ..rendering.devices import usable_device
from ..storage.settings_file import write_settings
from ..storage.staged_folder import atomic_folder
from .drr_settings import DrrSettings, camera_and_pose, complete_settings, placed_views, stated_views

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
    from ..geometry.plausible_camera import camera_doubts
    from ..radiographs.save import save_image
    from ..rendering.rendering import render
    from ..volumes.volume import Volume

    settings = complete_settings(settings)
    device, projector, anatomy = usable_device(settings.compute.device), settings.projector, settings.anatomy
    given = [] if settings.placement.pose is None else [_read_pose(settings.placement.pose)]
    stated = stated_views(settings)
    for camera in [pair[0] for pair in given] + [view.camera for view in stated]:
        check_size(camera.height, camera.width)
    if not given and not stated:
        check_size(*settings.camera.size)
    outputs = outputs_of(settings, len(stated))
    check_outputs(settings, outputs)
    say_lines(notes=list(dict.fromkeys(note for view in stated for note in view.assumptions)))
    start = time.perf_counter()
    volume = Volume.from_file(settings.ct, **anatomy.reading)
    print(f"read {settings.ct}: {' x '.join(map(str, volume.shape[::-1]))} voxels, {time.perf_counter() - start:.1f} s")
    say_findings(settings.ct, volume)
    views = given or (placed_views(settings, stated, volume) if stated else [camera_and_pose(settings, volume)])
    grid = (volume.affine, tuple(volume.shape))
    say_lines(warnings=list(dict.fromkeys(line for view in views for line in camera_doubts(*view, grids=[grid]))))
    options = {"method": projector.method, "samples": projector.samples, "backend": settings.compute.backend}
    options["labels"] = settings.label_channels
    mirrored, on_device = _mirrored(settings), volume.to(device)
    written = [path for output in outputs for path in (output, *companions(settings, output))]
    with atomic_folder(settings.output.parent, owned=[path.name for path in written]) as staging:  # all or none
        for output, (camera, pose) in zip(outputs, views, strict=True):
            start = time.perf_counter()
            image = render(on_device, camera, pose, **options).cpu()
            seconds = time.perf_counter() - start
            print(f"rendered {camera.width} x {camera.height} pixels by {projector.method}, {seconds:.2f} s")
            staged = staging / output.name
            save_image(staged, image, camera=camera, pose=pose, sod=settings.sod, mirrored=mirrored)
            write_pose(beside(staged, "pose.json"), camera, pose)
            path = beside(staged, "settings.json")
            write_settings(path, settings, command="render drr", distribution="xraykit-render", found=volume.provenance)
            if anatomy.labels is not None:
                _write_overlay(
                    beside(staged, "labels.png"), settings, image, on_device, camera, pose, mirrored=mirrored
                )
    print("wrote " + ", ".join(map(str, written)))


command = flat(drr, DrrSettings)


def outputs_of(settings: DrrSettings, views: int) -> list[Path]:
    """The image files: --output itself, or NAME_1, NAME_2 and so on of several views."""
    output = settings.output
    if views < 2:
        return [output]
    return [output.with_name(f"{output.stem}_{n}{output.suffix}") for n in range(1, views + 1)]


def check_outputs(settings: DrrSettings, outputs: Sequence[Path]) -> None:
    """Raise before the long work if a result could not be written, or would replace what it is made from."""
    from ..radiographs.save import check_writable
    from ..storage.atomic_write import check_folder

    for output in outputs:
        check_writable(output)
        for path in companions(settings, output):
            check_folder(path)
        for source in (settings.ct, settings.anatomy.labels, *settings.placement.cameras):
            if source is not None and source.exists() and output.exists() and source.samefile(output):
                raise InputError(f"--output {output} is the input itself; choose another name.")


def companions(settings: DrrSettings, output: Path) -> list[Path]:
    """The files that join an image: pose, settings and, with labels, the overlay."""
    endings = ["pose.json", "settings.json", *(["labels.png"] if settings.anatomy.labels is not None else [])]
    return [beside(output, ending) for ending in endings]


def beside(output: Path, ending: str) -> Path:
    """The path of a companion of an image, NAME.ending."""
    return output.with_name(f"{output.stem}.{ending}")


def _read_pose(path: Path) -> tuple[Camera, Tensor]:
    from ..files.pose_json import read_pose

    return read_pose(path)


def _mirrored(settings: DrrSettings) -> bool:
    from ..geometry.carm import VIEWS
    from ..views.catalogue import STANDARD_VIEWS

    return settings.placement.view is not None and {**STANDARD_VIEWS, **VIEWS}[settings.placement.view].mirrored_display


def _write_overlay(
    path: Path, settings: DrrSettings, image: Tensor, volume: Volume, camera: Camera, pose: Tensor, *, mirrored: bool
) -> Path:
    from ..pictures.grey_and_overlay import montage, save_png, to_grey
    from ..pictures.labelled import labelled_picture
    from ..rendering.rendering import label_masks

    masks = label_masks(volume, camera, pose, backend=settings.compute.backend)[0].cpu().numpy()
    seen = {volume.label_names.get(n, f"label {n}"): masks[n] for n in range(1, len(masks)) if masks[n].any()}
    picture = labelled_picture(to_grey(image[0].sum(dim=0).numpy()), seen, mirrored=mirrored)
    return save_png(path, picture if seen else montage([picture]))
