"""A judgement follows from a registration; every cause for doubt gets its sentence, and no other one."""

import math
from dataclasses import replace

import pytest
import torch
from support.registrations import CAMERA, lopsided, registration_at, shot_of, true_pose, twisted
from xraykit.render import Camera, Volume
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.registration import RefinedCandidate, register_structures
from xraykit.xvr.refine.structure import Structure, structure_of
from xraykit.xvr.trust.calibration import SuccessModel
from xraykit.xvr.trust.doubts import LITTLE
from xraykit.xvr.trust.judge_registration import IMPOSSIBLE, judge
from xraykit.xvr.trust.judgement import percent

VOLUME = lopsided()
BODY = Structure.of(VOLUME)
POSE = true_pose(VOLUME).double()
SHOT = shot_of(VOLUME, POSE, noise=0.05)
MODEL = SuccessModel(("local_shift",), (-1.0,), (0.5,), (-1.0,), 0.0, 5.0, error_factor=2.0, error_limit=3.0)
TIGHT = torch.diag(torch.tensor([1e-8, 1e-8, 1e-8, 1e-3, 1e-3, 1e-3], dtype=torch.float64))[None]


def judged(pose=POSE, **changes):
    values = {"covariance": TIGHT, "pivot": BODY.pivot[None], **changes}
    return judge(registration_at(pose[None], POSE, **values), (SHOT,), (BODY,), model=MODEL)


def test_nothing_speaks_against_a_right_registration():
    settings = RegistrationSettings(scales=(32, 48))
    found = register_structures(SHOT, BODY, twisted(POSE, (2, 3, 1), (4, 6, 3)), settings)
    trust = judge(found, (SHOT,), (BODY,), model=replace(MODEL, error_factor=0.1))
    assert trust.warnings == ()
    assert trust.success_probability > 0.9
    assert trust.threshold == 5.0
    assert trust.features["local_shift"] < -2


def test_the_expected_error_is_the_predicted_one_times_the_calibrated_factor():
    trust = judged()
    assert trust.expected_error == pytest.approx(2.0 * math.exp(trust.features["log_expected_error"]))
    assert trust.expected_error == pytest.approx(2.0 * math.sqrt(3e-3), rel=0.01)
    assert trust.error_limit == pytest.approx(3.0 * trust.expected_error)


def test_a_volume_and_its_anatomy_are_judged_alike():
    found = registration_at(POSE[None], POSE, covariance=TIGHT, pivot=BODY.pivot[None])
    assert judge(found, (SHOT,), (VOLUME,), model=MODEL) == judge(found, (SHOT,), (BODY,), model=MODEL)


def test_of_several_structures_the_least_likely_decides():
    parts = tuple(Structure.of(structure_of(VOLUME, (label,))) for label in (1, 2))
    pivots = torch.stack([part.pivot for part in parts])
    right, wrong = (
        judge(
            registration_at(torch.stack([POSE, second]), POSE, covariance=TIGHT.expand(2, 6, 6), pivot=pivots),
            (SHOT,),
            parts,
            model=MODEL,
        )
        for second in (POSE, twisted(POSE, shift=(30, 0, 0)))
    )
    assert wrong.success_probability < right.success_probability


AWAY = twisted(POSE[None], shift=(30, 0, 0))
RIVALS = (RefinedCandidate(POSE[None], 0.9, True, 48), RefinedCandidate(AWAY, 0.89, True, 48))
LOOSE = torch.diag(torch.tensor([1e-8] * 3 + [16.0] * 3, dtype=torch.float64))[None]
ABOUT = torch.diag(torch.tensor([-1.0, 1, -1, 1], dtype=torch.float64))
LONG = Camera(sdd=1200.0, height=40, width=48, pixel_spacing=4.0)
UNLIKE, LARGELY = ({"ncc": ncc, "patch_ncc": 0.1, "gradient_ncc": 0.1} for ncc in (0.2, 0.9))
TURNED = twisted(POSE, turn=(0, 0, 40))
DOUBTS = [
    ({"pose": TURNED}, "this looks like a failure"),
    ({"pose": TURNED, "terms": LARGELY}, "when the CT is of another patient"),
    ({"pose": TURNED, "terms": UNLIKE}, "the CT is not of this part of the body"),
    ({"converged": False}, "had not come to rest"),
    ({"pose": twisted(POSE, shift=(280, 0, 0))}, "covers only"),
    ({"candidates": RIVALS}, "another start ended 30 mm away"),
    ({"covariance": LOOSE}, "the distance along the beam is known to about 8 mm"),
    ({"pose": POSE @ ABOUT}, "behind the source"),
    ({"cameras": (LONG,)}, "sdd went from 1000 to 1200 mm"),
]


@pytest.mark.filterwarnings("ignore:no ray meets")
@pytest.mark.parametrize(("changes", "words"), DOUBTS, ids=[words for _, words in DOUBTS])
def test_every_doubt_has_its_sentence(changes, words):
    assert not any(words in warning for warning in judged().warnings)
    assert any(words in warning for warning in judged(**changes).warnings)


def test_little_anatomy_is_doubtful_only_where_most_of_it_lies_beside_the_field():
    bone = Structure.of(structure_of(VOLUME, (2,)))
    values = {"covariance": TIGHT, "pivot": bone.pivot[None]}
    inside, lost = (
        judge(registration_at(pose[None], POSE, **values), (SHOT,), (bone,), model=MODEL)
        for pose in (POSE, twisted(POSE, shift=(70, 0, 0)))
    )
    assert inside.features["coverage"] < LITTLE and inside.features["shown"] == pytest.approx(1.0)
    assert not any("covers only" in line for line in inside.warnings)
    assert any("of it lies beside them" in line for line in lost.warnings)


def test_a_ct_that_goes_on_beyond_a_narrow_field_is_not_doubted_for_it():
    valid = torch.zeros(SHOT.image.shape, dtype=torch.bool)
    valid[16:24, 18:30] = True
    found = registration_at(POSE[None], POSE, covariance=TIGHT, pivot=BODY.pivot[None])
    trust = judge(found, (replace(SHOT, valid=valid),), (BODY,), model=MODEL)
    assert trust.features["shown"] < 0.5
    assert not any("covers only" in line for line in trust.warnings)


def test_a_ct_that_ends_inside_the_field_is_said():
    part = Volume(VOLUME.mu[:, :, : VOLUME.shape[2] // 3].contiguous(), VOLUME.affine)
    found = registration_at(POSE[None], POSE, covariance=TIGHT, pivot=BODY.pivot[None])
    ends = judge(found, (SHOT,), (part,), model=MODEL).warnings
    assert any("the CT ends inside the field" in line for line in ends)
    assert not any("the CT ends inside the field" in line for line in judged().warnings)


def test_anatomy_behind_the_detector_leaves_no_chance():
    near = Camera(sdd=705.0, height=40, width=48, pixel_spacing=2.82)  # the same rays, the detector in the patient
    trust = judged(cameras=(near,))
    assert trust.features["outside"] > 0.3
    assert judged().features["outside"] == 0.0
    assert trust.success_probability <= IMPOSSIBLE < judged().success_probability


def test_a_failure_names_what_nobody_stated_and_a_success_does_not():
    shot = replace(SHOT, guesses=("nobody said otherwise, so the picture may be mirrored left to right (--mirror)",))
    known = {"covariance": TIGHT, "pivot": BODY.pivot[None]}
    for pose, named in ((twisted(POSE, turn=(0, 0, 40)), True), (POSE, False)):
        warnings = judge(registration_at(pose[None], POSE, **known), (shot,), (BODY,), model=MODEL).warnings
        assert any("nobody said otherwise, so the picture may be mirrored" in line for line in warnings) == named


def test_candidates_that_fell_behind_or_fit_worse_are_no_rivals():
    others = (RIVALS[0], RefinedCandidate(AWAY, 0.89, True, 24), RefinedCandidate(AWAY, 0.5, True, 48))
    assert not any("another start" in warning for warning in judged(candidates=others).warnings)


def test_no_certainty_is_claimed():
    assert [percent(p) for p in (1.0, 0.995, 0.93, 0.005, 0.0)] == [
        "over 99 %", "over 99 %", "93 %", "under 1 %", "under 1 %"
    ]  # fmt: skip
    assert CAMERA.sdd == SHOT.camera.sdd
