"""Similarity in closed form; average precision as COCO's own program tells it."""

import contextlib
import io
import math

import numpy as np
import pytest
import torch
from support.dax_screws import random_truth
from xraykit.dax.probes.screws import ScrewDetections, ScrewTruth, average_precision, keypoint_similarity
from xraykit.render import InputError

SIZE = (224, 224)


def guesses(rng, truth, *, equal_scores):
    """Some true screws, moved; some invented; scores that may be equal."""
    points = truth.points[torch.rand(len(truth), generator=rng) < 0.8]
    points = torch.cat([points, points[:1]])  # sometimes twice
    points = points + torch.randn(points.shape, generator=rng) * 15
    invented = torch.rand(int(torch.randint(0, 25, (1,), generator=rng)), 2, 2, generator=rng) * 224
    points = torch.cat([points, invented])
    scores = torch.rand(len(points), generator=rng)
    return ScrewDetections(points, (scores * 4).floor() / 4 if equal_scores else scores)


def coco_scores(found, truth, half_distance):
    """[AP, AP50, AP75, AR, AR50, AR75] of pycocotools, with one object area and the constant that belongs to it."""
    reason = "needs the extra: pip install 'xraykit-dax[evaluate]'"
    coco, cocoeval = (pytest.importorskip(f"pycocotools.{name}", reason=reason) for name in ("coco", "cocoeval"))
    area = 5000.0
    images = [{"id": n + 1} for n in range(len(truth))]
    true, guessed = [], []
    for n, (one, guess) in enumerate(zip(truth, found, strict=True)):
        for points, visible in zip(one.points.double(), one.visible, strict=True):
            flat = torch.cat([points, 2.0 * visible[:, None]], 1).flatten().tolist()
            entry = {"image_id": n + 1, "category_id": 1, "iscrowd": 0, "area": area, "bbox": [0, 0, 1, 1]}
            true.append({**entry, "id": len(true) + 1, "num_keypoints": int(visible.sum()), "keypoints": flat})
        for points, score in zip(guess.points.double(), guess.scores.double(), strict=True):
            flat = torch.cat([points, torch.ones(2, 1)], 1).flatten().tolist()
            guessed.append({"image_id": n + 1, "category_id": 1, "keypoints": flat, "score": float(score)})
    with contextlib.redirect_stdout(io.StringIO()):
        table = coco.COCO()
        table.dataset = {"images": images, "annotations": true, "categories": [{"id": 1}], "info": {}}
        table.createIndex()
        judge = cocoeval.COCOeval(table, table.loadRes(guessed), "keypoints")
        judge.params.kpt_oks_sigmas = np.full(2, half_distance / math.sqrt(8 * area * math.log(2)))
        judge.params.areaRng, judge.params.areaRngLbl = [[0, 1e10]], ["all"]
        judge.evaluate()
        judge.accumulate()
    precision, recall = judge.eval["precision"][:, :, 0, 0, 0], judge.eval["recall"][:, 0, 0, 0]
    return [value for one in (precision, recall) for value in (one.mean(), one[0].mean(), one[5].mean())]


@pytest.mark.parametrize("equal_scores", [False, True])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scores_are_those_of_pycocotools(equal_scores):
    rng = torch.Generator().manual_seed(3)
    for case in range(40):
        truth = [random_truth(rng, size=SIZE) for _ in range(1 + case % 7)]
        if not sum(map(len, truth)):
            continue
        found = [guesses(rng, one, equal_scores=equal_scores) for one in truth]
        if not sum(len(one.scores) for one in found):
            continue
        half_distance = [10.0, 30.0, 80.0][case % 3]
        ours = average_precision(found, truth, half_distance=half_distance)
        expected = coco_scores(found, truth, half_distance)
        assert [ours.ap, ours.ap50, ours.ap75, ours.ar, ours.ar50, ours.ar75] == pytest.approx(expected, abs=1e-9)


def test_similarity_is_a_half_at_the_half_distance_and_the_mean_over_keypoints():
    found = torch.tensor([[[30.0, 0.0], [0.0, 0.0]]], dtype=torch.float64)
    truth, both = torch.zeros(1, 2, 2, dtype=torch.float64), torch.tensor([[True, True]])
    for visible, expected in (([True, True], 0.75), ([True, False], 0.5), ([False, True], 1.0), ([False, False], 0.0)):
        similarity = keypoint_similarity(found, truth, torch.tensor([visible]), half_distance=30.0)
        assert float(similarity) == pytest.approx(expected, abs=1e-12)
    far = keypoint_similarity(found * 2, truth, both, half_distance=30.0)
    assert float(far) == pytest.approx((1 / 16 + 1) / 2)


def test_similarity_at_the_thresholds_lies_at_the_distances_of_the_paper():
    for distance, threshold in ((27.9, 0.55), (25.8, 0.60), (19.3, 0.75), (8.2, 0.95)):
        found = torch.tensor([[distance, 0.0], [0.0, distance]])
        similarity = keypoint_similarity(found, torch.zeros(2, 2), torch.ones(2).bool(), half_distance=30.0)
        assert float(similarity) == pytest.approx(threshold, abs=3e-3)


def test_its_gradient_is_that_of_finite_differences():
    rng = torch.Generator().manual_seed(0)
    found, truth = (torch.randn(4, 2, 2, dtype=torch.float64, generator=rng, requires_grad=True) for _ in range(2))
    visible = torch.tensor([[True, True], [True, False], [False, True], [False, False]])
    assert torch.autograd.gradcheck(lambda a, b: keypoint_similarity(a, b, visible, half_distance=2.0), (found, truth))


def screw(u, v, size=SIZE):
    return ScrewTruth(torch.tensor([[[u, v], [u, v + 40]]]), torch.ones(1, 2, dtype=torch.bool), size)


def test_perfect_answers_have_all_scores_1_and_none_has_0():
    truth = [screw(50.0, 60.0), screw(90.0, 10.0)]
    perfect = average_precision([ScrewDetections(one.points, torch.ones(1)) for one in truth], truth)
    assert (perfect.ap, perfect.ap75, perfect.ar, perfect.images, perfect.screws) == (1.0, 1.0, 1.0, 2, 2)
    nothing = ScrewDetections(torch.zeros(0, 2, 2), torch.zeros(0))
    assert average_precision([nothing, nothing], truth).ar50 == 0.0


def test_a_screw_found_twice_counts_once_and_a_false_alarm_of_higher_score_halves_precision():
    truth = [screw(50.0, 60.0)]
    points = torch.cat([truth[0].points + 90, truth[0].points, truth[0].points])
    scores = average_precision([ScrewDetections(points, torch.tensor([0.9, 0.8, 0.7]))], truth)
    assert scores.ap == pytest.approx(0.5)
    assert scores.ar == 1.0


def test_head_and_tip_in_each_other_s_place_are_wrong():
    truth = [screw(50.0, 60.0)]
    assert average_precision([ScrewDetections(truth[0].points.flip(1), torch.ones(1))], truth).ar50 == 0.0


def test_bad_input_is_refused():
    nothing = ScrewDetections(torch.zeros(0, 2, 2), torch.zeros(0))
    empty = ScrewTruth(torch.zeros(0, 2, 2), torch.zeros(0, 2, dtype=torch.bool), SIZE)
    with pytest.raises(InputError, match="each image needs its predictions, got 1 for 2 images"):
        average_precision([nothing], [empty, empty])
    with pytest.raises(InputError, match="needs images that show screws, got none"):
        average_precision([nothing], [empty])
    with pytest.raises(InputError, match=r"points \(K, 2, 2\) with scores \(K,\), got shapes \(1, 2, 2\) and \(2,\)"):
        average_precision([ScrewDetections(torch.zeros(1, 2, 2), torch.zeros(2))], [screw(50.0, 60.0)])
