"""Training: it learns screws, follows from its seed, and refuses what does not fit."""

from dataclasses import replace

import pytest
import torch
from support.dax_screws import SIZE, bump_maps, random_truth
from xraykit.dax.probes.screws import (
    DetectionLossSettings,
    DetectorSettings,
    DetectorTrainingSettings,
    ScrewDetector,
    ScrewSettings,
    ScrewTruth,
    average_precision,
    detect,
    train_detector,
)
from xraykit.render import InputError
from xraykit.render.training import TrainingFailedError

SMALL = DetectorSettings(
    width=32, heads=2, points=2, strides=(8, 16), queries=6, feedforward=64, encoder_layers=1, decoder_layers=2
)
SHORT = ScrewSettings(SMALL, training=DetectorTrainingSettings(steps=3, batch=4))


def images(count, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return [random_truth(rng, most=2) for _ in range(count)]


@pytest.mark.slow
def test_it_learns_a_handful_of_images_by_heart():
    truth = images(4)
    training = DetectorTrainingSettings(steps=120, batch=4, rate=5e-3, warmup=10)
    settings = replace(SHORT, half_distance=10.0, training=training)
    losses = []
    detector = train_detector(bump_maps(truth), truth, settings, report=lambda _, terms: losses.append(terms["loss"]))
    scores = average_precision(detect(detector, bump_maps(truth)), truth, half_distance=10.0)
    assert len(losses) == 120
    assert losses[-1] < 0.1 * losses[0]
    assert scores.ap > 0.9


def test_the_same_seed_gives_the_same_detector_and_leaves_others_random_numbers_alone():
    truth = images(5)
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    first, second = (train_detector(bump_maps(truth), truth, SHORT, seed=4) for _ in range(2))
    torch.testing.assert_close(torch.rand(3), expected)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    third = train_detector(bump_maps(truth), truth, SHORT, seed=5)
    assert not torch.allclose(first.level, third.level)


def test_half_precision_maps_serve_as_well():
    truth = images(5)
    detector = train_detector([one.half() for one in bump_maps(truth)], truth, SHORT)
    found = detect(detector, [one.half() for one in bump_maps(truth)], batch=2)
    assert len(found) == 5


class OnDisk:
    """An array that tells how much of it is read at once."""

    def __init__(self, values):
        self.values, self.shape, self.ndim, self.read = values, values.shape, values.ndim, []

    def __len__(self):
        return len(self.values)

    def __getitem__(self, places):
        self.read.append(len(places))
        return self.values[places]


def test_maps_on_disk_are_read_by_batch_and_the_chosen_alone_are_learned_from():
    truth, chosen = images(7), [5, 0, 3, 6, 2]
    maps = bump_maps(truth)
    stored = [OnDisk(one.numpy()) for one in maps]
    part, learned = [one[chosen] for one in maps], [truth[n] for n in chosen]
    first = train_detector(part, learned, SHORT)
    second = train_detector(stored, truth, SHORT, chosen=chosen)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    assert max(stored[0].read) == SHORT.training.batch
    for one, other in zip(detect(first, part), detect(second, stored, chosen=chosen, batch=2), strict=True):
        torch.testing.assert_close(one.points, other.points)
    assert stored[0].read[-3:] == [2, 2, 1]


def test_found_screws_are_sorted_and_in_pixels_and_do_not_depend_on_the_batch():
    truth = images(5)
    torch.manual_seed(0)
    detector = ScrewDetector([4, 4], [8, 16], SIZE, SMALL)
    whole, parts = (detect(detector, bump_maps(truth), batch=batch) for batch in (5, 2))
    assert detector.training
    for one, other in zip(whole, parts, strict=True):
        assert one.points.shape == (6, 2, 2)
        assert bool((one.scores.diff() <= 0).all())
        torch.testing.assert_close(one.scores, other.scores)
    assert 1 < float(whole[0].points.mean()) < 64


def test_a_detector_at_its_start_points_at_the_centres_of_cells():
    torch.manual_seed(0)
    detector = ScrewDetector([4, 4], [8, 16], SIZE, SMALL)
    points = detect(detector, bump_maps(images(2)))[0].points
    torch.testing.assert_close(points[:, 0], points[:, 1])
    centres = {(8 * i + 4) for i in range(8)} | {(16 * i + 8) for i in range(4)}
    assert set(points.flatten().round().int().tolist()) <= centres


@pytest.mark.parametrize(
    ("maps", "truth", "sentence"),
    [
        ([torch.zeros(2, 4, 8, 8)], 3, r"maps must be \(N, C, h, w\) for the same N images"),
        ([], 3, "maps must be"),
        ([torch.zeros(3, 8, 8)], 3, "maps must be"),
    ],
)
def test_maps_that_do_not_fit_are_refused(maps, truth, sentence):
    with pytest.raises(InputError, match=sentence):
        train_detector(maps, images(truth), SHORT)


def test_images_of_two_sizes_or_without_screws_are_refused():
    none = ScrewTruth(torch.zeros(0, 2, 2), torch.zeros(0, 2, dtype=torch.bool), SIZE)
    with pytest.raises(InputError, match=r"images of one size that show screws, got sizes \[\(64, 64\)\] and 0 screws"):
        train_detector([torch.zeros(2, 4, 8, 8)], [none, none], SHORT)
    with pytest.raises(InputError, match=r"sizes \[\(32, 32\), \(64, 64\)\]"):
        train_detector([torch.zeros(2, 4, 8, 8)], [none, replace(none, size=(32, 32))], SHORT)


def test_maps_that_are_no_numbers_end_the_training_with_a_sentence():
    truth = images(4)
    with pytest.raises(TrainingFailedError, match="loss must stay finite, got nan in batch 0"):
        train_detector([one * float("nan") for one in bump_maps(truth)], truth, SHORT)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"detector": DetectorSettings(keep=1.5)}, "keep must lie above 0 and up to 1"),
        ({"detector": DetectorSettings(heads=3)}, "heads must be even"),
        ({"detector": DetectorSettings(width=36)}, "width a multiple of heads and of 8"),
        ({"detector": DetectorSettings(strides=(8, 12))}, "strides must be different powers of two"),
        ({"detector": DetectorSettings(queries=0)}, "--queries must be positive"),
        ({"loss": DetectionLossSettings(similarity=-1.0)}, "--similarity must be 0 or more"),
        ({"training": DetectorTrainingSettings(steps=0)}, "--steps must be positive"),
        ({"half_distance": 0.0}, "--half-distance must be positive"),
    ],
)
def test_settings_outside_their_range_are_refused(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        ScrewSettings(**settings)
