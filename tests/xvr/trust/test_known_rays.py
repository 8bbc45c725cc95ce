"""What a CT knows of each ray: all where it ends in air, a share where it ends in the patient."""

import torch
from support.registrations import CAMERA, lopsided, registration_at, shot_of, true_pose
from xraykit.render import Volume, render
from xraykit.xvr.refine.structure import Structure
from xraykit.xvr.trust.features import measure
from xraykit.xvr.trust.judge_registration import judge
from xraykit.xvr.trust.known_rays import BEYOND, continued, known_share

VOLUME = lopsided()
POSE = true_pose(VOLUME).double()


def lower_half(volume: Volume) -> Volume:
    """The part below the middle slice, which cuts through the body."""
    return Volume(volume.mu[: volume.shape[0] // 2].contiguous(), volume.affine)


def shares(volume: Volume):
    body = Structure.of(volume)
    drr = render(volume, CAMERA, POSE)[0, 0]
    return known_share(body, CAMERA, POSE[0], drr), drr


def test_a_ct_that_ends_in_air_knows_everything():
    share, drr = shares(VOLUME)
    assert torch.equal(share, torch.ones_like(drr))


def test_a_ct_that_ends_in_the_patient_knows_nothing_beyond_and_all_away_from_its_end():
    share, drr = shares(lower_half(VOLUME))
    whole = render(VOLUME, CAMERA, POSE)[0, 0]
    missing = (drr < 0.02) & (whole > 0.5)
    assert bool(missing.any())
    assert float(share[missing].max()) < 0.2
    assert float(share[-6:].min()) > 0.99


def test_a_continued_volume_repeats_its_faces_and_leaves_its_own_place_empty():
    mu = torch.zeros(4, 5, 6)
    mu[-1, 2, 3] = 0.02
    affine = torch.diag(torch.tensor([8.0, 8, 8, 1], dtype=torch.float64))
    around = continued(Structure(Volume(mu, affine), torch.zeros(3, dtype=torch.float64)))
    steps = round(BEYOND / 8)
    assert around.shape == (4 + 2 * steps, 5 + 2 * steps, 6 + 2 * steps)
    assert float(around.mu.sum()) == float(torch.tensor(0.02) * steps)
    above = around.mu[steps + 4 :, steps + 2, steps + 3]
    assert torch.equal(above, torch.full((steps,), 0.02))
    first = around.affine[:3, :3] @ torch.full((3,), float(steps), dtype=torch.float64) + around.affine[:3, 3]
    assert torch.allclose(first, torch.zeros(3, dtype=torch.float64))


def test_a_right_pose_of_a_ct_that_ends_in_the_field_keeps_its_fit_and_is_told_to_end():
    part = lower_half(VOLUME)
    body, shot = Structure.of(part), shot_of(VOLUME, POSE)
    found = registration_at(POSE[None], POSE, pivot=body.pivot[None])
    features = measure(found, (shot,), (body,))
    assert features["known"] < 0.95
    whole = measure(registration_at(POSE[None], POSE, pivot=body.pivot[None]), (shot,), (Structure.of(VOLUME),))
    assert whole["known"] == 1.0
    assert not any("ends inside the field" in line for line in judge(found, (shot,), (VOLUME,)).warnings)
