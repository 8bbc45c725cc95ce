"""The data sets as the xvr paper remixed them: a folder per subject with NIfTI, DICOM and PyTorch files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from xraykit.render import FileError, Volume
from xraykit.render.converters import from_diffdrr
from xraykit.render.materials import MRPassthrough
from xraykit.render.weights import read_pickle

from ...xray.settings import XrayDetails, XraySettings
from ...xray.xray_input import read_shot
from .common import EvaluationSubject, XrayWithTruth, check_subject
from .names import DatasetName

PELVIS = {
    1: "left_hemipelvis",
    2: "right_hemipelvis",
    3: "vertebrae",
    4: "upper_sacrum",
    5: "left_femur",
    6: "right_femur",
}
CROP = {"deepfluoro": 50, "ljubljana": 0, "femur": 10}  # px at each border
LARGEST = 1 << 24  # bytes of a .pt file


@dataclass(frozen=True)
class Remixed:
    """A folder with subject01, subject02, ... of one collection, each with volume.nii.gz, fiducials.pt and xrays/.

    Poses and fiducials are stored about the centre of the volume; here they are in the world of volume.nii.gz. X-rays
    are those with a pose: the DICOM files without a .pt beside them are left out.

    Args:
        path: The folder.
        collection: Which of the three; it decides the orientation of the poses (DeepFluoro "PA", the others "AP") and
            how the X-rays are read, both as in the published recipes.
        reverse_x_axis: DiffDRR's flag under which the stored poses reproduce the stored images; None is the
            published one (true for DeepFluoro's PA poses, false for AP). Either way the image is flipped back where
            that makes it a mirror image.
        crop: Pixels cut off at each border; None is the published recipe's (DeepFluoro 50, Femur 10, Ljubljana 0).
    """

    path: Path
    collection: DatasetName = "deepfluoro"
    reverse_x_axis: bool | None = None
    crop: int | None = None

    @property
    def name(self) -> str:
        """What to call it in tables."""
        return self.collection

    @property
    def subjects(self) -> tuple[str, ...]:
        """The folders that hold a volume.nii.gz.

        Raises:
            FileError: There is none.
        """
        found = tuple(sorted(folder.parent.name for folder in Path(self.path).glob("*/volume.nii.gz")))
        if not found:
            raise FileError(f"{self.path} must hold folders such as subject01 with a volume.nii.gz, got none.")
        return found

    def subject(self, name: str) -> EvaluationSubject:
        """CT, labels and fiducials of a subject.

        Raises:
            InputError: No such subject. FileError: a file is missing, damaged or not what it should be.
        """
        folder = Path(self.path) / check_subject(name, self.subjects, self.path)
        mask, warp = folder / "mask.nii.gz", folder / "warp2template.txt"
        angiogram = self.collection == "ljubljana"
        volume = Volume.from_file(
            folder / "volume.nii.gz",
            labels=mask if mask.exists() else None,
            label_names=PELVIS if self.collection == "deepfluoro" and mask.exists() else None,
            attenuation=MRPassthrough() if angiogram else None,
        )
        about = _tensor(folder / "fiducials.pt", _load(folder / "fiducials.pt"))
        if about.ndim not in (2, 3) or about.shape[-1] != 3 or (about.ndim == 3 and len(about) != 1):
            raise FileError(f"{folder / 'fiducials.pt'} must be (1, N, 3), got shape {tuple(about.shape)}.")
        points = about.reshape(-1, 3) + volume.center
        posed = sorted(path.stem for path in (folder / "xrays").glob("*.pt"))
        return EvaluationSubject(
            name,
            volume,
            points,
            tuple(f"fiducial_{n + 1}" for n in range(len(points))),
            tuple(posed),
            lambda xray: self._xray(folder, xray, volume),
            template_warp=warp if warp.exists() else None,
            notes=("the angiogram's values were scaled so that the brightest is like water",) if angiogram else (),
        )

    def _xray(self, folder: Path, name: str, volume: Volume) -> XrayWithTruth:
        truth = folder / "xrays" / f"{name}.pt"
        stored = _load(truth)
        if not isinstance(stored, Mapping) or not {"pose", "intrinsics"} <= set(stored):
            raise FileError(f"{truth} must hold pose and intrinsics, got {_brief(stored)}.")
        numbers = _intrinsics(truth, stored["intrinsics"])
        orientation = "PA" if self.collection == "deepfluoro" else "AP"
        reverse = orientation == "PA" if self.reverse_x_axis is None else self.reverse_x_axis
        matrix = _tensor(truth, stored["pose"])
        if matrix.shape not in ((4, 4), (1, 4, 4)):
            raise FileError(f"{truth} must hold a pose (1, 4, 4), got shape {tuple(matrix.shape)}.")
        view = from_diffdrr(matrix, orientation=orientation, reverse_x_axis=reverse, center=volume.center, **numbers)
        settings = XraySettings(
            polarity="intensity",
            crop=CROP[self.collection] if self.crop is None else self.crop,
            mirror=view.mirrored,
            subtract_background=self.collection in ("ljubljana", "femur"),
            details=XrayDetails(detector_active_origin="xvr"),
        )
        shot = read_shot(folder / "xrays" / f"{name}.dcm", settings, name=name)
        sdd = shot.camera.sdd_mm
        if abs(sdd - numbers["sdd"]) > 0.01 * sdd:
            raise FileError(f"{truth} must agree with its DICOM file, got sdd {numbers['sdd']} mm and {sdd} mm.")
        return XrayWithTruth(shot, view.pose[0], mirrored=view.mirrored)


def _load(path: Path) -> Any:
    """What a .pt file holds, tensors and plain containers only: nothing in it is executed."""
    if not path.is_file():
        raise FileError(f"{path} must be there, it is not; get the data set again.")
    try:
        return read_pickle(path, largest=LARGEST)
    except FileError as error:
        raise FileError(
            f"{path} must be a PyTorch file of tensors and numbers, nothing in it was executed: {error}"
        ) from error


def _tensor(path: Path, value: Any) -> Tensor:
    if not isinstance(value, Tensor) or not value.is_floating_point() or not bool(torch.isfinite(value).all()):
        raise FileError(f"{path} must hold a finite floating-point tensor, got {_brief(value)}.")
    return value.double()


def _intrinsics(path: Path, stored: Any) -> dict[str, Any]:
    """The numbers by DiffDRR's names, (x0, y0) left to the DICOM file."""
    wanted = {"sdd": float, "delx": float, "dely": float, "height": int, "width": int}
    try:
        numbers = {name: kind(stored[name]) for name, kind in wanted.items()}
    except (TypeError, KeyError, ValueError) as error:
        raise FileError(f"{path} must hold the intrinsics {', '.join(wanted)}, got {_brief(stored)}.") from error
    return numbers


def _brief(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:60]}".replace("\n", " ")
