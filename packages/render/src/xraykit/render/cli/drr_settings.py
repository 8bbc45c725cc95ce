"""What `xraykit render drr` is told, and the camera and pose that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..commands.shared_settings import CameraSettings, ComputeSettings, LabelSettings, ProjectorSettings
from ..errors import GeometryError, InputError

if TYPE_CHECKING:
    from torch import Tensor

    from ..files.camera_files import CameraFile, CameraNeeds
    from ..geometry.camera import Camera
    from ..volumes.volume import Volume

CENTRAL_VIEWS = ("ap", "pa", "lateral_left", "lateral_right")  # of the volume's centre, needing no labels
ANGLES = ("lao_rao", "cra_cau", "roll")


@dataclass(frozen=True)
class PlacementSettings:
    """Where the C-arm stands."""

    view: str | None = None
    """ap, pa, lateral_left or lateral_right of the volume's centre set all three angles; ap if no angle is given. With
    --labels also any name that `xraykit render views` lists, which sets all but --size. A .png of pa is mirrored,
    numbers never."""
    lao_rao: float | None = None
    """Positioner primary angle [degrees], LAO positive; 0 is the detector in front of the patient, and what is taken
    where another angle is given."""
    cra_cau: float | None = None
    """Positioner secondary angle [degrees], cranial positive; 0 where another angle is given."""
    roll: float | None = None
    """Turn of the camera about its beam [degrees], from image right towards image bottom; 0 where another angle is
    given."""
    sod: float = 850.0
    """Source to isocentre [mm]."""
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Isocentre minus centre of the volume [mm], patient right, front, head (RAS)."""
    pose: Path | None = None
    """pose.json with camera and pose, in place of all options of placement and camera."""
    cameras: tuple[Path, ...] = field(default=(), metadata={"flag": "camera"})
    """Camera files (pose.json, MayaCam 2.0, text of K, R, t or of a 3x4 matrix, JointTrack, RTK geometry.xml), an image
    for each view, NAME_1 and so on where there are several. Their world is the CT's; with a view, angles, --sod or
    --offset the first view stands there, and the others keep their places relative to it."""


@dataclass(frozen=True)
class DrrSettings:
    """One X-ray of a volume."""

    ct: Path = field(metadata={"positional": True})
    """NIfTI, NRRD or MHA/MHD file, or a DICOM folder."""
    output: Path = field(metadata={"short": "-o"})
    """Result: .npy (float32 line integrals), .tiff, .png or .dcm; NAME.pose.json and NAME.settings.json join it, with
    --labels NAME.labels.png with the masks drawn over the X-ray."""
    label_channels: Literal["hard", "soft"] | None = None
    """Write one channel per label (.npy and .tiff); they add up to the image. Needs --labels."""
    anatomy: LabelSettings = field(default_factory=LabelSettings)
    placement: PlacementSettings = field(default_factory=PlacementSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    projector: ProjectorSettings = field(default_factory=ProjectorSettings)
    compute: ComputeSettings = field(default_factory=ComputeSettings)

    @property
    def sod(self) -> float | None:
        """Source to isocentre [mm] where it is what places the camera."""
        placed_otherwise = self.placement.pose is not None or bool(self.placement.cameras) or self.is_by_anatomy
        return None if placed_otherwise else self.placement.sod

    @property
    def is_placed(self) -> bool:
        """Whether options say where the C-arm stands, and not only which camera it has."""
        return bool(set(_changed(self.placement)) - {"pose", "cameras"})

    @property
    def is_by_anatomy(self) -> bool:
        """Whether a view that is found from labels sets camera and pose."""
        return self.placement.view is not None and self.placement.view not in CENTRAL_VIEWS


def complete_settings(settings: DrrSettings) -> DrrSettings:
    """The settings with view and angles filled in, after refusing what contradicts itself.

    Raises:
        InputError: A view with angles, a pose with anything that it already says, or channels that cannot be written.
    """
    placement, labels = settings.placement, settings.anatomy.labels
    given = [*_changed(placement), *_changed(settings.camera)]
    if placement.pose is not None and placement.cameras:
        raise InputError("--pose already holds camera and pose, got also --camera; give the pose.json as --camera.")
    if placement.cameras and settings.is_by_anatomy:
        raise InputError(f"--view {placement.view} sets the camera, got also --camera; leave one of them out.")
    if placement.cameras and not settings.is_placed:
        return settings
    options = ", ".join("--" + name.replace("_", "-") for name in given if name != "pose")
    angles = {name: getattr(placement, name) for name in ANGLES}
    has_angles = any(value is not None for value in angles.values())
    if placement.pose is not None and options:
        raise InputError(f"--pose already holds camera and pose, got also {options}; leave one of them out.")
    if placement.view is not None and has_angles:
        raise InputError(f"--view sets all three angles, got {options}; give either a view or angles.")
    if settings.label_channels is not None and labels is None:
        raise InputError("--label-channels needs a label map, got none; add --labels SEG.")
    if settings.label_channels is not None and settings.output.suffix.lower() in (".png", ".dcm"):
        raise InputError(
            f"--label-channels needs .npy or .tiff output, got {settings.output}; a picture has one channel."
        )
    if settings.is_by_anatomy:
        _check_by_anatomy(placement.view, labels, given)
    elif placement.pose is None and has_angles:
        filled: dict[str, Any] = {name: value or 0.0 for name, value in angles.items()}
        return replace(settings, placement=replace(placement, **filled))
    elif placement.pose is None and placement.view is None:
        return replace(settings, placement=replace(placement, view="ap"))
    return settings


def camera_needs(settings: DrrSettings) -> CameraNeeds:
    """What the options say of camera files: only what differs from the defaults was said."""
    from ..files.camera_files import CameraNeeds

    said = {name: getattr(settings.camera, name) for name in _changed(settings.camera)}
    height, width = said.pop("size", (None, None))
    return CameraNeeds(height, width, **said)


def stated_views(settings: DrrSettings) -> list[CameraFile]:
    """The views of the camera files, in their order.

    Raises:
        FileError: A file is none, or lacks or contradicts what the options say.
    """
    from ..files.camera_files import read_cameras

    needs = camera_needs(settings)
    return [view for path in settings.placement.cameras for view in read_cameras(path, needs).views()]


def placed_views(settings: DrrSettings, views: list[CameraFile], volume: Volume) -> list[tuple[Camera, Tensor]]:
    """Camera and pose (1, 4, 4) of each view: as the files say, or moved together so that the first is where asked."""
    from ..geometry.rigid import rigid_inverse

    if not settings.is_placed:
        return [(view.camera, view.pose) for view in views]
    first = replace(settings.camera, sdd=views[0].camera.sdd_mm)
    pose = camera_and_pose(replace(settings, camera=first), volume)[1].double()
    home = pose @ rigid_inverse(views[0].pose)
    return [(view.camera, home @ view.pose) for view in views]


def camera_and_pose(settings: DrrSettings, volume: Volume) -> tuple[Camera, Tensor]:
    """Camera and pose (1, 4, 4) float64 that complete settings ask for, about the volume's centre or its anatomy.

    Raises:
        GeometryError: A length is not positive, or the isocentre lies behind the detector.
        InputError: The labels that a view needs are absent.
    """
    import torch

    from ..geometry.camera import Camera
    from ..geometry.carm import VIEWS, carm_pose

    placement, camera = settings.placement, settings.camera
    if settings.is_by_anatomy:
        from ..views.planning import standard_view

        plan = standard_view(volume, str(placement.view), size=camera.size)
        return plan.camera, plan.pose
    if placement.sod >= camera.sdd:
        raise GeometryError(
            f"sod must be smaller than sdd, got sod={placement.sod} mm and sdd={camera.sdd} mm; did you swap them?"
        )
    height, width = camera.size
    angles = {name: getattr(placement, name) for name in ANGLES} if placement.view is None else None
    offset = torch.tensor(placement.offset, dtype=torch.float64)
    pose = carm_pose(
        **(angles or VIEWS[str(placement.view)].angles), sod=placement.sod, isocenter=volume.center, offset=offset
    )
    return Camera(sdd=camera.sdd, height=height, width=width, pixel_spacing=camera.pixel_spacing), pose


def _changed(settings: object) -> list[str]:
    """Fields that differ from their defaults."""
    default = type(settings)()
    names = [part.name for part in fields(settings)]  # type: ignore[arg-type]
    return [name for name in names if getattr(settings, name) != getattr(default, name)]


def _check_by_anatomy(name: str | None, labels: Path | None, given: list[str]) -> None:
    """A view that is found from the labels exists, and nothing else says where the camera is."""
    from ..views.planning import find_view

    view = find_view(str(name), also=CENTRAL_VIEWS)
    if labels is None:
        raise InputError(f"--view {view.name} is found from labels, got none; add --labels SEG.")
    doubled = [option for option in given if option not in ("view", "size")]
    if doubled:
        option = "--" + doubled[0].replace("_", "-")
        raise InputError(f"--view {view.name} sets camera and pose, got also {option}; leave it out.")
