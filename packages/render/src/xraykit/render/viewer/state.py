"""What the sliders say, and the camera, pose and words that follow from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from ..errors import GeometryError, InputError
from ..geometry.camera import Camera
from ..geometry.carm import VIEWS, carm_pose
from ..radiographs.radiograph import DisplayStyle
from ..rendering.options import DEFAULT_SDD


@dataclass(frozen=True)
class ViewerState:
    """One position of all sliders.

    Args:
        lao_rao: Positioner primary angle [degrees], LAO positive.
        cra_cau: Positioner secondary angle [degrees], cranial positive.
        roll: Turn of the camera about its beam [degrees].
        sod: Source to isocentre [mm].
        sdd: Source to detector [mm].
        field: Edge of the square field on the detector [mm].
        aim: Isocentre minus centre of the volume [mm], RAS.
        size: Pixels along each edge of the picture.
        mirrored: Flip the picture left to right for reading; never the pose, the arrays or the detector in 3D.
        style: "bone_bright" (film) or "bone_dark" (fluoroscopy).
        window: Line integrals shown as black and white, or None for percentiles of each picture.
        highlight: Name of the label shown in colour, or None.
    """

    lao_rao: float = 0.0
    cra_cau: float = 0.0
    roll: float = 0.0
    sod: float = 720.0
    sdd: float = DEFAULT_SDD
    field: float = 400.0
    aim: tuple[float, float, float] = (0.0, 0.0, 0.0)
    size: int = 200
    mirrored: bool = True
    style: DisplayStyle = "bone_bright"
    window: tuple[float, float] | None = None
    highlight: str | None = None

    @property
    def camera(self) -> Camera:
        """The intrinsics: size x size pixels over the field.

        Raises:
            GeometryError: A length is not positive, or the isocentre lies behind the detector.
        """
        if not 0 < self.sod < self.sdd:
            raise GeometryError(f"sod must be between 0 and sdd, got sod={self.sod} mm and sdd={self.sdd} mm.")
        return Camera(sdd=self.sdd, height=self.size, width=self.size, pixel_spacing=self.field / self.size)

    def pose(self, center: Tensor) -> Tensor:
        """Camera to world (1, 4, 4) float64, for a volume with its centre (3,) there."""
        aim = center.new_tensor(self.aim)
        angles = {"lao_rao": self.lao_rao, "cra_cau": self.cra_cau, "roll": self.roll}
        return carm_pose(**angles, sod=self.sod, isocenter=center, offset=aim)

    @property
    def magnification(self) -> float:
        """How much larger than life the isocentre appears on the detector."""
        return self.sdd / self.sod

    def turned_to(self, view: str) -> ViewerState:
        """The same set-up at a standard view of `VIEWS`, mirrored as that view is read.

        Raises:
            InputError: No view has this name.
        """
        if view not in VIEWS:
            raise InputError(f"view must be one of {', '.join(VIEWS)}, got {view!r}.")
        return replace(self, **VIEWS[view].angles, mirrored=VIEWS[view].mirrored_display)


def angles_in_words(state: ViewerState) -> str:
    """The angles as read from a C-arm's display: "LAO 30°  CRA 10°", with roll if there is any."""
    primary = _named(state.lao_rao, "LAO", "RAO")
    secondary = _named(state.cra_cau, "CRA", "CAU")
    roll = f"  roll {state.roll:g}°" if state.roll else ""
    return f"{primary}  {secondary}{roll}"


def _named(angle: float, plus: str, minus: str) -> str:
    return f"{plus if angle > 0 else minus if angle < 0 else f'{plus}/{minus}'} {abs(angle):g}°"
