"""The frame that a pose network speaks: which detector it was trained for, and what its pose numbers refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from xraykit.render import Camera, InputError, Volume
from xraykit.render.converters import diffdrr_extrinsic, from_diffdrr, to_diffdrr
from xraykit.render.geometry import PARAMETERIZATIONS, check_pose, rigid_inverse, rotation_from
from xraykit.render.storage import is_finite_number

FRAMES = ("centred", "template", "isocentre_offset")


@dataclass(frozen=True)
class NetworkFrame:
    """What a network's input and output mean, in the numbers of xvr and DiffDRR.

    A network sees the X-ray that a square detector would have taken (`camera`), flipped left to right where
    `mirrored`, and answers with E = [R | R t], DiffDRR's pose. `to_world` makes it a camera_to_world.

    Args:
        sdd: Source to detector distance of its detector [mm].
        height: Rows and columns of its input [px].
        delx: Pixel spacing of its detector at that size [mm].
        orientation: DiffDRR's "AP" or "PA".
        reverse_x_axis: DiffDRR's flag. "AP" with it (the default here) sees X-rays as the source does, "AP" without
            it (all published second-generation networks) sees them mirrored.
        frame: "centred": poses about the centre of the one CT it was trained on. "template": poses in the world of
            the template that many CTs were aligned to; they need a warp to the patient. "isocentre_offset": DiffPose,
            a motion of the X-ray source away from its isocentre view.
        parameterization: What its rotation numbers are: a name in PARAMETERIZATIONS, or "se3_log_map".
        convention: Axes of Euler angles.
        unit_factor: Millimetres per unit of its translation numbers.
        mean: Subtracted from the standardised input.
        std: What the input is then divided by.
        equalize: Whether its input is histogram-equalised.
        principal_point: Foot of the perpendicular from the source, x and y on its input [px], as the source sees it;
            None is the middle.

    Raises:
        InputError: A number or name outside its range.
    """

    sdd: float
    height: int
    delx: float
    orientation: Literal["AP", "PA"] = "AP"
    reverse_x_axis: bool = True
    frame: Literal["centred", "template", "isocentre_offset"] = "centred"
    parameterization: str = "quaternion_adjugate"
    convention: str = "ZXY"
    unit_factor: float = 1000.0
    mean: float = 0.15
    std: float = 0.1
    equalize: bool = False
    principal_point: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("sdd", "height", "delx", "unit_factor", "std"):
            value = getattr(self, name)
            if not is_finite_number(value) or value <= 0 or (name == "height" and int(value) != value):
                kind = "a positive whole number" if name == "height" else "a positive, finite number"
                raise InputError(f"{name} of a network must be {kind}, got {name}={value!r}.")
        if self.principal_point is not None:
            if len(self.principal_point) != 2 or not all(is_finite_number(value) for value in self.principal_point):
                came = self.principal_point
                raise InputError(f"principal_point of a network must be two finite numbers, got {came!r}.")
            object.__setattr__(self, "principal_point", tuple(self.principal_point))  # JSON gives a list
        if not is_finite_number(self.mean):
            raise InputError(f"mean of a network must be a finite number, got mean={self.mean!r}.")
        for name, choices in (("orientation", ("AP", "PA")), ("frame", FRAMES)):
            if getattr(self, name) not in choices:
                raise InputError(f"{name} must be one of {', '.join(choices)}, got {name}={getattr(self, name)!r}.")
        for name in ("reverse_x_axis", "equalize"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(f"{name} must be true or false, got {name}={getattr(self, name)!r}.")
        if self.parameterization == "euler_angles":
            rotation_from(torch.zeros(3), parameterization="euler_angles", convention=self.convention)
        elif self.parameterization != "se3_log_map" and self.parameterization not in PARAMETERIZATIONS:
            choices = ", ".join([*PARAMETERIZATIONS, "se3_log_map"])
            raise InputError(f"parameterization must be one of {choices}, got {self.parameterization!r}.")

    @property
    def rotation_size(self) -> int:
        """How many numbers the rotation takes."""
        return 3 if self.parameterization == "se3_log_map" else PARAMETERIZATIONS[self.parameterization]

    @property
    def mirrored(self) -> bool:
        """Whether the network sees X-rays flipped left to right, from behind the detector."""
        if self.frame == "isocentre_offset":
            return True
        return self.reverse_x_axis == (self.orientation == "PA")

    def camera(self, height: int | None = None) -> Camera:
        """The detector it was trained for, divided into `height` x `height` pixels (None: its own number)."""
        height = self.height if height is None else height
        spacing, centre = self.delx * self.height / height, self.principal_point
        if centre is not None:
            centre = (centre[0] * height / self.height, centre[1] * height / self.height)
        return Camera(self.sdd, height, height, pixel_spacing=spacing, principal_point=centre)

    def extrinsic(self, rotation: Tensor, translation: Tensor) -> Tensor:
        """E (B, 4, 4) of raw network numbers: rotation (B, n), and translation (B, 3) in units of `unit_factor` mm."""
        return diffdrr_extrinsic(
            rotation,
            translation * self.unit_factor,
            parameterization=self.parameterization,
            convention=self.convention,
        )

    def to_world(self, extrinsic: Tensor, volume: Volume, *, warp: Tensor | None = None) -> Tensor:
        """camera_to_world (B, 4, 4) in the world of `volume`, from the network's E (B, 4, 4).

        Args:
            extrinsic: E, what the network answers.
            volume: The patient's CT.
            warp: Template world to patient world, (4, 4) RAS, rigid; needed by "template" frames and by no others.

        Raises:
            InputError: A template frame without a warp, or another frame with one.
            GeometryError: E or the warp is not rigid, or holds NaN.

        Gradients: with respect to E.
        """
        self.check_warp(warp)
        if self.frame == "isocentre_offset":
            extrinsic = extrinsic @ _isocentre_view(volume, self.sdd).to(extrinsic)
            return self._from_diffdrr(_corner_frame(volume).to(extrinsic) @ extrinsic, center=(0.0, 0.0, 0.0))
        if self.frame == "centred":
            return self._from_diffdrr(extrinsic, center=volume.center)
        pose = self._from_diffdrr(extrinsic, center=(0.0, 0.0, 0.0))
        return _rigid(warp).to(pose) @ pose

    def from_world(self, pose: Tensor, volume: Volume, *, warp: Tensor | None = None) -> Tensor:
        """The network's E (B, 4, 4) for a camera_to_world (B, 4, 4); the inverse of `to_world`."""
        self.check_warp(warp)
        if self.frame == "isocentre_offset":
            extrinsic = rigid_inverse(_corner_frame(volume).to(pose)) @ self._to_diffdrr(pose, center=(0.0, 0.0, 0.0))
            return extrinsic @ rigid_inverse(_isocentre_view(volume, self.sdd).to(pose))
        if self.frame == "centred":
            return self._to_diffdrr(pose, center=volume.center)
        return self._to_diffdrr(rigid_inverse(_rigid(warp).to(pose)) @ pose, center=(0.0, 0.0, 0.0))

    def check_warp(self, warp: Tensor | None) -> None:
        """Raise InputError unless a warp is there where the frame needs one, and absent where it does not."""
        if self.frame == "template" and warp is None:
            raise InputError(
                "this network gives poses in the frame of the template that its training CTs were aligned to, so it "
                "needs the warp from that template to this CT, got none; make one with "
                "`xraykit xvr align CT TEMPLATE -o warp.tfm`, or use a network trained on this CT alone."
            )
        if self.frame != "template" and warp is not None:
            raise InputError(
                f"this network gives poses in the {self.frame} frame of the CT itself, so a warp has no meaning for "
                "it; leave the warp out, or say that the network's frame is 'template'."
            )

    def _from_diffdrr(self, extrinsic: Tensor, *, center: Tensor | tuple[float, float, float]) -> Tensor:
        orientation, reverse = self._diffdrr_view()
        return from_diffdrr(
            extrinsic,
            orientation=orientation,
            reverse_x_axis=reverse,
            sdd=self.sdd,
            height=self.height,
            width=self.height,
            delx=self.delx,
            center=center,
        ).pose

    def _to_diffdrr(self, pose: Tensor, *, center: Tensor | tuple[float, float, float]) -> Tensor:
        orientation = self._diffdrr_view()[0]
        return to_diffdrr(self.camera(), pose, orientation=orientation, mirrored=self.mirrored, center=center).extrinsic

    def _diffdrr_view(self) -> tuple[Literal["AP", "PA"] | None, bool]:
        """Orientation and reverse_x_axis; DiffPose had neither, its view is spelt out below."""
        return (None, False) if self.frame == "isocentre_offset" else (self.orientation, self.reverse_x_axis)


def _rigid(warp: Tensor | None) -> Tensor:
    """The warp (1, 4, 4), checked."""
    return check_pose(torch.as_tensor(warp, dtype=torch.float64).reshape(1, 4, 4), name="warp")


def _corner_frame(volume: Volume) -> Tensor:
    """DiffPose's world to RAS, (4, 4): LPS axes, with the right, anterior, inferior corner of the voxels as origin.

    It took each CT as a box of voxels without rotation, so an oblique grid is taken as the box around it.
    """
    depth, height, width = volume.shape
    half = volume.affine[:3, :3].abs() @ torch.tensor([width, height, depth], dtype=torch.float64) / 2
    frame = torch.diag(torch.tensor([-1.0, -1.0, 1.0, 1.0], dtype=torch.float64))
    frame[:3, 3] = volume.center + half * torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)
    return frame


def _isocentre_view(volume: Volume, sdd: float) -> Tensor:
    """DiffPose's camera at the isocentre, (4, 4) into `_corner_frame`: source behind the patient, image upright.

    Columns are DiffDRR's camera axes: image columns run to the patient's left, y to the head, z to the front; the
    source lies half the source to detector distance behind the centre of the CT.
    """
    depth, height, width = volume.shape
    half = volume.affine[:3, :3].abs() @ torch.tensor([width, height, depth], dtype=torch.float64) / 2
    view = torch.eye(4, dtype=torch.float64)
    view[:3, :3] = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]], dtype=torch.float64)
    view[:3, 3] = half + torch.tensor([0.0, sdd / 2, 0.0], dtype=torch.float64)
    return view
