"""`xraykit render drr`: one X-ray of a volume, from the options of the shell to one call of `render`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from ..errors import BackendUnavailableError, InputError
from .settings import ConfigOption, write_settings

if TYPE_CHECKING:
    from torch import Tensor

    from ..geometry.camera import Camera
    from ..volumes.volume import Volume

CENTRAL_VIEWS = ("ap", "pa", "lateral_left", "lateral_right")  # of the volume's centre, needing no labels
PLACEMENT = ("view", "lao_rao", "cra_cau", "roll", "sod", "offset")
INTRINSICS = ("sdd", "size", "pixel_spacing")
MOST_PIXELS = 2**27  # rendering takes some fifty bytes for each
ANGLES = ("lao_rao", "cra_cau", "roll")
DEFAULTS = {"sod": 850.0, "offset": (0.0, 0.0, 0.0), "sdd": 1020.0, "size": (512, 512), "pixel_spacing": 0.9}


@dataclass(frozen=True)
class DrrConfig:
    """Options of `xraykit render drr`."""

    ct: Path
    """NIfTI, NRRD or MHA/MHD file, or a DICOM folder."""
    output: Annotated[Path, Parameter(name=("--output", "-o"))] = field(kw_only=True)
    """Result: .npy (float32 line integrals), .tiff, .png or .dcm; NAME.pose.json and NAME.config.json join it."""
    labels: Path | None = field(default=None, kw_only=True)
    """Label map on the grid of CT; the masks are then drawn over the X-ray in NAME.labels.png."""
    label_names: str | None = field(default=None, kw_only=True)
    """Name table of the label values, e.g. totalsegmentator_v2; default: the names in the label file, if any."""
    label_channels: Literal["hard", "soft"] | None = field(default=None, kw_only=True)
    """Write one channel per label (.npy and .tiff); they add up to the image. Needs --labels."""
    view: str | None = field(default=None, kw_only=True)
    """ap, pa, lateral_left or lateral_right of the volume's centre set all three angles; ap if no angle is given. With
    --labels also any name that `xraykit render views` lists, which sets all but --size. A .png of pa is mirrored,
    numbers never."""
    lao_rao: float | None = field(default=None, kw_only=True)
    """Positioner primary angle [degrees], LAO positive; 0 is the detector in front of the patient."""
    cra_cau: float | None = field(default=None, kw_only=True)
    """Positioner secondary angle [degrees], cranial positive."""
    roll: float | None = field(default=None, kw_only=True)
    """Turn of the camera about its beam [degrees], from image right towards image bottom."""
    sod: float | None = field(default=None, kw_only=True)
    """Source to isocentre [mm]; default 850."""
    offset: tuple[float, float, float] | None = field(default=None, kw_only=True)
    """Isocentre minus centre of the volume [mm], patient right, front, head (RAS); default 0 0 0."""
    pose: Path | None = field(default=None, kw_only=True)
    """pose.json with camera and pose, in place of all options of view, position, distance and detector."""
    sdd: float | None = field(default=None, kw_only=True)
    """Source to detector [mm]; default 1020."""
    size: tuple[int, int] | None = field(default=None, kw_only=True)
    """Detector rows and columns [px]; default 512 512."""
    pixel_spacing: float | None = field(default=None, kw_only=True)
    """Pixel pitch on the detector [mm]; default 0.9."""
    method: Literal["trilinear", "siddon", "joseph"] = field(default="trilinear", kw_only=True)
    """Projector: trilinear samples, siddon is exact for constant voxels, joseph goes slice by slice."""
    samples: int = field(default=500, kw_only=True)
    """Samples per ray inside the volume (trilinear only)."""
    backend: Literal["auto", "torch", "numba", "triton"] = field(default="auto", kw_only=True)
    """Implementation; auto takes the fastest that runs here."""
    device: str = field(default="cpu", kw_only=True)
    """cpu, cuda or cuda:N."""


def drr(config: Annotated[DrrConfig, Parameter(name="*")], *, config_file: ConfigOption = None) -> None:
    """Render one X-ray of a CT (or MR) volume.

    Args:
        config: The options.
        config_file: .toml, .yaml or .json with any of these options, as in NAME.config.json; the command line wins.
    """
    from ..files.pose_json import write_pose
    from ..radiographs.save import save_image
    from ..rendering.rendering import render
    from ..volumes.volume import Volume

    config = resolved(config)
    check_outputs(config)
    device = usable_device(config.device)
    given = None if config.pose is None else _read_pose(config.pose)
    check_size(*((given[0].height, given[0].width) if given is not None else config.size or (0, 0)))
    start = time.perf_counter()
    volume = Volume.from_file(config.ct, labels=config.labels, label_names=config.label_names)
    print(f"read {config.ct}: {' x '.join(map(str, volume.shape[::-1]))} voxels, {time.perf_counter() - start:.1f} s")
    camera, pose = given or camera_and_pose(config, volume)
    start = time.perf_counter()
    options = {"method": config.method, "samples": config.samples, "backend": config.backend}
    image = render(volume.to(device), camera, pose, labels=config.label_channels, **options).cpu()
    print(f"rendered {camera.width} x {camera.height} pixels by {config.method}, {time.perf_counter() - start:.2f} s")
    mirrored = _mirrored(config)
    save_image(config.output, image, camera=camera, pose=pose, sod=config.sod, mirrored=mirrored)
    write_pose(beside(config, "pose.json"), camera, pose)
    write_settings(beside(config, "config.json"), config, "render drr")
    if config.labels is not None:
        _write_overlay(config, image, volume.to(device), camera, pose, mirrored=mirrored)
    print("wrote " + ", ".join(map(str, [config.output, *companions(config)])))


def resolved(config: DrrConfig) -> DrrConfig:
    """The config with every default filled in, after refusing options that contradict each other.

    Raises:
        InputError: A view with angles, a pose with anything that it already says, or channels that cannot be written.
    """
    given = [name for name in (*PLACEMENT, *INTRINSICS) if getattr(config, name) is not None]
    options = ", ".join("--" + name.replace("_", "-") for name in given)
    if config.pose is not None and given:
        raise InputError(f"--pose already holds camera and pose, got also {options}; leave one of them out.")
    if config.view is not None and any(getattr(config, name) is not None for name in ANGLES):
        raise InputError(f"--view sets all three angles, got {options}; give either a view or angles.")
    if config.label_channels is not None and config.labels is None:
        raise InputError("--label-channels needs a label map, got none; add --labels SEG.")
    if config.label_channels is not None and config.output.suffix.lower() in (".png", ".dcm"):
        raise InputError(
            f"--label-channels needs .npy or .tiff output, got {config.output}; a picture has one channel."
        )
    if config.pose is not None:
        return config
    if config.view is not None and config.view not in CENTRAL_VIEWS:
        return _resolved_by_anatomy(config, given)
    filled = {name: value for name, value in DEFAULTS.items() if getattr(config, name) is None}
    if config.view is None and all(getattr(config, name) is None for name in ANGLES):
        filled["view"] = "ap"
    if config.view is None and "view" not in filled:
        filled |= {name: 0.0 for name in ANGLES if getattr(config, name) is None}
    return replace(config, **filled)  # type: ignore[arg-type]


def _resolved_by_anatomy(config: DrrConfig, given: list[str]) -> DrrConfig:
    """A config whose view is found from the labels."""
    from ..views.planning import find_view

    view = find_view(str(config.view), also=CENTRAL_VIEWS)
    if config.labels is None:
        raise InputError(f"--view {view.name} is found from labels, got none; add --labels SEG.")
    doubled = [name for name in given if name not in ("view", "size")]
    if doubled:
        option = "--" + doubled[0].replace("_", "-")
        raise InputError(f"--view {view.name} sets camera and pose, got also {option}; leave it out.")
    return replace(config, size=config.size or DEFAULTS["size"])  # type: ignore[arg-type]


def camera_and_pose(config: DrrConfig, volume: Volume) -> tuple[Camera, Tensor]:
    """Camera and pose (1, 4, 4) float64 that a resolved config asks for, about the volume's centre or its anatomy.

    Raises:
        GeometryError: A length is not positive, or the isocentre lies behind the detector.
        InputError: The labels that a view needs are absent, or the config is not resolved.
    """
    import torch

    from ..errors import GeometryError
    from ..geometry.camera import Camera
    from ..geometry.carm import VIEWS, carm_pose

    if config.view is not None and config.view not in CENTRAL_VIEWS and config.size is not None:
        from ..views.planning import standard_view

        plan = standard_view(volume, config.view, size=config.size)
        return plan.camera, plan.pose
    if config.sdd is None or config.sod is None or config.size is None or config.pixel_spacing is None:
        raise InputError("camera_and_pose needs a resolved config, got one with open options; call resolved first.")
    if config.sod >= config.sdd:
        raise GeometryError(
            f"sod must be smaller than sdd, got sod={config.sod} mm and sdd={config.sdd} mm; did you swap them?"
        )
    height, width = config.size
    camera = Camera(sdd=config.sdd, height=height, width=width, pixel_spacing=config.pixel_spacing)
    angles = {name: getattr(config, name) for name in ANGLES} if config.view is None else VIEWS[config.view].angles
    offset = torch.tensor(config.offset, dtype=torch.float64)
    return camera, carm_pose(**angles, sod=config.sod, isocenter=volume.center, offset=offset)


def check_size(height: int, width: int) -> None:
    """Raise InputError for a detector that would fill the memory before a pixel is rendered."""
    if height * width > MOST_PIXELS:
        size = f"{height} x {width}"
        raise InputError(f"the detector must have at most {MOST_PIXELS} pixels, got {size}; make it smaller.")


def check_outputs(config: DrrConfig) -> None:
    """Raise before the long work if a result could not be written, or would replace what it is made from."""
    from ..radiographs.save import check_writable
    from ..storage.atomic_write import check_folder

    check_writable(config.output)
    for path in companions(config):
        check_folder(path)
    for source in (config.ct, config.labels):
        if source is not None and source.exists() and config.output.exists() and source.samefile(config.output):
            raise InputError(f"--output {config.output} is the input itself; choose another name.")


def companions(config: DrrConfig) -> list[Path]:
    """The files that join the output: pose, config and, with labels, the overlay."""
    endings = ["pose.json", "config.json", *(["labels.png"] if config.labels is not None else [])]
    return [beside(config, ending) for ending in endings]


def beside(config: DrrConfig, ending: str) -> Path:
    """The path of a companion of the output, NAME.ending."""
    return config.output.with_name(f"{config.output.stem}.{ending}")


def usable_device(name: str) -> str:
    """The device name, if torch can use it.

    Raises:
        InputError: No device is called so.
        BackendUnavailableError: This machine does not have it.
    """
    import torch

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"--device must be cpu, cuda or cuda:N, got {name!r}.") from error
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"--device must be cpu, cuda or cuda:N, got {name!r}.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BackendUnavailableError(f"--device {name} needs a CUDA device that torch sees; use --device cpu.")
    return name


def _read_pose(path: Path) -> tuple[Camera, Tensor]:
    from ..files.pose_json import read_pose

    return read_pose(path)


def _mirrored(config: DrrConfig) -> bool:
    from ..geometry.carm import VIEWS
    from ..views.catalogue import STANDARD_VIEWS

    return config.view is not None and {**STANDARD_VIEWS, **VIEWS}[config.view].mirrored_display


def _write_overlay(
    config: DrrConfig, image: Tensor, volume: Volume, camera: Camera, pose: Tensor, *, mirrored: bool
) -> Path:
    from ..pictures.grey_and_overlay import montage, save_png, to_grey
    from ..pictures.labelled import labelled_picture
    from ..rendering.rendering import label_masks

    masks = label_masks(volume, camera, pose, backend=config.backend)[0].cpu().numpy()
    seen = {volume.label_names.get(n, f"label {n}"): masks[n] for n in range(1, len(masks)) if masks[n].any()}
    picture = labelled_picture(to_grey(image[0].sum(dim=0).numpy()), seen, mirrored=mirrored)
    return save_png(beside(config, "labels.png"), picture if seen else montage([picture]))
