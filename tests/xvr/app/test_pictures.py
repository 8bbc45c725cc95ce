"""The X-ray as the page shows it: bright enough to see the anatomy, whatever shines at the border of the field."""

from dataclasses import replace

import numpy as np
import torch
from support.registrations import CAMERA, lopsided, shot_of, true_pose
from xraykit.render.geometry import resize_camera
from xraykit.xvr.app.pictures import OUTSIDE, xray_picture

VOLUME = lopsided()
SIZE = 120


def round_shot(*, rim: float):
    """An X-ray in a round field whose outermost part is so many times as bright as the anatomy."""
    camera = resize_camera(replace(CAMERA, width=40), height=SIZE, width=SIZE)
    plain = shot_of(VOLUME, true_pose(VOLUME))
    image = torch.nn.functional.interpolate(plain.image[None, None, :, 4:44], (SIZE, SIZE), mode="bilinear")[0, 0]
    across = torch.arange(SIZE) - SIZE / 2 + 0.5
    radius = torch.hypot(across[:, None], across)
    image = torch.where(radius > 52, image.min() + rim * (image.max() - image.min()), image)
    return replace(plain, image=image, camera=camera, valid=radius < 59), (radius < 45).numpy()


def test_a_bright_rim_does_not_darken_the_anatomy():
    shot, inside = round_shot(rim=20.0)
    shown = xray_picture(shot, SIZE).grey
    low, high = np.percentile(shown[inside], (2, 98))
    assert high - low > 120
    assert shown[SIZE // 2, 3] == 255


def test_pixels_that_are_not_compared_are_nearly_black_and_others_keep_their_greys_without_a_rim():
    shot, inside = round_shot(rim=0.5)
    picture = xray_picture(shot, SIZE)
    assert picture.grey[~picture.valid].max() <= 255 * OUTSIDE
    low, high = np.percentile(picture.grey[inside], (0, 100))
    assert high - low > 190
