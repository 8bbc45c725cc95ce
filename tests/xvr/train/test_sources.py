"""Batches of views: whose they are, and what their poses count from."""

import torch
from support.training import small_patient
from xraykit.render import Camera, Volume
from xraykit.render.views import POSE_RANGES
from xraykit.xvr.train.patients import ManyPatients
from xraykit.xvr.train.rendered_patient import prepare
from xraykit.xvr.train.rendered_views import line_integrals
from xraykit.xvr.train.sources import RenderedViews

CAMERA = Camera(sdd=1000.0, height=24, width=24, pixel_spacing=12.0)
RANGE = POSE_RANGES["deepfluoro"]
CPU = torch.device("cpu")


def moved_by(*shift: float):
    """The small patient at another place, ready for training."""
    volume = small_patient(labels=False)
    affine = volume.affine.clone()
    affine[:3, 3] += torch.tensor(shift, dtype=torch.float64)
    assert volume.hu is not None
    return prepare(Volume.from_hu(volume.hu.float() * (1 + 0.001 * shift[0]), affine), voxel=12.0)


PATIENTS = [moved_by(0.0, 0.0, 0.0), moved_by(90.0, 10.0, -40.0), moved_by(30.0, 0.0, 200.0)]


def source(together: int, *, aligned: bool = False, each: int = 1) -> RenderedViews:
    many = ManyPatients(PATIENTS.__getitem__, 3, held_out=PATIENTS[0], each=each, seed=0, together=together)
    return RenderedViews(
        many, poses=RANGE, camera=CAMERA, batch=6, bone=(1.0, 1.0), seed=0, together=together, aligned=aligned
    )


def test_several_patients_share_a_batch_and_their_poses_count_from_the_first_one_s_centre():
    mixed = source(3)
    views, again = mixed.views(0, CPU, with_organs=False)
    assert again is None and views.image.shape == (6, 1, 24, 24)
    present = [mixed.patients.at(0, place) for place in range(3)]
    assert sorted(id(p) for p in present) == sorted(id(p) for p in PATIENTS)
    assert mixed.grid is present[0].grid
    for n, patient in enumerate(present):
        part = slice(2 * n, 2 * n + 2)
        pose = views.pose[part].clone()
        pose[:, :3, 3] += (patient.grid.center - mixed.grid.center).to(pose)
        torch.testing.assert_close(views.image[part], line_integrals(patient, CAMERA, pose, torch.ones(2)))


def test_poses_of_aligned_patients_stay_in_their_world():
    apart, aligned = (source(3, aligned=value).views(0, CPU, with_organs=False)[0] for value in (False, True))
    torch.testing.assert_close(apart.image, aligned.image)
    torch.testing.assert_close(apart.pose[:2], aligned.pose[:2])
    assert float((apart.pose[2:] - aligned.pose[2:]).abs().amax(dim=(1, 2)).min()) > 10


def test_one_patient_at_a_time_can_be_rendered_again():
    alone = source(1, each=2)
    (_, first), (_, second), (_, third) = (alone.views(step, CPU, with_organs=False) for step in range(3))
    assert first is second and third is not first
    assert alone.grid is third.grid
