"""Start where the C-arm's own encoders say that it stood: the positioner tags of the DICOM file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pydicom
import torch
from pydicom.dataset import Dataset
from torch import Tensor

from xraykit.render import Camera, FileError, GeometryError, InputError, read_radiograph
from xraykit.render.converters import from_dicom_tags
from xraykit.render.geometry import full_precision, rigid_matrix, rotation_about
from xraykit.render.radiographs import is_stored_mirrored, stored_roll

ANGLES = ("PositionerPrimaryAngle", "PositionerSecondaryAngle")


@full_precision
def starts_from_dicom(
    paths: Sequence[str | Path],
    cameras: Sequence[Camera],
    *,
    isocenter: Tensor,
    sod: float | None = None,
    mirror: bool | None = None,
) -> Tensor:
    """One candidate from the positioner angles and distances of V DICOM files.

    The tags do not know where the patient lies: the C-arm turns about `isocenter`. The source to isocentre distance is
    Distance Source to Patient, else sdd over Estimated Radiographic Magnification Factor. Roll is the quarter turn
    that Patient Orientation states, else 0.

    Args:
        paths: A DICOM file for each view.
        cameras: Intrinsics of each view, as `read_shot` found them (its sdd counts, not the file's).
        isocenter: (3,) world RAS [mm], for instance `volume.center`.
        sod: Source to isocentre [mm], overruling the file.
        mirror: As given to `read_shot`.

    Returns:
        (1, V, 4, 4) float64, camera to world.

    Raises:
        FileError: No DICOM X-ray.
        GeometryError: Tags are missing (all are named) or contradict each other.
        InputError: Not as many files as cameras.
    """
    if not paths or len(paths) != len(cameras):
        raise InputError(f"give one DICOM file for each X-ray, got {len(paths)} for {len(cameras)}.")
    pairs = zip(paths, cameras, strict=True)
    return torch.cat([_start(Path(path), camera, isocenter, sod, mirror) for path, camera in pairs])[None]


def _start(path: Path, camera: Camera, isocenter: Tensor, sod: float | None, mirror: bool | None) -> Tensor:
    """The pose (1, 4, 4) that one file's tags describe."""
    radiograph = read_radiograph(path, colour="luma")  # refuses what is damaged or hostile, in a sentence
    if radiograph.modality is None:
        raise FileError(f"{path} has no positioner tags, it is no DICOM file; start from angles or a search instead.")
    header = pydicom.dcmread(path, stop_before_pixels=True)
    sdd, spacing, _ = camera.tensors(dtype=torch.float64, device="cpu")
    distance = sod if sod is not None else _distance(header, float(sdd[0]))
    missing = [name for name in ANGLES if header.get(name) is None]
    if missing or distance is None:
        missing += [] if distance is not None else ["DistanceSourceToPatient"]
        raise GeometryError(
            f"{path} must state where the C-arm stood, it has no {', '.join(missing)}; "
            "give the angles and --sod yourself, or start from landmarks or a search."
        )
    header.DistanceSourceToPatient = f"{distance:.10g}"
    header.DistanceSourceToDetector = f"{float(sdd[0]):.10g}"
    header.ImagerPixelSpacing = [f"{value:.10g}" for value in spacing[0].tolist()]
    header.Rows, header.Columns = camera.height, camera.width
    header.FieldOfViewHorizontalFlip = "NO"  # the shot was mirrored back while it was read
    try:
        pose = from_dicom_tags(header, isocenter=isocenter.detach().to("cpu", torch.float64))[1]
    except GeometryError as error:
        raise GeometryError(f"{path}: {error}") from error
    mirrored = bool(is_stored_mirrored(radiograph)) if mirror is None else mirror
    roll = torch.tensor(stored_roll(radiograph, mirrored=mirrored), dtype=torch.float64)
    return pose @ rigid_matrix(rotation_about("Z", roll.deg2rad()), torch.zeros(3, dtype=torch.float64))


def _distance(header: Dataset, sdd: float) -> float | None:
    """Source to isocentre [mm] as the tags say it, or None."""
    given = header.get("DistanceSourceToPatient")
    factor = header.get("EstimatedRadiographicMagnificationFactor")
    if given is not None and given > 0:
        return float(given)
    return sdd / float(factor) if factor is not None and factor > 1 else None
