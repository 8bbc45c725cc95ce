"""A knee replacement: both components on the bones cut for them, of the right side, in every posture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from xraykit.render import Patient, PatientSettings, generate_patient
from xraykit.render.meshes import self_intersections
from xraykit.render.meshes.knee_components import component_size
from xraykit.render.patient import FindingSettings
from xraykit.render.patient.body.figure import Figure
from xraykit.render.patient.body.joint_angles import Posture, sample_posture
from xraykit.render.patient.body.physique import sample_physique
from xraykit.render.patient.body.regions import REGIONS
from xraykit.render.patient.body.skeleton import SIDES, Side, Skeleton
from xraykit.render.patient.canvas import Canvas
from xraykit.render.patient.findings import Findings, sample_findings
from xraykit.render.patient.knee_replacement import fit_components, place_components

ONLY = FindingSettings(0, 0, 0, 0, 0, 1)
KNEE = REGIONS["knee"]


def found(seed: int, settings: FindingSettings = ONLY, side: Side = "right") -> Findings:
    physique = sample_physique(np.random.default_rng([seed, *b"physique"]))
    return sample_findings(np.random.default_rng([seed, *b"findings"]), settings, KNEE, side, physique)


REPLACED = [seed for seed in range(12) if found(seed).implant == "knee_replacement"][:3]


def replaced(seed: int, side: Side, size: int = 80) -> Patient:
    return generate_patient(seed=seed, region="knee", settings=PatientSettings(size=size, side=side, findings=ONLY))


@pytest.fixture(scope="module", params=[(REPLACED[0], "right"), (REPLACED[1], "left"), (REPLACED[2], "right")])
def patient(request):
    return replaced(*request.param)


def at(patient: Patient, points: torch.Tensor) -> list[str]:
    """Names of the labels at world points (n, 3)."""
    volume = patient.volume
    assert volume.labels is not None
    index = ((points - volume.affine[:3, 3]) / patient.description["spacing"]).round().long()
    i, j, k = index.clamp_min(0).T
    return [volume.label_names.get(int(v), "") for v in volume.labels[k, j, i]]


def world(patient: Patient, number: int, points: object) -> torch.Tensor:
    pose = patient.tools[number].pose
    return torch.as_tensor(points, dtype=torch.float64) @ pose[:3, :3].T + pose[:3, 3]


def test_about_half_of_the_implants_of_a_knee_are_replacements():
    kinds = [found(seed).implant for seed in range(60)]
    assert set(kinds) == {"knee_replacement", "plate"} and 18 < kinds.count("knee_replacement") < 42


def test_it_takes_the_place_of_fractures_but_not_of_the_patella_s():
    for seed in range(40):
        findings = found(seed, FindingSettings(1, 0, 0, 0, 0, 1))
        if findings.implant == "knee_replacement":
            assert set(findings.sites) <= {"patella_right"} and not findings.displaced
            assert set(findings.fractures) == {"femur_right", "tibia_right", *findings.sites}


def test_both_components_are_named_and_told(patient):
    side = patient.description["side"]
    assert patient.description["implants"] == [f"femoral component {side}", f"tibial component {side}"]
    assert patient.description["findings"]["implant"] == "knee_replacement"
    assert patient.description["findings"]["fractures"] == []
    assert {tool.mesh.name for tool in patient.tools} == {"femoral_component", "tibial_component"}
    assert all(self_intersections(tool.mesh) == 0 for tool in patient.tools)


def test_bone_lies_against_the_cuts_and_none_in_the_metal(patient):
    side = patient.description["side"]
    femoral, tibial = (tool.mesh for tool in patient.tools)
    width, voxel = float(femoral.size[0]), patient.description["spacing"]
    distal = 9.0 * width / 76
    spots = [(x, y, distal) for x in (-0.3 * width, 0.3 * width) for y in (-5.0, 5.0)]
    above, inside = (world(patient, 0, np.add(spots, (0, 0, dz))) for dz in (1.5 * voxel, -1.5 * voxel))
    assert at(patient, above) == [f"femur_{side}"] * 4 and not any(at(patient, inside))
    plate = float(tibial.vertices[tibial.vertices[:, 0] > 0.98 * tibial.vertices[:, 0].max(), 2].min())
    spots = [(x, y, plate) for x in (-0.3 * width, 0.3 * width) for y in (-6.0, 6.0)]
    below, inside = (world(patient, 1, np.add(spots, (0, 0, dz))) for dz in (-1.5 * voxel, 1.5 * voxel))
    assert at(patient, below) == [f"tibia_{side}"] * 4 and not any(at(patient, inside))


def test_the_flange_lies_on_the_femur_and_the_keel_in_the_tibia(patient):
    side = patient.description["side"]
    femoral, tibial = (tool.mesh for tool in patient.tools)
    tip = femoral.vertices[femoral.vertices[:, 2] > femoral.vertices[:, 2].max() - 3].double()
    back = torch.tensor([float(tip[:, 0].mean()), float(tip[:, 1].min()), float(tip[:, 2].mean())])
    near = [back - torch.tensor([0.0, depth, 0.0]) for depth in (0.0, 1.5, 3.0, 4.5)]
    assert f"femur_{side}" in at(patient, world(patient, 0, torch.stack(near)))
    keel = torch.tensor([[0.0, 0.0, z] for z in np.linspace(2, 0.8 * float(tibial.size[2]), 6)])
    assert at(patient, world(patient, 1, keel)) == [f"tibia_{side}"] * 6


def test_the_components_are_of_their_side_and_face_one_another(patient):
    side = patient.description["side"]
    axes = [tool.pose[:3, :3] for tool in patient.tools]
    assert all(float(a[2, 2]) > 0.3 and float(a[1, 1]) > 0.2 for a in axes)  # up is up, front is front
    femoral = patient.tools[0].mesh.vertices
    tip = femoral[femoral[:, 2] > femoral[:, 2].max() - 6, 0]
    lateral = world(patient, 0, [[float(tip.mean()), 0, 0]]) - world(patient, 0, [[0.0, 0, 0]])
    to_side = (
        patient.landmarks[f"femoral_epicondyle_lateral_{side}"] - patient.landmarks[f"femoral_epicondyle_medial_{side}"]
    )
    assert float(lateral[0] @ to_side) > 0  # the flange leans to the lateral side on both sides
    low = world(patient, 0, patient.tools[0].mesh.vertices.double())
    pose = patient.tools[1].pose
    height = ((low - pose[:3, 3]) @ pose[:3, :3])[:, 2].min() - patient.tools[1].mesh.vertices[:, 2].max()
    assert 3 < float(height) < 16  # room for the insert


def test_left_is_the_mirror_image_of_right():
    physique = sample_physique(np.random.default_rng(3))
    leg = sample_posture(np.random.default_rng(3), "knee").leg_right
    skeleton = Skeleton(physique, Posture(leg_right=leg, leg_left=leg))
    figure = Figure(Canvas((0, 0, 0), (1, 1, 1), 1.0), skeleton, {})
    components = fit_components(np.random.default_rng(0), physique)
    right, left = (place_components(figure, components, side) for side in SIDES)
    for one, other in zip(right, left, strict=True):
        a, b = (tool.mesh.vertices.double() @ tool.pose[:3, :3].T + tool.pose[:3, 3] for tool in (one, other))
        torch.testing.assert_close(a * torch.tensor([-1.0, 1.0, 1.0]), b, atol=1e-3, rtol=0)
        assert one.mesh.volume == pytest.approx(other.mesh.volume, rel=1e-5)


def test_components_fit_the_person():
    widths = []
    for seed in range(4):
        physique = sample_physique(np.random.default_rng(seed))
        components = fit_components(np.random.default_rng(seed), physique)
        width, _ = component_size("femoral_component", components.femoral)
        widths.append(width / physique.length("thigh"))
    assert 62 < min(widths) and max(widths) < 78


def test_equal_seeds_give_equal_bits():
    one, again = (replaced(REPLACED[0], "right", 32) for _ in range(2))
    assert torch.equal(one.volume.mu, again.volume.mu)
    assert all(torch.equal(a.pose, b.pose) for a, b in zip(one.tools, again.tools, strict=True))
