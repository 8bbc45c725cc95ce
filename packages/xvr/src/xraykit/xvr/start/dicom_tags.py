"""Start where the C-arm's own encoders say that it stood: the positioner tags of the DICOM file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from xraykit.render import Camera, FileError, GeometryError, InputError, Radiograph, carm_pose, read_radiograph
from xraykit.render.geometry import full_precision
from xraykit.render.radiographs import is_stored_mirrored, stored_roll

ANGLES = {"lao_rao": "PositionerPrimaryAngle", "cra_cau": "PositionerSecondaryAngle"}
OBLIQUE = {"detector_primary_angle": "DetectorPrimaryAngle", "detector_secondary_angle": "DetectorSecondaryAngle"}


@full_precision
def starts_from_dicom(
    paths: Sequence[str | Path],
    cameras: Sequence[Camera],
    *,
    isocenter: Tensor,
    sod: float | None = None,
    mirror: bool | None = None,
    frames: Sequence[int | None] | None = None,
) -> Tensor:
    """One candidate from the positioner angles and distances of V DICOM files.

    The tags do not know where the patient lies: the C-arm turns about `isocenter`. Angles and distances are those of
    the frame, from its functional groups or the increments of a rotational run. The source to isocentre distance is
    that of the tags, else sdd over Estimated Radiographic Magnification Factor. Roll is what Patient Orientation
    states, else Field of View Rotation, else 0.

    Args:
        paths: A DICOM file for each view.
        cameras: Intrinsics of each view, as `read_shot` found them (its sdd counts, not the file's).
        isocenter: (3,) world RAS [mm], for instance `volume.center`.
        sod: Source to isocentre [mm], overruling the file.
        mirror: As given to `read_shot`.
        frames: Which frame of each file, counted from 0; None (all, or one of them) is the first, for files whose
            frames were taken from one place.

    Returns:
        (1, V, 4, 4) float64, camera to world.

    Raises:
        FileError: No DICOM X-ray.
        GeometryError: Tags are missing (all are named) or contradict each other.
        InputError: Not as many files as cameras.
    """
    chosen = [None] * len(paths) if frames is None else list(frames)
    if not paths or not len(paths) == len(cameras) == len(chosen):
        raise InputError(f"give one DICOM file for each X-ray, got {len(paths)} for {len(cameras)}.")
    given = zip(paths, cameras, chosen, strict=True)
    return torch.cat([_start(Path(path), camera, isocenter, sod, mirror, frame) for path, camera, frame in given])[None]


def _start(
    path: Path, camera: Camera, isocenter: Tensor, sod: float | None, mirror: bool | None, frame: int | None
) -> Tensor:
    """The pose (1, 4, 4) that one file's tags describe."""
    radiograph = read_radiograph(path, colour="luma", frame=frame)  # refuses what is damaged or hostile, in a sentence
    if radiograph.modality is None:
        raise FileError(f"{path} has no positioner tags, it is no DICOM file; start from angles or a search instead.")
    if len(set(_stands(radiograph))) > 1:
        raise GeometryError(
            f"{path} holds frames that were taken from several angles; choose one, --frame N (frames=[N])."
        )
    sdd = float(camera.tensors(dtype=torch.float64, device="cpu")[0][0])
    angles = {name: _stated(radiograph, name) for name in ANGLES}
    distance = sod if sod is not None else _distance(radiograph, sdd)
    missing = [keyword for name, keyword in ANGLES.items() if angles[name] is None]
    if missing or distance is None:
        missing += [] if distance is not None else ["DistanceSourceToPatient"]
        named = [f"{keyword} that is a number" if keyword in radiograph.doubts else keyword for keyword in missing]
        raise GeometryError(
            f"{path} must state where the C-arm stood, it has no {', '.join(named)}; "
            "give the angles and --sod yourself, or start from landmarks or a search."
        )
    oblique = [keyword for name, keyword in OBLIQUE.items() if _stated(radiograph, name)]
    if oblique:
        raise GeometryError(f"{path}: {oblique[0]} must be 0 or absent, its detector is tilted; give a pose instead.")
    if not 0 < distance < sdd:
        raise GeometryError(
            f"{path}: DistanceSourceToPatient must lie between 0 and DistanceSourceToDetector, got {distance:g} mm and "
            f"{sdd:g} mm."
        )
    mirrored = bool(is_stored_mirrored(radiograph)) if mirror is None else mirror
    known = {name: torch.tensor(value, dtype=torch.float64) for name, value in angles.items() if value is not None}
    known["roll"] = torch.tensor(stored_roll(radiograph, mirrored=mirrored), dtype=torch.float64)
    place = isocenter.detach().to("cpu", torch.float64)
    return carm_pose(**known, sod=torch.tensor(distance, dtype=torch.float64), isocenter=place)


def _stated(radiograph: Radiograph, name: str) -> float | None:
    """A number that the file states."""
    origin = radiograph.provenance.get(name)
    return None if origin is None or not isinstance(origin.value, int | float) else float(origin.value)


def _stands(radiograph: Radiograph) -> list[tuple[object, ...]]:
    """The angles of each frame, where the file has them frame by frame."""
    return [tuple(each.facts[name].value for name in ANGLES if name in each.facts) for each in radiograph.of_frames]


def _distance(radiograph: Radiograph, sdd: float) -> float | None:
    """Source to isocentre [mm] as the tags say it, or None."""
    given, factor = _stated(radiograph, "sod"), _stated(radiograph, "magnification")
    if given is not None:
        return given
    return sdd / factor if factor is not None and factor > 1 else None
