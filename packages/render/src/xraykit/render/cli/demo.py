"""Build a patient, take its X-rays, and write a report picture; needs no data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from cyclopts import App, Parameter

from ..commands.progress import Steps
from ..errors import GeometryError, OutputError
from .settings import ConfigOption, write_settings

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
class DemoConfig:
    """Options of `xraykit demo`."""

    output: Annotated[Path, Parameter(name=("--output", "-o"))] = field(default=Path("xraykit-demo"), kw_only=True)
    """Folder for the results; it is made if need be, files of an earlier demo are replaced."""
    voxel_spacing: float = field(default=2.5, kw_only=True)
    """Voxel edge of the patient [mm], 1 to 8."""
    seed: int = field(default=0, kw_only=True)
    """Seed of the lung vessels, the only random part."""
    sdd: float = field(default=1800.0, kw_only=True)
    """Source to detector [mm]."""
    sod: float = field(default=1500.0, kw_only=True)
    """Source to the centre of the patient [mm]."""
    size: tuple[int, int] = field(default=(680, 460), kw_only=True)
    """Detector rows and columns [px]."""
    pixel_spacing: float = field(default=1.2, kw_only=True)
    """Pixel pitch on the detector [mm]."""
    method: Literal["trilinear", "siddon", "joseph"] = field(default="trilinear", kw_only=True)
    """Projector."""
    samples: int = field(default=400, kw_only=True)
    """Samples per ray inside the volume (trilinear only)."""
    backend: Literal["auto", "torch", "numba", "triton"] = field(default="auto", kw_only=True)
    """Implementation; auto takes the fastest that runs here."""
    device: str = field(default="cpu", kw_only=True)
    """cpu, cuda or cuda:N."""


class DemoXray(NamedTuple):
    """One X-ray of the demo with what the report shows of it."""

    pose: Tensor
    image: Tensor
    grey: NDArray[np.uint8]
    colour: NDArray[np.uint8]


@app.default
def demo(
    config: Annotated[DemoConfig, Parameter(name="*")] = DemoConfig(), *, config_file: ConfigOption = None
) -> None:
    """Build a procedural patient, take its X-rays from the front and the side, and write a report picture.

    The folder then holds per view NAME.png (picture), NAME.labels.png (masks in colour), NAME.npy (line integrals) and
    NAME.pose.json; patient.nii.gz (HU) and labels.nii.gz; demo.config.json; and report.png.

    Args:
        config: The options.
        config_file: .toml, .yaml or .json file with any of these options; the command line wins.
    """
    from ..geometry.camera import Camera
    from ..patient.standard_torso import torso
    from .drr import check_size, usable_device

    if config.sod >= config.sdd:
        raise GeometryError(
            f"sod must be smaller than sdd, got sod={config.sod} mm and sdd={config.sdd} mm; did you swap them?"
        )
    device = usable_device(config.device)
    if config.output.exists():
        make_folder(config.output)  # one that cannot be used is refused at once
    height, width = config.size
    check_size(height, width)
    camera = Camera(sdd=config.sdd, height=height, width=width, pixel_spacing=config.pixel_spacing)
    with Steps(total=4 + len(VIEWS_SHOWN)) as steps:
        with steps.step("build the patient"):
            volume = torso(spacing=config.voxel_spacing, seed=config.seed)
        with steps.step("prepare the projector"):
            _warm_up(config, volume, camera, device)
            folder = make_folder(config.output)  # now that every option has proved usable
        shots = {}
        for name in VIEWS_SHOWN:
            with steps.step(f"render the {name} X-ray and its masks"):
                shots[name] = _shoot(config, volume, camera, name, device)
        with steps.step("write X-rays, volume and labels"):
            _write(folder, volume, camera, shots)
            write_settings(folder / "demo.config.json", config, "demo")
        with steps.step("write the report"):
            _report(folder / "report.png", config, volume, shots, sum(steps.seconds.values()))
    print(f"Look at {folder / 'report.png'}")


def make_folder(path: Path) -> Path:
    """The folder, made if need be.

    Raises:
        OutputError: A file stands in the way, or the system refuses.
    """
    from ..storage.atomic_write import check_folder

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} must be a folder that can be made, the system says: {error.strerror}.") from error
    check_folder(path / "report.png")
    return path


def _pose(config: DemoConfig, volume: Volume, name: str) -> Tensor:
    from ..geometry.carm import VIEWS, carm_pose

    view = VIEWS[VIEWS_SHOWN[name]]
    return carm_pose(lao_rao=view.lao_rao, cra_cau=view.cra_cau, sod=config.sod, isocenter=volume.center)


def _warm_up(config: DemoConfig, volume: Volume, camera: Camera, device: str) -> None:
    """Load or compile the kernels on a tiny image, so that the times of the views are those of rendering."""
    from ..geometry.intrinsics import resize_camera
    from ..rendering.rendering import label_masks, render

    tiny = resize_camera(camera, height=8, width=8)
    pose = _pose(config, volume, "ap")
    render(volume.to(device), tiny, pose, method=config.method, samples=min(8, config.samples), backend=config.backend)
    label_masks(volume.to(device), tiny, pose, backend=config.backend)


def _shoot(config: DemoConfig, volume: Volume, camera: Camera, name: str, device: str) -> DemoXray:
    import numpy as np

    from ..geometry.carm import VIEWS
    from ..pictures.grey_and_overlay import overlay, to_grey
    from ..rendering.rendering import label_masks, render

    pose = _pose(config, volume, name)
    options = {"method": config.method, "samples": config.samples, "backend": config.backend}
    image = render(volume.to(device), camera, pose, **options).cpu()
    masks = label_masks(volume.to(device), camera, pose, backend=config.backend)[0].cpu().numpy()
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


def _report(path: Path, config: DemoConfig, volume: Volume, shots: dict[str, DemoXray], seconds: float) -> None:
    from ..pictures.grey_and_overlay import legend, montage, save_png

    ap, lateral = shots["ap"], shots["lateral"]
    size = " x ".join(map(str, volume.shape[::-1]))
    source = "source {:.0f} mm {}, detector {:.0f} mm {}".format
    behind = config.sdd - config.sod
    captions = [
        f"AP: {source(config.sod, 'in front', behind, 'behind')}. The patient's left is on your right, as radiographs "
        "are read: heart, spleen and stomach bubble lie there.",
        f"Lateral: {source(config.sod, 'to the right', behind, 'to the left')}. The patient faces to your right.",
        f"AP with {len(SHOWN)} groups of the masks. Each label is projected on its own, so masks overlap.",
        f"{config.size[1]} x {config.size[0]} px of {config.pixel_spacing} mm, {config.method}\n{size} voxels\n"
        f"{len(volume.label_names)} named labels\nmade in {seconds:.0f} s",
    ]
    pictures = [ap.grey, lateral.grey, ap.colour, legend(list(SHOWN), width=170, size=14)]
    title = "xraykit demo: a procedural patient, its X-rays, and what they show"
    save_png(path, montage(pictures, captions, title=title))
