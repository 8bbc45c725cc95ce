"""Greys are spent on the anatomy that was registered, not on a bright rim somewhere else in the X-ray."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.implants import component, implant_shot, truth
from support.registrations import CAMERA, lopsided, registration_at, shot_of, true_pose, twisted
from xraykit.xvr.implants.pictures import implant_overlay
from xraykit.xvr.refine.structure import NamedStructures, Structure, structure_of
from xraykit.xvr.result import display
from xraykit.xvr.result.animation import convergence_frames
from xraykit.xvr.result.pictures import comparison, edges_on_xray, xray_greys
from xraykit.xvr.tracking.groups import StructureGroup
from xraykit.xvr.tracking.result import TrackedFrame
from xraykit.xvr.tracking.video import frame_picture
from xraykit.xvr.xray.shot import Shot

VOLUME = lopsided()
BALL = structure_of(VOLUME, (1,))
POSE = true_pose(VOLUME).double()


def rimmed(shot, *, times=20.0):
    """The shot with a rim that is far brighter than anything in the patient."""
    image = shot.image.clone()
    image[:, : image.shape[1] // 5] = image.min() + times * (image.max() - image.min())
    return replace(shot, image=image)


def drr_of(volume, shot, pose=POSE):
    return display.render_structures([volume], shot, pose)


def contrast(picture, mask):
    """Between the brightest and the darkest greys in a mask, of 255."""
    low, high = np.percentile(picture[mask].max(axis=-1), (2, 98))
    return high - low


def test_the_anatomy_keeps_most_greys_whatever_shines_elsewhere():
    shot = shot_of(VOLUME, POSE)
    bright, drr = rimmed(shot), drr_of(BALL, shot)
    near = display.around(bright, display.covered(drr))
    assert 0.02 < near.mean() < 0.3
    assert not near[:, :9].any()
    values = display.numbers(bright.image)[near]
    low, high = display.xray_window(bright, near)
    assert low <= values.min() and values.max() <= high
    assert high - low < 1.7 * np.ptp(values)
    shown, dark = (xray_greys(bright, where)[near] for where in (near, display.compared(bright)))
    assert np.ptp(shown) > 120 > 30 > np.ptp(dark)
    grey = np.ptp(edges_on_xray(bright, drr), axis=2) == 0
    np.testing.assert_array_equal(edges_on_xray(bright, drr)[grey][:, 0], xray_greys(bright, near)[grey])


def test_anatomy_that_fills_the_field_has_the_greys_of_the_whole_image():
    shot = shot_of(VOLUME, POSE)
    everywhere = torch.ones_like(drr_of(VOLUME, shot))
    near = display.around(shot, display.covered(everywhere))
    expected = np.percentile(display.numbers(shot.image), display.WINDOW)
    assert display.xray_window(shot, near) == pytest.approx(tuple(expected))


def test_where_too_little_is_covered_the_inner_part_of_the_field_tells():
    shot = Shot(torch.rand(400, 400), replace(CAMERA, height=400, width=400))
    mask = np.zeros((400, 400), dtype=bool)
    rows, columns = np.nonzero(display.around(shot, mask))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (40, 359, 40, 359)
    narrow = torch.zeros(400, 400, dtype=torch.bool)
    narrow[390:, 50:150] = True
    mask[395, :3] = True
    np.testing.assert_array_equal(display.around(replace(shot, valid=narrow), mask), narrow.numpy())


def test_the_inner_part_of_a_round_field_leaves_its_rim_out():
    down, across = torch.meshgrid(torch.arange(200.0) - 99.5, torch.arange(200.0) - 99.5, indexing="ij")
    radius = torch.hypot(down, across)
    shot = Shot(radius, replace(CAMERA, height=200, width=200), valid=radius < 90)
    kept = radius.numpy()[display.inner(shot)]
    assert 55 < kept.max() < 71
    assert display.inner(shot)[100, 100]


def test_pixels_around_a_mask_are_compared_ones_within_a_fortieth_of_the_longer_side():
    shot = Shot(torch.rand(80, 120), replace(CAMERA, height=80, width=120))
    mask = np.zeros((80, 120), dtype=bool)
    mask[40, 50] = True
    rows, columns = np.nonzero(display.around(shot, mask))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (37, 43, 47, 53)


def test_the_drr_of_a_small_structure_has_the_greys_of_the_xray_there():
    shot = shot_of(BALL, POSE)
    near = display.around(shot, display.covered(drr_of(BALL, shot)))
    xray, drr, difference = comparison(rimmed(shot), drr_of(BALL, shot)[0])
    assert np.abs(xray[near].astype(int) - drr[near]).mean() < 8
    assert difference[near].max() < 80


@pytest.mark.filterwarnings("ignore:no ray meets")
def test_all_steps_of_an_animation_have_the_same_greys(monkeypatch):
    monkeypatch.setattr("xraykit.xvr.result.animation.LONGER_SIDE", 96)
    found = registration_at(POSE[None], twisted(POSE, shift=(500, 0, 0)))
    shot = rimmed(shot_of(VOLUME, POSE))
    first, last = (frame.astype(int) for frame in convergence_frames(shot, [BALL], found.history, most=2))
    same = np.ptp(last[:80], axis=2) < 20
    assert same.mean() > 0.8
    assert np.abs(first[:80] - last[:80])[same & (np.ptp(first[:80], axis=2) < 20)].max() <= 2


def test_frames_of_a_cine_run_show_the_bodies_beside_a_bright_rim(monkeypatch):
    monkeypatch.setattr("xraykit.xvr.tracking.video.LONGER_SIDE", 96)
    group = StructureGroup(NamedStructures({"ball": Structure.of(BALL)}))
    frame = TrackedFrame(0, "1", None, POSE[None], (0.9,), (None,), ("found",))
    plain = shot_of(VOLUME, POSE)
    shown, dim = (frame_picture(frame, [shot], [group]) for shot in (rimmed(plain), rimmed(plain, times=60.0)))
    middle = (slice(45, 70), slice(40, 90))
    assert contrast(shown[middle], np.ones((25, 50), dtype=bool)) > 100
    assert np.abs(shown[middle].astype(int) - dim[middle]).mean() < 3


def test_implants_are_shown_in_front_of_what_surrounds_them():
    implant = component()
    shot = implant_shot(implant, truth(implant))
    plain, rim = (implant_overlay(one, [implant], truth(implant)[None]) for one in (shot, rimmed(shot, times=8.0)))
    middle = (slice(200, 700), slice(200, 600))
    assert np.abs(plain[middle].astype(int) - rim[middle]).mean() < 40
    assert contrast(rim[middle], np.ones((500, 400), dtype=bool)) > 120
