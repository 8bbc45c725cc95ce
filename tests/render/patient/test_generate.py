"""Procedural patients: reproducible, different from one another, complete, and where they say they are."""

import json

import numpy as np
import pytest
import torch
from xraykit.render import Camera, InputError, PatientSettings, carm_pose, generate_patient, simulate
from xraykit.render.patient import REGIONS, FindingSettings
from xraykit.render.patient.body.physique import sample_physique
from xraykit.render.volumes import find_labels

HEALTHY = FindingSettings(0, 0, 0, 0, 0, 0)
COARSE = PatientSettings(size=40, findings=HEALTHY)

# What a radiograph of the region is taken for.
EXPECTED = {
    "skull": ("skull", "mandible", "brain", "teeth_upper", "vertebrae_C1"),
    "cervical_spine": ("vertebrae_C1", "vertebrae_C2", "vertebrae_C5", "vertebrae_C7", "mandible"),
    "thoracic_spine": ("vertebrae_T2", "vertebrae_T7", "vertebrae_T12", "rib_left_6"),
    "lumbar_spine": ("vertebrae_L1", "vertebrae_L5", "kidney_left", "sacrum"),
    "thorax": ("lung_upper_lobe_left", "lung_middle_lobe_right", "heart", "rib_right_5", "sternum", "clavicula_left"),
    "abdomen_pelvis": ("liver", "hip_left", "hip_right", "sacrum", "femur_left", "vertebrae_L4", "colon"),
    "hip": ("hip_{side}", "femur_{side}"),
    "knee": ("femur_{side}", "tibia_{side}", "patella_{side}", "fibula_{side}"),
    "ankle_foot": ("tibia_{side}", "fibula_{side}", "tarsal_{side}", "metatarsal_{side}", "phalanges_feet_{side}"),
    "shoulder": ("humerus_{side}", "scapula_{side}", "clavicula_{side}"),
    "elbow": ("humerus_{side}", "ulna_{side}", "radius_{side}"),
    "wrist_hand": ("radius_{side}", "ulna_{side}", "carpal_{side}", "metacarpal_{side}", "phalanges_hand_{side}"),
    "whole_body": ("skull", "heart", "femur_left", "tarsal_right", "radius_left", "vertebrae_T7"),
}


@pytest.fixture(scope="module")
def patients():
    """One patient of each region, coarse."""
    return {name: generate_patient(seed=5, region=name, settings=COARSE) for name in REGIONS}


@pytest.mark.parametrize("region", EXPECTED)
def test_a_region_shows_what_it_is_named_for(patients, region):
    patient = patients[region]
    names = set(patient.volume.label_names.values())
    wanted = {name.format(side=patient.description["side"]) for name in EXPECTED[region]}
    assert wanted <= names, wanted - names
    assert {n for n in torch.unique(patient.volume.labels).tolist() if n} == set(patient.volume.label_names)


def test_every_region_is_expected():
    assert set(EXPECTED) == set(REGIONS)


@pytest.mark.parametrize("region", sorted(EXPECTED.keys() - {"elbow"}))  # a bent elbow's box holds one side only
def test_right_is_right(patients, region):
    volume = patients[region].volume
    origin = volume.affine[:3, 3].numpy()
    for side, sign in (("right", 1), ("left", -1)):
        for value in [v for v, name in volume.label_names.items() if name.endswith(f"_{side}") and "lobe" not in name]:
            index = torch.nonzero(volume.labels == value).double().mean(dim=0).flip(0).numpy()
            x = (index @ volume.affine[:3, :3].numpy().T + origin)[0]
            if len(volume.labels[volume.labels == value]) > 3:
                assert sign * x > -12, volume.label_names[value]


@pytest.mark.parametrize("region", EXPECTED)
def test_landmarks_lie_in_the_grid_and_tell_their_place(patients, region):
    patient = patients[region]
    corner = patient.volume.affine[:3, 3]
    size = torch.tensor(patient.volume.mu.shape).flip(0) * patient.description["spacing"]
    assert patient.landmarks
    for name, point in patient.landmarks.items():
        assert point.dtype == torch.float64
        assert bool(((point >= corner - 1e-6) & (point <= corner + size + 1e-6)).all()), name


def test_the_body_is_air_bone_and_flesh(patients):
    for name, patient in patients.items():
        hu = patient.volume.hu
        assert float(hu.min()) == pytest.approx(-1000, abs=1), name
        assert float(hu.max()) > 450, name
        assert 0.02 < float(((hu > -150) & (hu < 150)).float().mean()) < 0.98, name


def test_equal_seeds_give_equal_bits_and_others_another_person():
    one, again = (generate_patient(seed=11, region="knee", settings=COARSE) for _ in range(2))
    other = generate_patient(seed=12, region="knee", settings=COARSE)
    assert torch.equal(one.volume.hu, again.volume.hu)
    assert torch.equal(one.volume.labels, again.volume.labels)
    assert one.description == again.description
    assert one.description["height"] != other.description["height"]
    assert one.volume.mu.shape != other.volume.mu.shape or not torch.equal(one.volume.hu, other.volume.hu)


def test_the_description_is_json(patients):
    for patient in patients.values():
        record = json.loads(json.dumps(dict(patient.description)))
        assert record["region"] in REGIONS
        assert record["sex"] in ("female", "male")


def test_what_is_asked_is_what_comes():
    settings = PatientSettings(size=40, sex="female", age=80, side="left", findings=HEALTHY)
    patient = generate_patient(seed=3, region="knee", settings=settings)
    assert (patient.description["sex"], patient.description["age"], patient.description["side"]) == (
        "female",
        80,
        "left",
    )
    assert "patella_left" in patient.volume.label_names.values()
    assert "patella_right" not in patient.volume.label_names.values()


def test_the_same_person_is_the_same_size_in_every_region(patients):
    assert len({patient.description["height"] for patient in patients.values()}) == 1


def test_build_follows_the_population():
    people = [sample_physique(np.random.default_rng(n)) for n in range(400)]
    men = [p.height for p in people if p.sex == "male"]
    women = [p.height for p in people if p.sex == "female"]
    assert 130 < np.mean(men) - np.mean(women) < 160  # NCHS 2021: 140 mm
    assert 1710 < np.mean(men) < 1770
    old, young = ([p.bone_density for p in people if low <= p.age < high] for low, high in ((70, 96), (18, 40)))
    assert np.mean(old) < 0.9 * np.mean(young)


def test_a_fracture_moves_the_fragment_and_is_known():
    settings = PatientSettings(size=56, side="right", findings=FindingSettings(1, 0, 0, 0, 0, 0))
    whole = PatientSettings(size=56, side="right", findings=HEALTHY)
    seeds = [s for s in range(40) if _bone(s, settings) == "femur_right"][:1]
    assert seeds
    broken, intact = (generate_patient(seed=seeds[0], region="knee", settings=s) for s in (settings, whole))
    (found,) = broken.description["findings"]["fractures"]
    motion = np.array(found["motion"])
    assert np.allclose(motion[:3, :3] @ motion[:3, :3].T, np.eye(3), atol=1e-9)
    middle = broken.landmarks["fracture_femur_right"]
    assert "fracture_femur_right" not in intact.landmarks
    index = ((middle - broken.volume.affine[:3, 3]) / broken.description["spacing"]).round().long()
    shape = torch.tensor(broken.volume.labels.shape).flip(0)
    assert bool(((index > 0) & (index < shape)).all())
    gap = float((broken.landmarks["knee_center_right"] - intact.landmarks["knee_center_right"]).norm())
    assert 1 < gap < 40  # the knee hangs on the fragment


def _bone(seed, settings):
    from xraykit.render.patient.body.regions import find_region
    from xraykit.render.patient.findings import sample_findings

    rng = np.random.default_rng([seed, *b"findings"])
    physique = sample_physique(np.random.default_rng([seed, *b"physique"]))
    return next(iter(sample_findings(rng, settings.findings, find_region("knee"), "right", physique).fractures), None)


@pytest.mark.parametrize("region", ["hip", "lumbar_spine", "knee", "wrist_hand"])
def test_implants_lie_in_or_on_bone(region):
    settings = PatientSettings(size=64, side="right", findings=FindingSettings(0, 0, 0, 0, 0, 1))
    patient = generate_patient(seed=2, region=region, settings=settings)
    assert patient.tools
    assert len(patient.description["implants"]) == len(patient.tools)
    volume, bones = patient.volume, find_labels(patient.volume.label_names, "bones")
    bones = torch.tensor([*bones, *(v for v, n in volume.label_names.items() if n.split("_")[0] in LIMBS)])
    near = torch.nn.functional.max_pool3d(torch.isin(volume.labels, bones).float()[None], 5, 1, 2)[0] > 0
    for tool in patient.tools:
        points = tool.mesh.vertices.double() @ tool.pose[:3, :3].T + tool.pose[:3, 3]
        index = ((points - volume.affine[:3, 3]) / patient.description["spacing"]).round().long()
        inside = ((index >= 0) & (index < torch.tensor(volume.labels.shape).flip(0))).all(dim=1)
        i, j, k = index[inside].T
        assert float(near[k, j, i].float().mean()) > 0.4, tool.name


LIMBS = ("femur", "tibia", "fibula", "patella", "radius", "ulna", "carpal", "metacarpal", "vertebrae", "hip")


def test_a_patient_can_be_x_rayed_with_its_implants(patients):
    settings = PatientSettings(size=48, side="left", findings=FindingSettings(0, 0, 0, 0, 0, 1))
    patient = generate_patient(seed=2, region="hip", settings=settings)
    camera = Camera(sdd=1000.0, height=32, width=32, pixel_spacing=10.0)
    shot = simulate(patient.scene(), camera, carm_pose(lao_rao=180.0, sod=800.0, isocenter=patient.volume.center))
    assert shot.masks is not None
    assert bool(shot.masks.mask(patient.tools[0].name).any())
    assert torch.isfinite(shot.intensity).all()


@pytest.mark.parametrize(
    "build, sentence",
    [
        (lambda: generate_patient(seed=0, region="tail"), "region must be one of skull, .*, got 'tail'"),
        (lambda: generate_patient(seed=-1, region="knee"), "seed must be 0 or more, got -1"),
        (lambda: PatientSettings(size=8), "size must be 32 to 512 voxels, got 8"),
        (lambda: PatientSettings(age=7), "age must be 18 to 95 years, got 7"),
        (lambda: PatientSettings(sex="x"), "sex must be 'female' or 'male', got 'x'"),
        (lambda: PatientSettings(side="up"), "side must be 'right' or 'left', got 'up'"),
        (lambda: FindingSettings(fracture=1.5), "fracture must be a probability from 0 to 1, got 1.5"),
    ],
)
def test_mistakes_are_refused_in_a_sentence(build, sentence):
    with pytest.raises(InputError, match=sentence):
        build()
