"""The loss: focal loss in closed form and as torchvision has it, and what each term sees."""

import math

import pytest
import torch
from support.dax_screws import bump_maps, random_truth
from xraykit.dax.probes.screws import DetectionLossSettings, DetectorSettings, ScrewDetector, ScrewTruth
from xraykit.dax.probes.screws.decoder import ScrewQueries
from xraykit.dax.probes.screws.loss import detection_loss, focal_loss, screw_loss
from xraykit.dax.probes.screws.truth import TruthBatch, truth_batch

WEIGHTS = DetectionLossSettings()
SCALE = torch.tensor([64 / 30, 64 / 30])
SMALL = DetectorSettings(width=16, heads=2, points=2, strides=(8, 16), queries=6, feedforward=32)


def test_focal_loss_in_closed_form():
    logits, target = torch.tensor([0.0, math.log(3), math.log(3)]), torch.tensor([1.0, 1.0, 0.0])
    expected = [0.25 * 0.25 * math.log(2), 0.25 / 16 * math.log(4 / 3), 0.75 * 9 / 16 * math.log(4)]
    torch.testing.assert_close(focal_loss(logits, target, alpha=0.25, gamma=2.0), torch.tensor(expected))


def test_focal_loss_is_torchvision_s():
    ops = pytest.importorskip("torchvision.ops", reason="needs torchvision")
    rng = torch.Generator().manual_seed(0)
    logits, target = torch.randn(50, generator=rng) * 5, (torch.rand(50, generator=rng) < 0.3).float()
    expected = ops.sigmoid_focal_loss(logits, target, alpha=0.3, gamma=1.5)
    torch.testing.assert_close(focal_loss(logits, target, alpha=0.3, gamma=1.5), expected)


def test_a_certain_and_exact_answer_costs_nothing():
    truth = truth_batch([random_truth(torch.Generator().manual_seed(7)) for _ in range(3)])
    logits = torch.full(truth.visible.shape[:2], -30.0)
    for b, count in enumerate(truth.counts):
        logits[b, :count] = 30.0
    terms = screw_loss(ScrewQueries(logits, truth.points.clone()), truth, SCALE, WEIGHTS)
    assert all(float(term) == pytest.approx(0, abs=1e-6) for term in terms.values())


def test_terms_are_per_screw_and_an_invisible_end_pulls_at_nothing():
    truth = TruthBatch(torch.tensor([[[[0.5, 0.5], [0.0, 0.0]]]]), torch.tensor([[[True, False]]]), (1,))
    points = torch.tensor([[[[0.6, 0.5], [0.9, 0.9]]]], requires_grad=True)
    terms = screw_loss(ScrewQueries(torch.zeros(1, 1), points), truth, SCALE, WEIGHTS)
    assert float(terms["keypoints"].detach()) == pytest.approx(10 * 0.1, rel=1e-5)
    assert float(terms["similarity"].detach()) == pytest.approx(2 * (1 - 2 ** -((6.4 / 30) ** 2)), rel=1e-4)
    (terms["keypoints"] + terms["similarity"]).backward()
    assert bool((points.grad[0, 0, 0, 0] > 0) & (points.grad[0, 0, 1] == 0).all())


def output(seed=0, images=3):
    rng = torch.Generator().manual_seed(seed)
    truth = [random_truth(rng) for _ in range(images)]
    torch.manual_seed(seed)
    detector = ScrewDetector([4, 4], [8, 16], (64, 64), SMALL)
    return detector, detector(bump_maps(truth)), truth


def test_every_parameter_learns_from_it_once_offsets_have_left_zero():
    detector, _, truth = output()
    for parameter in detector.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    made = detector(bump_maps(truth))
    sum(detection_loss(made, truth_batch(truth), SCALE, WEIGHTS, keep=0.3).values()).backward()
    silent = [name for name, parameter in detector.named_parameters() if parameter.grad is None]
    assert silent == []


def test_layers_and_proposals_each_add_their_terms():
    _, made, truth = output()
    batch = truth_batch(truth)
    parts = [screw_loss(one, batch, SCALE, WEIGHTS)["keypoints"] for one in (*made.layers, made.proposals)]
    total = detection_loss(made, batch, SCALE, WEIGHTS, keep=0.3)["keypoints"]
    assert len(parts) == SMALL.decoder_layers + 1
    torch.testing.assert_close(total, torch.stack(parts).sum())


def test_images_without_screws_have_a_finite_loss():
    _, made, _ = output()
    none = ScrewTruth(torch.zeros(0, 2, 2), torch.zeros(0, 2, dtype=torch.bool), (64, 64))
    terms = detection_loss(made, truth_batch([none] * 3), SCALE, WEIGHTS, keep=0.3)
    assert float(terms["keypoints"].detach()) == 0.0
    assert all(math.isfinite(float(term.detach())) for term in terms.values())
