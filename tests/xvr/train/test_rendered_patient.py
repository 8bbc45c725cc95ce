"""A patient made ready for training: same matter at the same place, bone apart."""

import pytest
import torch
from support.training import small_patient
from xraykit.render import Camera, InputError, Volume, carm_pose, render
from xraykit.xvr.train.rendered_patient import prepare
from xraykit.xvr.train.rendered_views import drawn_views, line_integrals, organ_lengths, worth_learning

CAMERA = Camera(sdd=1020.0, height=20, width=20, pixel_spacing=18.0)


def pose_of(patient, *angles):
    return carm_pose(lao_rao=list(angles), sod=700.0, isocenter=patient.grid.center)


def centre_of_mass(volume):
    k, j, i = torch.meshgrid(*(torch.arange(n).double() for n in volume.shape), indexing="ij")
    weight = volume.mu.double() * volume.mu_scale
    index = torch.stack([(weight * axis).sum() / weight.sum() for axis in (i, j, k)])
    return volume.affine[:3, :3] @ index + volume.affine[:3, 3], weight.sum() * volume.affine[:3, :3].det().abs()


@pytest.mark.parametrize("voxel", [12.0, 25.0, 40.0])
def test_coarser_voxels_keep_mass_and_its_centre(voxel):
    volume = small_patient()
    patient = prepare(volume, voxel=voxel)
    (place, mass), (true_place, true_mass) = centre_of_mass(patient.tissue), centre_of_mass(volume)
    assert float(patient.tissue.spacing.max()) <= voxel
    torch.testing.assert_close(mass, true_mass, rtol=1e-3, atol=0)
    torch.testing.assert_close(place, true_place, rtol=0, atol=0.1)  # 16-bit voxels
    torch.testing.assert_close(patient.grid.center, volume.center)


def test_a_bone_multiplier_of_each_image_equals_a_ct_with_that_bone():
    volume = small_patient()
    patient = prepare(volume, voxel=12.0)
    pose = pose_of(patient, 180.0, 200.0)
    images = line_integrals(patient, CAMERA, pose, torch.tensor([1.0, 4.0]))
    bone = torch.where(volume.hu > 350, 0.01928 / 1000 * volume.hu, 0.0)
    for n, m in enumerate((1.0, 4.0)):
        expected = render(Volume(volume.mu + (m - 1) * bone, volume.affine), CAMERA, pose[n : n + 1], method="joseph")
        torch.testing.assert_close(images[n : n + 1], expected, rtol=2e-3, atol=2e-3)


def test_paths_in_labels_add_up_to_the_labelled_part_and_labels_have_no_gaps():
    volume = small_patient()
    patient = prepare(volume, voxel=12.0)
    pose = pose_of(patient, 180.0)
    lengths = organ_lengths(patient, CAMERA, pose)
    assert lengths.shape == (1, 2, 20, 20)
    whole = render(Volume((volume.labels > 0).float(), volume.affine), CAMERA, pose, method="joseph")
    torch.testing.assert_close(lengths.sum(1, keepdim=True), whole, rtol=1e-3, atol=1e-2)
    assert organ_lengths(prepare(small_patient(labels=False), voxel=12.0), CAMERA, pose) is None


def test_landmarks_lie_in_bone():
    volume = small_patient()
    points = prepare(volume, voxel=24.0).points
    index = ((points - volume.affine[:3, 3]) @ torch.linalg.inv(volume.affine[:3, :3]).T).round().long()
    assert bool((volume.hu[index[:, 2], index[:, 1], index[:, 0]] > 350).all())


def test_views_that_miss_the_patient_are_not_worth_learning():
    patient = prepare(small_patient(), voxel=24.0)
    pose = pose_of(patient, 180.0, 180.0)
    pose[1, :3, 3] += torch.tensor([900.0, 0.0, 0.0])
    views = drawn_views(patient, CAMERA, pose, bone=(1.0, 10.0), with_organs=True)
    assert views.kept.tolist() == [True, False]
    assert worth_learning(views.image, None).tolist() == [True, False]
    assert 1 <= float(views.multiplier.min()) and float(views.multiplier.max()) <= 10


def test_a_volume_of_air_is_refused():
    air = Volume.from_hu(torch.full((4, 4, 4), -1000.0), torch.eye(4))
    with pytest.raises(InputError, match="no voxel attenuates"):
        prepare(air, voxel=2.0, name="air.nii")
