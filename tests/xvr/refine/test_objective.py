"""The objective's value, slope and curvature against brute force."""

from dataclasses import replace

import pytest
import torch
from support.registration import camera, moved, pose, shot, two_bones
from xraykit.xvr.refine.correlation_term import CorrelationTerm
from xraykit.xvr.refine.covariance import score_spread
from xraykit.xvr.refine.motion import Motion
from xraykit.xvr.refine.objective import Objective, TargetImage
from xraykit.xvr.refine.similarity import patch_ncc
from xraykit.xvr.refine.structure import Structure


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("patch", [None, 5])
def test_a_term_without_floor_is_patch_ncc_and_one_for_the_target_itself(patch):
    target, moving = noise(1, 2, 14, 12), noise(3, 2, 14, 12, seed=1)
    term = CorrelationTerm.of(target, torch.ones(1, 1, 14, 12, dtype=torch.bool), patch=patch, floor=1e-9)
    torch.testing.assert_close(term.value(4 * target + 2)[0], torch.ones(1, dtype=torch.float64))
    if patch:
        expected = torch.stack([patch_ncc(1e3 * target[:, c : c + 1], 1e3 * moving[:, c : c + 1], 5) for c in (0, 1)])
        torch.testing.assert_close(term.value(moving)[0], expected.mean(0), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("patch", [None, 5])
def test_curvature_is_the_gram_matrix_of_the_normalised_windows_derivatives(patch):
    """At the target itself N_p = 1, and J' J of the unit-length windows can be formed by autograd."""
    image, columns = noise(1, 1, 11, 10), noise(3, 1, 11, 10, seed=2)
    valid = torch.ones(1, 1, 11, 10, dtype=torch.bool)
    valid[..., 9:] = False
    term = CorrelationTerm.of(image, valid, patch=patch, floor=1e-6)
    state = term.value(image)[1]

    def windows(p: torch.Tensor) -> torch.Tensor:
        moving = image + torch.einsum("p,pchw->chw", p, columns)
        inside = moving[..., :9]
        cut = inside.unfold(2, patch, 1).unfold(3, patch, 1) if patch else inside[:, :, None, None]
        cut = cut - cut.mean(dim=(-1, -2), keepdim=True)
        unit = cut / cut.square().sum(dim=(-1, -2), keepdim=True).sqrt()
        weight = term.weight[..., : unit.shape[3]] if patch else term.weight
        return (unit * weight[..., None, None].sqrt()).flatten()

    j = torch.autograd.functional.jacobian(windows, torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(term.curvature(state, columns[None])[0], j.T @ j, rtol=1e-4, atol=1e-6)


def test_windows_with_something_that_the_other_image_lacks_count_by_cauchys_weights():
    image = noise(1, 1, 14, 12)
    seen = image.clone()
    seen[..., 3:6, 2:5] += 5 * noise(1, 1, 3, 3, seed=3)
    term = CorrelationTerm.of(seen, torch.ones(1, 1, 14, 12, dtype=torch.bool), patch=5, floor=1e-6)
    trusting = term.trusting(image + 0.01 * noise(1, 1, 14, 12, seed=4))
    apart = 1 - term.value(image + 0.01 * noise(1, 1, 14, 12, seed=4))[1].local
    usual = float((term.weight * apart).sum())
    share = trusting.weight / term.weight
    torch.testing.assert_close(share * (1 + (apart / usual).square()), share.new_ones(share.shape) * float(share.max()),
                               rtol=1e-3, atol=0)  # fmt: skip
    assert float(trusting.weight.sum()) == pytest.approx(1.0)
    assert float(share[..., 2, 2]) < 0.6 * float(share[..., -1, -1])


def test_a_term_trusts_all_of_an_image_like_its_own():
    image = noise(1, 1, 14, 12)
    term = CorrelationTerm.of(image, torch.ones(1, 1, 14, 12, dtype=torch.bool), patch=5, floor=1e-9)
    torch.testing.assert_close(term.trusting(3 * image).weight, term.weight, rtol=0.05, atol=0)


@pytest.fixture(scope="module")
def problem() -> tuple[Objective, Motion]:
    volume = two_bones()
    truth = torch.cat([pose(volume), pose(volume, lao_rao=80.0)])
    shots = [shot(volume, view[None]) for view in truth]
    valid = torch.ones(64, 64, dtype=torch.bool)
    targets = tuple(TargetImage.of(s.image, valid, camera(), floor=1e-3) for s in shots)
    body = Structure.of(volume)
    start = moved(truth, volume.center, (1.0, 2.0, -1.0), (3.0, -2.0, 1.0))
    objective = Objective(targets, (body.volume,), body.pivot[None], 150, ("sdd", "principal_point"))
    return objective, Motion.of(start[None], body.pivot[None])


def test_objectives_compared_in_one_rendering_say_what_each_says_alone(problem):
    objective, motion = problem
    other = replace(objective, targets=objective.targets[::-1])
    alone = [one.evaluate(motion) for one in (objective, other)]
    together = objective.compared(motion, [other])
    assert not torch.allclose(alone[0].value, alone[1].value)
    for one, same in zip(alone, together, strict=True):
        for part, again in zip(one, same, strict=True):
            torch.testing.assert_close(part, again)


def test_slope_is_the_derivative_of_the_value(problem):
    objective, motion = problem
    found = objective.evaluate(motion).slope[0]
    for k, h in enumerate((*(2e-3,) * 3, *(0.2,) * 3, 3.0, 0.3, 0.3)):
        step = torch.zeros(1, 9, dtype=torch.float64)
        step[0, k] = h
        up, down = (objective.evaluate(motion.moved(s, objective.intrinsics)).value for s in (step, -step))
        assert abs(float(up - down) / (2 * h) - float(found[k])) < 0.03 * float(found[k].abs()) + 2e-6 / h, k


def test_candidates_do_not_influence_each_other(problem):
    objective, motion = problem
    other = motion.moved(torch.full((1, 9), 0.01, dtype=torch.float64), objective.intrinsics)
    both = other.with_more(motion)
    alone, together = objective.evaluate(motion), objective.evaluate(both)
    for a, b in zip(alone, together, strict=True):
        torch.testing.assert_close(a[0], b[1], rtol=1e-5, atol=1e-6)


def test_curvature_is_positive_definite_and_predicts_the_fall_near_the_optimum(problem):
    objective, motion = problem
    volume = two_bones()
    truth = Motion.of(torch.cat([pose(volume), pose(volume, lao_rao=80.0)])[None], motion.pivots)
    at = objective.evaluate(truth)
    assert float(torch.linalg.eigvalsh(at.curvature[0]).min()) > 0
    for k, h in enumerate((4e-3, 4e-3, 4e-3, 0.4, 0.4, 0.4)):
        step = torch.zeros(1, 9, dtype=torch.float64)
        step[0, k] = h
        values = [float(objective.evaluate(truth.moved(s, objective.intrinsics)).value) for s in (step, -step)]
        fall = float(at.value) - sum(values) / 2
        assert 0.4 < fall / (float(at.curvature[0, k, k]) * h**2 / 2) < 2.0, k


def test_scores_add_up_to_the_slope(problem):
    objective, motion = problem
    added = sum(objective.scores(motion, view).sum(dim=(1, 2)).double() for view in range(2)) / 2
    torch.testing.assert_close(added, objective.evaluate(motion).slope[0], rtol=1e-4, atol=1e-6)


def test_scores_in_one_square_spread_as_the_slope_itself(problem):
    objective, motion = problem
    one = motion[:1]
    slopes = [objective.scores(one, view)[:6].double().sum(dim=(1, 2)) / 2 for view in range(2)]
    expected = sum(torch.outer(slope, slope) for slope in slopes)
    torch.testing.assert_close(score_spread(objective, one, 6, blocks=1), expected)
    finer = score_spread(objective, one, 6)
    assert float(finer.trace()) != pytest.approx(float(expected.trace()), rel=1e-3)
