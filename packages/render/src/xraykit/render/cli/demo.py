"""Build a patient, take its X-rays, and write a report picture; needs no data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cyclopts import App

from ..commands.options import flat
from ..commands.picture_size import check_size
from ..commands.progress import Steps
from ..commands.shared_settings import CameraSettings, ComputeSettings, ProjectorSettings
from ..errors import GeometryError
from ..rendering.devices import usable_device
from ..storage.output_folder import make_folder
from ..storage.settings_file import write_settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from ..geometry.camera import Camera
    from ..volumes.volume import Volume

app = App(name="demo", help="Build a patient, take its X-rays, and write a report picture; needs no data.")
VIEWS_SHOWN = {"ap": "ap", "lateral": "lateral_left"}
SHOWN = {
    "lungs": "lungs",
    "heart": "heart",
    "liver": "liver",
    "stomach": "stomach",
    "kidneys": "kidneys",
    "ribs": "ribs",
    "spine": "vertebrae",
    "shoulder girdle": "clavicula_*|scapula_*",
    "pelvis": "pelvis",
    "femora": "femur_*",
}


@dataclass(frozen=True)
class DemoSettings:
    """A patient to make and to look at."""

    output: Path = field(default=Path("xraykit-demo"), metadata={"short": "-o"})
    """Folder for the results; it is made if need be, files of an earlier demo are replaced."""
    voxel_spacing: float = 2.5
    """Voxel edge of the patient [mm], 1 to 8."""
    seed: int = 0
    """Seed of the lung vessels, the only random part."""
    sod: float = 1500.0
    """Source to the centre of the patient [mm]."""
    camera: CameraSettings = field(
        default_factory=lambda: CameraSettings(sdd=1800.0, size=(680, 460), pixel_spacing=1.2)
    )
    projector: ProjectorSettings = field(default_factory=lambda: ProjectorSettings(samples=400))
    compute: ComputeSettings = field(default_factory=ComputeSettings)


class DemoXray(NamedTuple):
    """One X-ray of the demo with what the report shows of it."""

    pose: Tensor
    image: Tensor
    grey: NDArray[np.uint8]
    colour: NDArray[np.uint8]


def demo(settings: DemoSettings) -> None:
    """Build a procedural patient, take its X-rays from the front and the side, and write a report picture.

    The folder then holds per view NAME.png (picture), NAME.labels.png (masks in colour), NAME.npy (line integrals) and
    NAME.pose.json; patient.nii.gz (HU) and labels.nii.gz; settings.json; and report.png.

    Args:
        settings: The patient, the camera, and where to write.
    """
    from ..geometry.camera import Camera
    from ..patient.standard_torso import torso

    if settings.sod >= settings.camera.sdd:
        raise GeometryError(
            f"sod must be smaller than sdd, got sod={settings.sod} mm and sdd={settings.camera.sdd} mm; "
            "did you swap them?"
        )
    device = usable_device(settings.compute.device)
    if settings.output.exists():
        make_folder(settings.output)  # one that cannot be used is refused at once
    height, width = settings.camera.size
    check_size(height, width)
    camera = Camera(sdd=settings.camera.sdd, height=height, width=width, pixel_spacing=settings.camera.pixel_spacing)
    with Steps(total=4 + len(VIEWS_SHOWN)) as steps:
        with steps.step("build the patient"):
            volume = torso(spacing=settings.voxel_spacing, seed=settings.seed)
        with steps.step("prepare the projector"):
            _warm_up(settings, volume, camera, device)
            folder = make_folder(settings.output)  # now that every option has proved usable
        shots = {}
        for name in VIEWS_SHOWN:
            with steps.step(f"render the {name} X-ray and its masks"):
                shots[name] = _shoot(settings, volume, camera, name, device)
        with steps.step("write X-rays, volume and labels"):
            _write(folder, volume, camera, shots)
            write_settings(folder / "settings.json", settings, command="demo", distribution="xraykit-render")
        with steps.step("write the report"):
            _report(folder / "report.png", settings, volume, shots, sum(steps.seconds.values()))
    print(f"Look at {folder / 'report.png'}")


app.default(flat(demo, DemoSettings))


def _pose(settings: DemoSettings, volume: Volume, name: str) -> Tensor:
    from ..geometry.carm import VIEWS, carm_pose

    view = VIEWS[VIEWS_SHOWN[name]]
    return carm_pose(lao_rao=view.lao_rao, cra_cau=view.cra_cau, sod=settings.sod, isocenter=volume.center)


def _warm_up(settings: DemoSettings, volume: Volume, camera: Camera, device: str) -> None:
    """Load or compile the kernels on a tiny image, so that the times of the views are those of rendering."""
    from ..geometry.intrinsics import resize_camera
    from ..rendering.rendering import label_masks, render

    tiny = resize_camera(camera, height=8, width=8)
    pose = _pose(settings, volume, "ap")
    render(
        volume.to(device),
        tiny,
        pose,
        method=settings.projector.method,
        samples=min(8, settings.projector.samples),
        backend=settings.compute.backend,
    )
    label_masks(volume.to(device), tiny, pose, backend=settings.compute.backend)


def _shoot(settings: DemoSettings, volume: Volume, camera: Camera, name: str, device: str) -> DemoXray:
    import numpy as np

    from ..geometry.carm import VIEWS
    from ..pictures.grey_and_overlay import overlay, to_grey
    from ..rendering.rendering import label_masks, render

    pose = _pose(settings, volume, name)
    options = {
        "method": settings.projector.method,
        "samples": settings.projector.samples,
        "backend": settings.compute.backend,
    }
    image = render(volume.to(device), camera, pose, **options).cpu()
    masks = label_masks(volume.to(device), camera, pose, backend=settings.compute.backend)[0].cpu().numpy()
    mirrored = VIEWS[VIEWS_SHOWN[name]].mirrored_display
    grey = to_grey(image[0, 0].numpy(), detail=2.0, percentiles=(2.0, 99.9))
    colour = overlay(grey, _groups(volume, masks))
    if mirrored:
        grey, colour = np.ascontiguousarray(grey[:, ::-1]), np.ascontiguousarray(colour[:, ::-1])
    return DemoXray(pose, image, grey, colour)


def _groups(volume: Volume, masks: NDArray[np.bool_]) -> dict[str, NDArray[np.bool_]]:
    from ..volumes.label_names import find_labels

    groups = {}
    for title, wanted in SHOWN.items():
        values = [value for pattern in wanted.split("|") for value in find_labels(volume.label_names, pattern)]
        groups[title] = masks[values].any(axis=0)
    return groups


def _write(folder: Path, volume: Volume, camera: Camera, shots: dict[str, DemoXray]) -> None:
    import torch

    from ..files.pose_json import write_pose
    from ..files.write import write_volume
    from ..pictures.grey_and_overlay import save_png
    from ..radiographs.save import save_image

    for name, shot in shots.items():
        save_png(folder / f"{name}.png", shot.grey)
        save_png(folder / f"{name}.labels.png", shot.colour)
        save_image(folder / f"{name}.npy", shot.image, camera=camera, pose=shot.pose)
        write_pose(folder / f"{name}.pose.json", camera, shot.pose)
    if volume.hu is not None and volume.labels is not None:
        write_volume(folder / "patient.nii.gz", volume.hu.round().to(torch.int16), volume.affine)
        write_volume(folder / "labels.nii.gz", volume.labels, volume.affine, label_names=volume.label_names)


def _report(path: Path, settings: DemoSettings, volume: Volume, shots: dict[str, DemoXray], seconds: float) -> None:
    from ..pictures.grey_and_overlay import legend, montage, save_png

    ap, lateral = shots["ap"], shots["lateral"]
    rows, columns = settings.camera.size
    size = " x ".join(map(str, volume.shape[::-1]))
    source = "source {:.0f} mm {}, detector {:.0f} mm {}".format
    behind = settings.camera.sdd - settings.sod
    captions = [
        f"AP: {source(settings.sod, 'in front', behind, 'behind')}. The patient's left is on your right, as "
        "radiographs are read: heart, spleen and stomach bubble lie there.",
        f"Lateral: {source(settings.sod, 'to the right', behind, 'to the left')}. The patient faces to your right.",
        f"AP with {len(SHOWN)} groups of the masks. Each label is projected on its own, so masks overlap.",
        f"{columns} x {rows} px of {settings.camera.pixel_spacing} mm, {settings.projector.method}\n{size} voxels\n"
        f"{len(volume.label_names)} named labels\nmade in {seconds:.0f} s",
    ]
    pictures = [ap.grey, lateral.grey, ap.colour, legend(list(SHOWN), width=170, size=14)]
    title = "xraykit demo: a procedural patient, its X-rays, and what they show"
    save_png(path, montage(pictures, captions, title=title))
