"""Draws the contact sheet of docs/patients.md: every region of one procedural person, from the front and the side.

Run: uv run python docs/makers/patient_sheet.py
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import avg_pool2d
from xraykit.render import (
    Camera,
    Patient,
    PatientSettings,
    SimulationSettings,
    Spectrum,
    carm_pose,
    generate_patient,
    simulate,
    standard_view,
)
from xraykit.render.patient import FindingSettings
from xraykit.render.pictures import montage, to_grey
from xraykit.render.simulation import BeamSettings

PICTURE = Path(__file__).parents[1] / "pictures/patients_regions.png"
SEED, TILE = 7, (212, 168)  # rows and columns of a small picture
VIEWS = {
    "skull": ("skull_ap", "skull_lateral_right"),
    "cervical_spine": ("cervical_spine_ap", "cervical_spine_lateral_right"),
    "thorax": ("chest_ap", "chest_lateral_left"),
    "thoracic_spine": ("thoracic_spine_ap", "thoracic_spine_lateral_right"),
    "lumbar_spine": ("lumbar_spine_ap", "lumbar_spine_lateral_right"),
    "abdomen_pelvis": ("abdomen_ap", "abdomen_lateral_right"),
    "hip": ("hip_ap_right", "hip_cross_table_right"),
    "knee": ("knee_ap_right", "knee_lateral_right"),
    "ankle_foot": ("ankle_ap_right", "foot_lateral_right"),
    "shoulder": ("shoulder_ap_right", "scapula_y_right"),
    "elbow": ("elbow_ap_right", "elbow_lateral_right"),
    "wrist_hand": ("hand_pa_right", "hand_lateral_right"),
}
Grey = NDArray[np.uint8]


def main(arguments: list[str] | None = None) -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--size", type=int, default=224, help="voxels along the edge of each region's grid")
    parser.add_argument("-o", "--out", type=Path, default=PICTURE)
    asked = parser.parse_args(arguments)
    shown = {name: pair(person(asked.seed, name, asked.size), views) for name, views in VIEWS.items()}
    whole = whole_body(person(asked.seed, "whole_body", asked.size), rows=3 * TILE[0] + 60)
    Image.fromarray(sheet(shown, whole)).save(asked.out, optimize=True)
    print(f"{asked.out.stat().st_size / 1000:.0f} kB in {asked.out}")


def person(seed: int, region: str, size: int) -> Patient:
    """The person's region, right side, without findings."""
    healthy = FindingSettings(0, 0, 0, 0, 0, 0)
    return generate_patient(seed=seed, region=region, settings=PatientSettings(size, side="right", findings=healthy))


def pair(patient: Patient, views: tuple[str, str]) -> Grey:
    """Two standard views side by side."""
    tiles = []
    for name in views:
        plan = standard_view(patient.volume, name, size=(2 * TILE[0], 2 * TILE[1]), landmarks=patient.landmarks)
        tiles.append(radiograph(patient, plan.camera, plan.pose, mirrored=plan.mirrored_display))
    return np.concatenate([tiles[0], np.zeros((TILE[0], 3), np.uint8), tiles[1]], axis=1)


def whole_body(patient: Patient, rows: int) -> Grey:
    """From the front and the side, at a distance that no room has."""
    tall, deep, wide = (float(patient.description["spacing"]) * n for n in patient.volume.mu.shape)
    spacing = 1.12 * tall / (2 * rows)
    tiles = []
    for angle, width in ((180.0, wide), (90.0, deep)):
        camera = Camera(sdd=9000.0, height=2 * rows, width=2 * round(0.56 * width / spacing), pixel_spacing=spacing)
        pose = carm_pose(lao_rao=angle, sod=8400.0, isocenter=patient.volume.center)
        tiles.append(radiograph(patient, camera, pose, mirrored=False))
    return np.concatenate(tiles, axis=1)


def radiograph(patient: Patient, camera: Camera, pose: torch.Tensor, *, mirrored: bool) -> Grey:
    """A noiseless X-ray of 70 kVp as radiographs are read, each pixel the mean of 2 x 2."""
    beam = BeamSettings(spectrum=Spectrum(70.0, (("aluminium", 3.0),)))
    intensity = simulate(patient.scene(), camera, pose, SimulationSettings(beam=beam, masks=False)).intensity
    density = -avg_pool2d(intensity, 2)[0, 0].clamp(1e-5, 1.0).log()
    return to_grey(density, detail=1.0, mirrored=mirrored)


def sheet(shown: dict[str, Grey], whole: Grey, columns: int = 4) -> Grey:
    """Rows of regions, and the whole body at their right."""
    names = list(shown)
    rows = []
    for first in range(0, len(names), columns):
        group = names[first : first + columns]
        rows.append(
            montage([shown[name] for name in group], [name.replace("_", " ") for name in group], size=12, gap=6)
        )
    left = np.concatenate(rows)
    right = montage([whole], ["whole body"], size=12, gap=6)
    canvas = np.full((max(len(left), len(right)), left.shape[1] + right.shape[1], 3), left[0, 0], dtype=np.uint8)
    canvas[: len(left), : left.shape[1]] = left
    canvas[: len(right), left.shape[1] :] = right
    return np.asarray(Image.fromarray(canvas).convert("L"))


if __name__ == "__main__":
    main()
