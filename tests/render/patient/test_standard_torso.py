"""The procedural torso is an anatomy one can rely on: sides, order, counts, symmetry, no loose parts."""

import itertools

import numpy as np
import pytest
import torch
from xraykit.render import InputError, torso
from xraykit.render.volumes import find_labels

SPACING = 5.0


@pytest.fixture(scope="module")
def patient():
    return torso(spacing=SPACING)


@pytest.fixture(scope="module")
def centres(patient):
    """Mean world position of every label [mm]."""
    labels, affine = patient.labels.numpy(), patient.affine.numpy()
    found = {}
    for value, name in patient.label_names.items():
        index = np.argwhere(labels == value)[:, ::-1]
        found[name] = index.mean(axis=0) @ affine[:3, :3].T + affine[:3, 3]
    return found


def ids(patient, wanted):
    return find_labels(patient.label_names, wanted)


def test_every_named_label_is_there(patient):
    present = set(torch.unique(patient.labels).tolist()) - {0}
    assert present == set(patient.label_names)
    assert len(ids(patient, "rib_left_*")) == len(ids(patient, "rib_right_*")) == 12
    assert len(ids(patient, "vertebrae_T*")) == 12
    assert len(ids(patient, "vertebrae_L*")) == 5
    assert len(ids(patient, "lung_*")) == 5


def test_label_values_are_those_of_totalsegmentator(patient):
    assert patient.label_names[51] == "heart"
    assert patient.label_names[92] == "rib_left_1"
    assert patient.label_names[27] == "vertebrae_L5"


def test_organs_lie_on_their_sides(centres):
    for name in ("heart", "stomach", "spleen", "aorta"):
        assert centres[name][0] < -5, name
    for name in ("liver", "superior_vena_cava", "inferior_vena_cava"):
        assert centres[name][0] > 5, name
    for name, place in centres.items():
        if name.endswith("_right") or name.startswith("rib_right"):
            assert place[0] > 0, name
        if name.endswith("_left") or name.startswith("rib_left"):
            assert place[0] < 0, name


def test_spine_is_ordered_from_tail_to_head_and_straight_from_the_front(centres):
    order = [f"vertebrae_{part}{n}" for part, count in (("L", 5), ("T", 12), ("C", 7)) for n in range(count, 0, -1)]
    order = ["sacrum", *(name for name in order if name in centres)]
    heights = [centres[name][2] for name in order]
    assert all(low < high for low, high in itertools.pairwise(heights))
    assert max(abs(centres[name][0]) for name in order) < 1.0


def test_spine_is_curved_from_the_side(centres):
    y = {name: place[1] for name, place in centres.items() if name.startswith("vertebrae")}
    assert y["vertebrae_L3"] > y["vertebrae_T7"] + 25  # lumbar lordosis before thoracic kyphosis
    assert y["vertebrae_C5"] > y["vertebrae_T7"] + 15


def test_lower_ribs_are_lower_and_every_rib_slopes_down_to_the_front(patient, centres):
    for side in ("left", "right"):
        heights = [centres[f"rib_{side}_{n}"][2] for n in range(1, 13)]
        assert all(high > low for high, low in itertools.pairwise(heights))
    for n in range(2, 11):
        index = np.argwhere(patient.labels.numpy() == ids(patient, f"rib_right_{n}")[0])
        assert np.corrcoef(index[:, 0], index[:, 1])[0, 1] < -0.6, n


def test_bones_are_symmetric(patient):
    labels = patient.labels.numpy()
    for name in ("hip", "femur", "scapula", "clavicula", "rib_{}_5"):
        pattern = name if "{}" in name else name + "_{}"
        left, right = (int((labels == ids(patient, pattern.format(side))[0]).sum()) for side in ("left", "right"))
        assert abs(left - right) <= 0.06 * left, name


def test_tissues_have_their_density(patient):
    def median(name):
        return float(patient.hu[patient.labels == ids(patient, name)[0]].median())

    assert median("lung_lower_lobe_right") < -700
    assert 0 < median("liver") < 100
    assert 0 < median("heart") < 100
    assert median("vertebrae_L3") > 150
    assert float(patient.hu.min()) >= -1000
    assert 800 < float(patient.hu.max()) < 1500


def test_femoral_head_sits_in_its_socket(patient, centres):
    head = torch.tensor([88.0, 2.0, -80.0], dtype=torch.float64)
    i, j, k = ((head - patient.affine[:3, 3]) / SPACING).round().long().tolist()
    assert int(patient.labels[k, j, i]) == ids(patient, "femur_right")[0]
    assert centres["hip_right"][2] > centres["femur_right"][2]


def test_nothing_floats_in_the_air(patient):
    """Growing from the middle of the trunk reaches all of the body: whatever is no air or has a label."""
    solid = (patient.hu > -500) | (patient.labels > 0)
    body = torch.nn.functional.max_pool3d(solid.float()[None, None], 2, stride=2, ceil_mode=True)
    seed = torch.zeros_like(body)
    seed[..., body.shape[2] // 2, body.shape[3] // 2, :] = body[..., body.shape[2] // 2, body.shape[3] // 2, :]
    for _ in range(400):
        grown = torch.nn.functional.max_pool3d(seed, 3, stride=1, padding=1) * body
        if bool((grown == seed).all()):
            break
        seed = grown
    assert int(seed.sum()) > 10000
    assert int(body.sum() - seed.sum()) == 0


def test_body_does_not_touch_the_sides_of_the_grid(patient):
    hu = patient.hu
    for face in (hu[:, 0], hu[:, -1], hu[:, :, 0], hu[:, :, -1]):
        assert float(face.max()) == -1000.0


def test_same_seed_gives_the_same_patient_and_another_seed_other_vessels():
    first, again, other = torso(spacing=6.0), torso(spacing=6.0), torso(spacing=6.0, seed=1)
    assert torch.equal(first.hu, again.hu)
    different = first.hu != other.hu
    assert 0 < int(different.sum()) < 0.05 * first.hu.numel()


@pytest.mark.parametrize("spacing", [0.5, 9.0, float("nan")])
def test_spacing_out_of_range_is_refused(spacing):
    with pytest.raises(InputError, match="spacing must be 1 to 8 mm"):
        torso(spacing=spacing)
