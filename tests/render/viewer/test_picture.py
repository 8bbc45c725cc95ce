"""A frame holds the X-ray that `render` gives for the state's camera and pose, and shows it as asked."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.scenes import random_scene
from xraykit.render import InputError, label_masks, render
from xraykit.render.pictures import overlay, to_grey
from xraykit.render.pictures.edge_letters import EdgeLetters
from xraykit.render.viewer.picture import Renderer, ViewerFrame, auto_window, label_mask, on_monitor
from xraykit.render.viewer.state import ViewerState

VOLUME = random_scene(seed=4).volume
STATE = ViewerState(lao_rao=20.0, cra_cau=10.0, sod=500.0, sdd=700.0, field=30.0, size=24, mirrored=False)
NO_LETTERS = EdgeLetters("", "", "", "")


def frame(state: ViewerState, volume=VOLUME) -> ViewerFrame:
    return Renderer(volume, samples=50, backend="torch").frame(state)


@pytest.fixture(scope="module")
def shown():
    return frame(STATE)


def test_image_is_the_render_of_camera_and_pose(shown):
    pose = STATE.pose(VOLUME.center)
    wanted = render(VOLUME, STATE.camera, pose, samples=50, backend="torch")[0, 0]
    assert np.array_equal(shown.image, wanted.float().numpy())
    assert torch.equal(shown.pose, pose)
    assert shown.image.max() > 0


def test_detector_shows_the_image_as_projected_in_the_window_stated(shown):
    assert np.array_equal(shown.detector[..., 0], to_grey(shown.image, window=shown.window))
    assert np.array_equal(shown.detector[..., 0], shown.detector[..., 2])


def test_mirror_changes_the_monitor_alone(shown):
    flipped = frame(replace(STATE, mirrored=True))
    assert np.array_equal(flipped.image, shown.image)
    assert np.array_equal(flipped.detector, shown.detector)
    plain = on_monitor(shown.detector, NO_LETTERS, mirrored=False, size=240)
    assert np.array_equal(on_monitor(shown.detector, NO_LETTERS, mirrored=True, size=240), plain[:, ::-1])
    assert not np.array_equal(plain, plain[:, ::-1])


def test_letters_are_written_at_the_edges_alone(shown):
    plain = on_monitor(shown.detector, NO_LETTERS, mirrored=False)
    lettered = on_monitor(shown.detector, EdgeLetters("R", "L", "H", "F"), mirrored=False)
    rows, columns = np.nonzero((plain != lettered).any(axis=2))
    size = plain.shape[0]
    at_edge = (np.minimum(columns, size - 1 - columns) < size / 10) | (np.minimum(rows, size - 1 - rows) < size / 10)
    assert len(rows) > 100
    assert at_edge.all()


def test_polarity_turns_white_to_black(shown):
    dark = frame(replace(STATE, style="bone_dark"))
    assert np.array_equal(dark.detector, 255 - shown.detector)


def test_window_of_the_state_is_used():
    window = (0.0, 1e6)
    assert frame(replace(STATE, window=window)).window == window
    assert frame(replace(STATE, window=window)).detector.max() == 0


def test_auto_window_spans_percentiles_of_what_the_patient_covers():
    image = np.zeros((100, 100))
    image[:, 50:] = np.linspace(1.0, 2.0, 5000).reshape(100, 50)
    assert auto_window(image) == pytest.approx((1.01, 1.997), abs=1e-6)
    assert auto_window(np.zeros((4, 4))) == (0.0, 1.0)


def test_highlight_colours_the_mask_of_the_label():
    shown = frame(replace(STATE, highlight="two"))
    mask = label_masks(VOLUME, STATE.camera, STATE.pose(VOLUME.center), backend="torch")[0, 2].numpy()
    wanted = overlay(to_grey(shown.image, window=shown.window), {"two": mask})
    assert mask.any() and not mask.all()
    assert np.array_equal(shown.detector, wanted)


def test_label_nobody_has_is_refused():
    with pytest.raises(InputError, match="no label matches 'spleen'"):
        label_mask(VOLUME, "spleen")
    ghost = replace(VOLUME, label_names={1: "one", 9: "ghost"})
    with pytest.raises(InputError, match="'ghost' must be a label that some voxel has"):
        label_mask(ghost, "ghost")
    with pytest.raises(InputError, match="'one' can be shown where the volume has labels, got none"):
        label_mask(replace(VOLUME, labels=None), "one")
