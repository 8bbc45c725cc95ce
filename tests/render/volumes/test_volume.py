"""The volume: what it refuses, what its properties mean, what each storage type costs."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from xraykit.render import InputError, Volume
from xraykit.render.materials.attenuation import WATER_AND_BONE


def grid(**options) -> Volume:
    hu = torch.linspace(-1100, 2000, 24).reshape(2, 3, 4)
    return Volume.from_hu(hu, torch.diag(torch.tensor([1.0, 2.0, 3.0, 1.0])), **options)


def test_from_hu_applies_the_law_and_keeps_the_hu():
    volume = grid()
    assert torch.equal(volume.mu, WATER_AND_BONE(volume.hu))
    assert volume.shape == (2, 3, 4)
    assert volume.spacing.tolist() == pytest.approx([1.0, 2.0, 3.0])


def test_whole_number_hu_are_held_as_float32():
    volume = Volume.from_hu(torch.tensor([[[-1000, 0, 7]]], dtype=torch.int16), torch.eye(4))
    assert volume.hu.dtype == volume.mu.dtype == torch.float32
    assert volume.hu.tolist() == [[[-1000.0, 0.0, 7.0]]]


def test_center_is_the_mean_of_all_voxel_centres_on_a_sheared_grid():
    affine = torch.tensor([[0.9, 0.1, 0.4, 5], [0.2, -1.5, 0.3, -7], [0.0, 0.5, 3.0, 11], [0, 0, 0, 1.0]])
    volume = Volume(torch.zeros(2, 3, 4), affine)
    k, j, i = torch.meshgrid(torch.arange(2), torch.arange(3), torch.arange(4), indexing="ij")
    points = torch.stack([i, j, k, torch.ones_like(i)], dim=-1).double().reshape(-1, 4) @ volume.affine.T
    torch.testing.assert_close(volume.center, points[:, :3].mean(0))
    assert volume.center.dtype == torch.float64


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_voxels_that_are_not_finite_are_refused(value):
    hu = torch.zeros(2, 3, 4)
    hu[1, 2, 3] = value
    with pytest.raises(InputError, match="hu must be finite, 1 voxels are NaN or infinite"):
        Volume.from_hu(hu, torch.eye(4))
    with pytest.raises(InputError, match="mu must be finite, 1 voxels"):
        Volume(hu, torch.eye(4))


def test_finite_voxels_whose_sum_is_none_in_their_own_type_are_taken():
    hu = torch.full((2, 3, 4), 3e38)
    assert not torch.isfinite(hu.sum())
    assert torch.equal(Volume.from_hu(hu, torch.eye(4), attenuation=lambda x: x).hu, hu)


def test_opposite_infinities_do_not_cancel():
    with pytest.raises(InputError, match="2 voxels"):
        Volume.from_hu(torch.tensor([math.inf, -math.inf]).reshape(1, 1, 2), torch.eye(4))


@pytest.mark.parametrize(
    ("affine", "match"),
    [
        (torch.full((4, 4), math.nan), "finite 4x4"),
        (torch.eye(3), "finite 4x4"),
        (torch.diag(torch.tensor([1.0, 0.0, 1.0, 1.0])), "must be invertible"),
        (torch.tensor([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "must be invertible"),
        (torch.diag(torch.tensor([1.0, 1.0, 1.0, 2.0])), "last row of affine must be 0 0 0 1"),
    ],
)
def test_an_affine_that_places_nothing_is_refused(affine, match):
    with pytest.raises(InputError, match=match):
        Volume(torch.zeros(2, 3, 4), affine)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"mu": torch.zeros(3, 4)}, r"mu must be \(depth, height, width\)"),
        ({"mu": torch.zeros(0, 3, 4)}, "no empty axis"),
        ({"mu": torch.zeros(2, 3, 4, dtype=torch.int32)}, "floating point or int16"),
        ({"hu": torch.zeros(2, 3, 5)}, r"hu must have the shape of mu \(2, 3, 4\), got \(2, 3, 5\)"),
        ({"labels": torch.zeros(2, 4, 3, dtype=torch.uint8)}, "labels must have the shape"),
        ({"labels": torch.zeros(2, 3, 4)}, "labels must be whole numbers, got torch.float32"),
        ({"labels": torch.full((2, 3, 4), -1)}, "labels must be 0 or more, got -1"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(options, match):
    with pytest.raises(InputError, match=match):
        Volume(**{"mu": torch.zeros(2, 3, 4), "affine": torch.eye(4), **options})


def test_label_names_come_from_a_table_or_a_mapping():
    labels = torch.zeros(2, 3, 4, dtype=torch.uint8)
    assert grid(labels=labels, label_names="totalsegmentator_v2").find_labels("ribs_right")[0] == 104
    assert dict(grid(labels=labels, label_names={1: "bead"}).label_names) == {1: "bead"}
    assert dict(grid().label_names) == {}


def test_mu_keeps_the_graph_of_hu():
    hu = torch.full((2, 3, 4), 100.0, requires_grad=True)
    Volume.from_hu(hu, torch.eye(4)).mu.sum().backward()
    slope = (WATER_AND_BONE.mu_bone - WATER_AND_BONE.mu_water) / WATER_AND_BONE.hu_bone
    torch.testing.assert_close(hu.grad, torch.full((2, 3, 4), slope))


def test_with_mu_keeps_everything_else():
    volume = grid(labels=torch.ones(2, 3, 4, dtype=torch.uint8), label_names={1: "bead"})
    mu = torch.rand(2, 3, 4, requires_grad=True)
    other = volume.with_mu(mu)
    assert other.mu is mu
    assert other.hu is volume.hu
    assert other.labels is volume.labels
    assert torch.equal(other.affine, volume.affine)
    assert volume.mu is not mu
    with pytest.raises(InputError, match=r"shape of the grid \(2, 3, 4\), got \(2, 3, 3\)"):
        volume.with_mu(torch.zeros(2, 3, 3))


def test_to_moves_voxels_and_leaves_the_affine_on_the_cpu():
    moved = grid(labels=torch.ones(2, 3, 4, dtype=torch.uint8)).to("meta")
    assert moved.mu.device.type == moved.hu.device.type == moved.labels.device.type == "meta"
    assert moved.affine.device.type == "cpu"


@given(st.lists(st.floats(0, 10, width=32), min_size=1, max_size=30))
def test_int16_storage_is_off_by_half_a_step_at_most(values):
    mu = torch.tensor(values).reshape(1, 1, -1)
    stored = Volume(mu, torch.eye(4)).stored_as(torch.int16)
    error = (stored.mu.double() * stored.mu_scale - mu.double()).abs().max()
    assert stored.mu.dtype == torch.int16
    assert float(error) <= float(mu.max()) / 65534 * (1 + 1e-2) + 1e-30  # the margin is float32 division


@pytest.mark.parametrize(("dtype", "bits"), [(torch.float16, 11), (torch.bfloat16, 8)])
def test_half_storage_rounds_to_its_significant_bits(dtype, bits):
    volume = grid()
    stored = volume.stored_as(dtype)
    error = (stored.mu.float() - volume.mu).abs()
    assert bool((error <= volume.mu * 2.0**-bits + 1e-7).all())


def test_integer_storage_returns_to_floating_point():
    volume = grid()
    back = volume.stored_as(torch.int16).stored_as(torch.float32)
    assert back.mu_scale == 1.0
    torch.testing.assert_close(back.mu, volume.mu, rtol=0, atol=float(volume.mu.max()) / 65534 * 1.01)


def test_int16_storage_refuses_negative_attenuation():
    with pytest.raises(InputError, match="int16 storage needs mu >= 0"):
        Volume(torch.full((1, 1, 2), -0.1), torch.eye(4)).stored_as(torch.int16)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.bool])
def test_storage_that_would_lose_the_attenuation_is_refused(dtype):
    with pytest.raises(InputError, match="storage must be floating point or int16"):
        grid().stored_as(dtype)


def test_the_highest_label_follows_the_label_map():
    labels = torch.tensor([[[0, 3], [7, 1]]], dtype=torch.uint8)
    volume = Volume(torch.zeros(1, 2, 2), torch.eye(4), labels=labels)
    assert volume.highest_label == volume.highest_label == 7
    labels[0, 0, 0] = 40  # written in place
    assert volume.highest_label == 40
    assert volume.to("cpu").with_mu(torch.ones(1, 2, 2)).highest_label == 40
    assert Volume(torch.zeros(1, 2, 2), torch.eye(4)).highest_label == 0
    with torch.inference_mode():
        assert Volume(torch.zeros(1, 2, 2), torch.eye(4), labels=labels + 1).highest_label == 41
