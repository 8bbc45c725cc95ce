"""Ljubljana cerebral angiograms in the HDF5 file that DiffDRR's data sets use (Pernus et al. 2013, Mitrovic et al.)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from xraykit.render import Volume
from xraykit.render.converters import from_projection_matrix
from xraykit.render.materials import MRPassthrough

from .common import EvaluationSubject, XrayWithTruth, check_subject, shot_from_intensity
from .hdf5 import H5Group, open_hdf5

VESSEL_THRESHOLD = 1000.0  # below is background of the 3D angiogram
VIEWS = {"frontal": "ap", "lateral": "lat"}


@dataclass(frozen=True)
class LjubljanaHDF5:
    """The file `ljubljana.h5`, or one in its layout: per subject a 3D angiogram, points, and two 2D angiograms.

    The world is the data set's own, taken for RAS. The volume's first axis is stored backwards, and its values are no
    Hounsfield numbers: those below 1000 are background, the rest is scaled so that the brightest is like water.

    Args:
        path: The file.
        crop: Pixels cut off at each border.
    """

    path: Path
    crop: int = 0

    @property
    def name(self) -> str:
        """What to call it in tables."""
        return "ljubljana"

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subjects in the file, such as subject01."""
        with open_hdf5(self.path) as file:
            return file.names

    def subject(self, name: str) -> EvaluationSubject:
        """3D angiogram and points of a subject.

        Raises:
            InputError: No such subject. FileError: something is missing or contradicts the layout.
        """
        check_subject(name, self.subjects, self.path)
        with open_hdf5(self.path) as file:
            group = file.group(name)
            points = torch.from_numpy(group.array("points", None, 3).astype(np.float64))
            volume = _volume(group)
            views = tuple(view for view, short in VIEWS.items() if f"proj-{short}" in group)
        return EvaluationSubject(
            name,
            volume,
            points,
            tuple(f"point_{n + 1}" for n in range(len(points))),
            views,
            lambda xray: self._xray(name, xray, volume),
            notes=("the data set's world was taken for RAS", "voxels below 1000 were taken for background"),
        )

    def _xray(self, subject: str, name: str, volume: Volume) -> XrayWithTruth:
        with open_hdf5(self.path) as file:
            group = file.group(f"{subject}/proj-{VIEWS[name]}")
            pixels = group.array("pixels", None, None)
            spacing = (group.number("row-spacing"), group.number("col-spacing"))
            extrinsic = torch.from_numpy(group.array("extrinsic", 4, 4).astype(np.float64))
            intrinsic = torch.from_numpy(group.array("intrinsic", 3, 3).astype(np.float64))
        height, width = pixels.shape
        view = from_projection_matrix(
            intrinsic @ extrinsic[:3], height=height, width=width, pixel_spacing=spacing, in_front=volume.center
        )
        shot = shot_from_intensity(
            torch.from_numpy(np.ascontiguousarray(pixels, dtype=np.float32)),
            view.camera,
            name=name,
            mirrored=view.mirrored,
            crop=self.crop,
            subtract_background=True,
        )
        return XrayWithTruth(shot, view.pose[0], mirrored=view.mirrored)


def _volume(group: H5Group) -> Volume:
    voxels = group.array("volume/pixels", None, None, None)[::-1].astype(np.float32)  # [i, j, k], i turned round
    voxels = np.where(voxels < VESSEL_THRESHOLD, 0.0, voxels).astype(np.float32)
    affine = torch.diag(torch.tensor([*group.array("volume/spacing", 3).tolist(), 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.from_numpy(group.array("volume/origin", 3).astype(np.float64))
    hu = torch.from_numpy(np.ascontiguousarray(voxels.transpose(2, 1, 0)))
    return Volume.from_hu(hu, affine, attenuation=MRPassthrough())
