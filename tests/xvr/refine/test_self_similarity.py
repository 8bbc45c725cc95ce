"""The self-similarity context against its definition, what it ignores, and its derivatives; and it finds poses."""

import pytest
import torch
from support.registration import camera, moved, pose, shot, target_error, two_bones
from xraykit.render import InputError
from xraykit.xvr.refine.climb_settings import RegistrationSettings
from xraykit.xvr.refine.motion import Motion
from xraykit.xvr.refine.objective import Objective, TargetImage
from xraykit.xvr.refine.registration import register_structures
from xraykit.xvr.refine.self_similarity import SelfSimilarityTerm, self_similarity
from xraykit.xvr.refine.structure import Structure
from xraykit.xvr.xray.shot import Shot


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_a_descriptor_is_what_its_equation_says():
    image, (row, column) = noise(1, 1, 12, 14), (6, 7)
    found = self_similarity(image)

    def patch(down: int, right: int) -> torch.Tensor:
        return image[0, 0, row + down - 1 : row + down + 2, column + right - 1 : column + right + 2]

    around = [patch(-2, 0), patch(0, 2), patch(2, 0), patch(0, -2)]
    apart = torch.stack([(around[k] - around[(k + 1) % 4]).square().mean() for k in range(4)])
    expected = (-(apart - apart.min()) / apart.mean()).exp()
    torch.testing.assert_close(found[0, :, row, column], expected)
    assert found.shape == (1, 4, 12, 14) and float(found.max()) <= 1 and float(found.min()) > 0


@pytest.mark.parametrize(("gain", "offset"), [(3.0, -7.0), (0.01, 2.0), (-1.0, 0.5)])
def test_gain_offset_and_sign_change_nothing(gain, offset):
    image = noise(2, 1, 20, 18)
    torch.testing.assert_close(self_similarity(gain * image + offset), self_similarity(image))


def test_a_picture_of_nothing_has_one_descriptor_and_finite_derivatives():
    image = torch.full((1, 1, 9, 9), 4.0, requires_grad=True)
    found = self_similarity(image)
    assert bool((found == 1).all())
    (slope,) = torch.autograd.grad(found.sum(), image)
    assert bool(torch.isfinite(slope).all())


def test_equal_images_are_wholly_alike_and_unrelated_ones_not_at_all():
    target, valid = noise(1, 1, 60, 60), torch.ones(1, 1, 60, 60, dtype=torch.bool)
    term = SelfSimilarityTerm.of(target, valid)
    torch.testing.assert_close(term.value(2 * target + 1), torch.ones(1, dtype=torch.float64))
    assert abs(float(term.value(noise(1, 1, 60, 60, seed=1)))) < 0.1


def test_pixels_that_do_not_count_and_their_neighbours_have_no_part():
    target, valid = noise(1, 1, 20, 20), torch.ones(1, 1, 20, 20, dtype=torch.bool)
    valid[..., 12:] = False
    other = target.clone()
    other[..., 12:] += noise(1, 1, 20, 8, seed=2)
    term = SelfSimilarityTerm.of(target, valid)
    apart = (self_similarity(other) - term.descriptors).abs() * (term.weight > 0)
    assert float(apart.max()) == 0 and bool((term.weight > 0).any())


def test_derivatives_are_those_of_the_value():
    term = SelfSimilarityTerm.of(noise(1, 1, 9, 8), torch.ones(1, 1, 9, 8, dtype=torch.bool))
    moving = noise(1, 1, 9, 8, seed=3).requires_grad_()
    assert torch.autograd.gradcheck(term.value, (moving,))


def test_curvature_at_the_target_is_minus_the_second_derivative():
    target, columns = noise(1, 1, 12, 11), noise(1, 3, 12, 11, seed=4)
    term = SelfSimilarityTerm.of(target, torch.ones(1, 1, 12, 11, dtype=torch.bool))

    def value(p: torch.Tensor) -> torch.Tensor:
        return term.value(target + torch.einsum("p,bpij->bij", p, columns)[:, None])[0]

    hessian = torch.autograd.functional.hessian(value, torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(term.curvature(target, columns)[0], -hessian, rtol=1e-6, atol=1e-9)


def test_the_objectives_slope_is_that_of_the_self_similarity():
    volume = two_bones()
    truth = pose(volume)
    image, valid = shot(volume, truth).image, torch.ones(64, 64, dtype=torch.bool)
    target = TargetImage.of(image, valid, camera(), floor=1e-3, similarity="mind")
    body = Structure.of(volume)
    objective = Objective((target,), (body.volume,), body.pivot[None], 150)
    start = moved(truth, volume.center, (1.0, 2.0, -1.0), (3.0, -2.0, 1.0))
    motion = Motion.of(start[None], body.pivot[None])
    found = objective.evaluate(motion)
    for k, h in enumerate((*(1e-3,) * 3, *(0.1,) * 3)):
        step = torch.zeros(1, 6, dtype=torch.float64)
        step[0, k] = h
        up, down = (objective.evaluate(motion.moved(s)).value for s in (step, -step))
        assert abs(float(up - down) / (2 * h) - float(found.slope[0, k])) < 0.05 * float(found.slope[0, k].abs()) + 1e-3


def test_a_pose_is_found_in_an_x_ray_whose_greys_run_backwards():
    volume = two_bones()
    truth = pose(volume)
    start = moved(truth, volume.center, (3.0, -4.0, 3.0), (4.0, -12.0, 5.0))
    inverted = Shot(5.0 - shot(volume, truth).image, camera())
    settings = RegistrationSettings(scales=(32, 64), similarity="mind")
    found = register_structures(inverted, volume, start, settings)
    assert target_error(start, truth, volume) > 8
    assert target_error(found.poses[0], truth, volume) < 1.0
    assert found.similarity > 0.5 and set(found.terms) == {"ncc", "patch_ncc", "gradient_ncc"}


def test_an_unknown_similarity_is_refused():
    with pytest.raises(InputError, match="similarity must be correlation or mind, got 'ssd'"):
        RegistrationSettings(similarity="ssd")  # type: ignore[arg-type]
