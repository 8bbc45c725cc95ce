"""Pictures show what they claim: edges on edges, tiles in turn, what is denser, and how long a bar is."""

import numpy as np
import pytest
import torch
from PIL import Image
from support.registrations import CAMERA, lopsided, registration_at, shot_of, true_pose, twisted
from xraykit.render import Camera, InputError
from xraykit.render.geometry import project
from xraykit.xvr.result import display
from xraykit.xvr.result.animation import convergence_frames, write_animation
from xraykit.xvr.result.pictures import (
    checkerboard,
    comparison,
    edges_on_xray,
    registration_pictures,
    write_pictures,
    xray_greys,
)
from xraykit.xvr.result.scale_bar import ScaleBar, scale_bar
from xraykit.xvr.xray.shot import Shot

VOLUME = lopsided()
POSE = true_pose(VOLUME)


def drr_at(pose):
    return display.render_structures([VOLUME], shot_of(VOLUME, POSE), pose)


def test_a_step_has_one_thin_edge_and_a_flat_image_none():
    step = np.zeros((40, 60))
    step[:, 30:] = 5.0
    edges = display.thin_edges(step)
    assert edges[:, 28:32].any(axis=1).all()
    assert not edges[:, :27].any()
    assert not edges[:, 33:].any()
    assert edges.sum(axis=1).max() <= 2
    assert not display.thin_edges(np.full((9, 9), 3.0)).any()


def test_edges_fall_on_those_of_the_xray_only_at_the_right_pose():
    shot = shot_of(VOLUME, POSE)
    edges_of_xray = display.thin_edges(display.numbers(shot.image))

    def share(pose):
        edges = display.thin_edges(display.numbers(drr_at(pose)[0]))
        return (edges & edges_of_xray).sum() / edges.sum()

    assert share(POSE) > 0.95
    assert share(twisted(POSE, shift=(15, 0, 15))) < 0.5


def test_structures_have_colours_of_their_own_and_nothing_is_drawn_where_nothing_is_compared():
    shot = shot_of(VOLUME, POSE)
    valid = torch.ones_like(shot.image, dtype=torch.bool)
    valid[:, :24] = False
    half = Shot(shot.image, CAMERA, valid=valid)
    both = torch.cat([drr_at(POSE), drr_at(twisted(POSE, shift=(9, 0, 9)))])
    picture = edges_on_xray(half, both).astype(int)
    coloured = np.ptp(picture, axis=2) > 40
    assert coloured[:, 24:].any()
    assert not coloured[:, :24].any()
    blue, red = picture[..., 2] - picture[..., 0], picture[..., 0] - picture[..., 2]
    assert (blue > 40).any() and (red > 40).any()


def test_pixels_that_are_not_compared_are_dark():
    shot = shot_of(VOLUME, POSE)
    valid = torch.ones_like(shot.image, dtype=torch.bool)
    valid[:20] = False
    partly = Shot(shot.image, CAMERA, valid=valid)
    greys = xray_greys(partly, display.compared(partly))
    assert greys[:20].max() <= round(255 * display.OUTSIDE)
    assert greys[20:].max() == 255


def test_tiles_of_the_checkerboard_are_xray_and_drr_in_turn():
    shot = shot_of(VOLUME, POSE)
    flat = torch.arange(CAMERA.width).float().expand(CAMERA.height, -1)
    board, xray = checkerboard(shot, flat)[..., 0], xray_greys(shot, display.compared(shot))
    edge = 6  # 48 columns in 8 tiles
    np.testing.assert_array_equal(board[:edge, :edge], xray[:edge, :edge])
    np.testing.assert_array_equal(board[edge : 2 * edge, edge : 2 * edge], xray[edge : 2 * edge, edge : 2 * edge])
    assert (board[:edge, edge : 2 * edge] != xray[:edge, edge : 2 * edge]).any()


def test_the_drr_takes_the_greys_of_the_xray_whatever_its_curve():
    shot = shot_of(VOLUME, POSE)
    inside = display.compared(shot)
    xray = display.numbers(shot.image)
    curved = np.exp(0.3 * xray)
    matched = display.with_greys_of(curved, xray, inside)
    assert np.abs(matched - xray).max() < 0.02 * np.ptp(xray)


def test_the_difference_is_dark_at_the_right_pose_and_says_which_is_denser():
    shot = shot_of(VOLUME, POSE)
    right, wrong = (comparison(shot, drr_at(p)[0])[2].astype(int) for p in (POSE, twisted(POSE, shift=(12, 0, 0))))
    assert right.mean() < 40 < wrong.mean()
    denser = Shot(shot.image + 0.0, CAMERA)
    denser.image[10:20, 10:20] += 50.0
    spot = comparison(denser, drr_at(POSE)[0])[2][12:18, 12:18].astype(int)
    assert (spot[..., 2] > spot[..., 0]).all()  # blue: the X-ray


def test_a_bar_is_as_long_as_the_projection_of_its_length():
    pose, point = POSE[0].double(), VOLUME.center + torch.tensor([10.0, 20.0, 5.0])
    bar = scale_bar(CAMERA, pose, point)
    ends = torch.stack([point, point + bar.mm * pose[:3, 0]])
    uv = project(ends, CAMERA, pose[None]).uv[0]
    assert bar.px == pytest.approx(float((uv[1] - uv[0]).norm()), abs=0.5)
    assert bar.px <= 0.3 * CAMERA.width
    behind = pose[:3, 3] - 50 * pose[:3, 2]
    assert scale_bar(CAMERA, pose, behind) == ScaleBar(0, 0)


def test_shots_are_shown_in_square_pixels():
    camera = Camera(sdd=1000.0, height=20, width=40, pixel_spacing=(4.0, 2.0))
    shot = Shot(torch.rand(20, 40), camera, valid=torch.rand(20, 40) > 0.3)
    shown = display.resized(shot, 64)
    assert tuple(shown.image.shape) == (64, 64) == (shown.camera.height, shown.camera.width)
    spacing = shown.camera.tensors(dtype=torch.float64, device="cpu")[1]
    assert spacing[0].tolist() == pytest.approx([1.25, 1.25])
    assert shown.valid is not None


def test_all_pictures_are_written_with_a_title(tmp_path, monkeypatch):
    monkeypatch.setattr("xraykit.xvr.result.pictures.LONGER_SIDE", 96)
    pictures = registration_pictures(shot_of(VOLUME, POSE), [VOLUME], POSE, names=["CT"], title="knee: trusted")
    written = write_pictures(tmp_path, pictures, stem="knee.")
    assert {path.name for path in written} == {f"knee.{n}.png" for n in ("overlay", "checkerboard", "comparison")}
    assert np.asarray(Image.open(tmp_path / "knee.comparison.png")).shape[1] > 3 * 96
    other = registration_pictures(shot_of(VOLUME, POSE), [VOLUME], POSE, names=["CT"], title="")
    assert pictures["overlay"].shape[0] > other["overlay"].shape[0]


def test_a_title_wider_than_the_picture_goes_on_in_another_line(monkeypatch):
    monkeypatch.setattr("xraykit.xvr.result.pictures.LONGER_SIDE", 240)
    title = "first view + second view: trusted, chance of success over 99 %"
    short, long = (
        registration_pictures(shot_of(VOLUME, POSE), [VOLUME], POSE, names=["CT"], title=said)
        for said in ("first view", title)
    )
    assert long["overlay"].shape[0] > short["overlay"].shape[0]
    assert long["comparison"].shape == short["comparison"].shape


def test_a_pose_and_a_name_for_each_structure_are_needed():
    with pytest.raises(InputError, match="1 structures, 1 poses and 2 names"):
        registration_pictures(shot_of(VOLUME, POSE), [VOLUME], POSE, names=["a", "b"], title="")


def test_the_animation_begins_at_the_start_ends_at_the_result_and_is_small(tmp_path, monkeypatch):
    monkeypatch.setattr("xraykit.xvr.result.animation.LONGER_SIDE", 96)
    pose = POSE.double()
    found = registration_at(pose[None], twisted(pose, shift=(20, 0, 0)))
    frames = convergence_frames(shot_of(VOLUME, POSE), [VOLUME], found.history * 9, most=5)
    assert len(frames) == 5
    assert (frames[0] != frames[-1]).any()
    path = write_animation(tmp_path / "a.gif", frames)
    with Image.open(path) as gif:
        assert (gif.n_frames, gif.info["loop"]) == (5, 0)
        gif.seek(4)
        assert gif.info["duration"] == 1500
        shown = np.asarray(gif.convert("RGB")).astype(int)
    assert np.abs(shown - frames[-1]).mean() < 6
    assert path.stat().st_size < 60_000


def test_an_animation_needs_steps_and_frames(tmp_path):
    with pytest.raises(InputError, match="got 0 steps"):
        convergence_frames(shot_of(VOLUME, POSE), [VOLUME], ())
    with pytest.raises(InputError, match="at least one frame"):
        write_animation(tmp_path / "a.gif", [])
