"""Annotated pairs as the network takes them: points of the border stay on the X-ray."""

import numpy as np
from PIL import Image
from xraykit.corr.data.annotated_pairs import AnnotatedPairs
from xraykit.corr.data.annotations import AnnotatedPair, AnnotatedPoint, AnnotatedSample, AnnotatedView
from xraykit.corr.data.settings import XrayInputSettings

GRID = 8


def test_a_point_of_the_far_border_lies_in_the_last_patch_that_shows_the_xray(tmp_path):
    values = np.random.default_rng(0).integers(0, 255, (64, 32)).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "tall.png")
    Image.fromarray(values.T).save(tmp_path / "wide.png")
    views = AnnotatedView("tall.png", (64, 32)), AnnotatedView("wide.png", (32, 64))
    points = (AnnotatedPoint((32.0, 64.0), (64.0, 32.0), True), AnnotatedPoint((0.0, 0.0), (0.0, 0.0), False))
    sample = AnnotatedSample("s", "p", "train", views, (AnnotatedPair((0, 1), points),))
    (pair,) = AnnotatedPairs([sample], tmp_path, XrayInputSettings(size=64))
    targets = pair.targets(GRID)
    assert targets.outside == 0
    assert targets.entries.tolist() == [[7 * GRID + 5, 5 * GRID + 7], [0 * GRID + 2, 2 * GRID + 0]]
    shown = pair.inside.unflatten(1, (GRID, -1)).unflatten(3, (GRID, -1)).float().mean((2, 4)).flatten(1)
    assert all(shown[view, patch] == 1 for entry in targets.entries.tolist() for view, patch in enumerate(entry))
