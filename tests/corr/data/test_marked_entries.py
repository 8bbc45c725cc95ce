"""Points become entries of the matrix: the right patch, dilated, and the positive wins."""

from __future__ import annotations

import numpy as np
from xraykit.corr.data.annotations import AnnotatedPoint
from xraykit.corr.data.marked_entries import annotation_targets

SHARE = np.diag([1 / 80, 1 / 80, 1.0])  # an original of 80 x 80 px


def test_a_point_lies_in_the_patch_that_holds_it():
    point = AnnotatedPoint((79.9, 0.0), (10.0, 39.9), True)
    targets = annotation_targets([point], [SHARE, SHARE], grid=8)
    assert targets.entries.tolist() == [[7, 3 * 8 + 1]]
    assert targets.values.tolist() == [1.0] and targets.weights.tolist() == [1.0]


def test_a_letterboxed_input_moves_the_patch():
    letterbox = np.array([[1 / 80, 0, 0], [0, 1 / 80, 0.25], [0, 0, 1.0]])  # 80 x 40 in a square
    targets = annotation_targets([AnnotatedPoint((0, 0), (0, 0), True)], [letterbox, SHARE], grid=8)
    assert targets.entries.tolist() == [[16, 0]]


def test_a_positive_point_wins_over_a_negative_in_the_same_patches():
    points = [AnnotatedPoint((1, 1), (1, 1), False), AnnotatedPoint((2, 2), (2, 2), True)]
    targets = annotation_targets(points, [SHARE, SHARE], grid=8)
    assert targets.values.tolist() == [1.0] and targets.contradicted == 1


def test_a_radius_makes_near_patches_positive_with_half_the_weight_unless_marked_negative():
    points = [AnnotatedPoint((15, 15), (15, 15), True, radius=10.0), AnnotatedPoint((25, 15), (15, 15), False)]
    targets = annotation_targets(points, [SHARE, SHARE], grid=8)
    truth, weight = targets.dense(8)
    middle = 1 * 8 + 1
    assert weight[middle, middle] == 1 and truth[middle, middle] == 1
    assert weight[middle, middle + 1] == 0.5 and truth[middle, middle + 1] == 1
    assert weight[middle + 1, middle] == 1 and truth[middle + 1, middle] == 0  # marked as no match
    assert np.count_nonzero(weight) == 25  # five patches about each point
    plain = annotation_targets(points, [SHARE, SHARE], grid=8, dilate=False)
    assert len(plain.entries) == 2


def test_points_that_the_input_does_not_show_are_counted():
    cropped = np.array([[1 / 40, 0, -0.5], [0, 1 / 40, -0.5], [0, 0, 1.0]])  # the middle of the original
    targets = annotation_targets([AnnotatedPoint((1, 1), (40, 40), True)], [cropped, cropped], grid=8)
    assert targets.outside == 1 and len(targets.entries) == 0
