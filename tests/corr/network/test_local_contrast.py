"""Local contrast normalisation against a direct computation, and what it is blind to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from xraykit.corr.network import new_matcher
from xraykit.corr.network.local_contrast import LocalContrast
from xraykit.corr.network.matcher_config import MatcherConfig
from xraykit.render import InputError


def test_it_is_the_difference_from_the_blurred_image_over_its_local_deviation():
    image = torch.rand(1, 1, 40, 56, generator=torch.Generator().manual_seed(1))
    ours = LocalContrast(3.0)(image)[0, 0].numpy()
    plain = image[0, 0].double().numpy()
    settings = {"sigma": 3.0, "mode": "nearest", "radius": 8}
    detail = plain - gaussian_filter(plain, **settings)
    expected = np.clip(detail / (np.sqrt(gaussian_filter(detail**2, **settings)) + 0.01), -3, 3)
    assert np.abs(ours - expected).max() < 1e-4


def test_a_faint_line_counts_as_much_as_a_strong_one_and_offsets_do_not_count():
    layer, image = LocalContrast(8.0), torch.zeros(1, 1, 64, 64)
    image[..., 31:33] = 1.0
    strong, faint, lifted = (layer(0.4 * image), layer(0.2 * image), layer(0.4 * image + 0.5))
    assert float((strong - faint).abs().max()) < 0.3
    assert torch.allclose(strong, lifted, atol=1e-4)
    assert float(layer(torch.full((1, 1, 64, 64), 0.3)).abs().max()) < 1e-3


def test_gradients_pass_through_it():
    image = torch.rand(1, 1, 12, 12, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(LocalContrast(2.0).double(), image)


def test_a_matcher_with_it_has_the_same_weights_and_other_answers():
    plain = MatcherConfig("mini", 8, 32, 32, layers=1, heads=2, norm="group")
    images = torch.rand(1, 2, 1, 32, 32, generator=torch.Generator().manual_seed(2))
    networks = [new_matcher(replace(plain, input_contrast=kind), seed=4).eval() for kind in ("global", "local")]
    first, second = (network.state_dict() for network in networks)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first if not name.startswith("head."))
    with torch.no_grad():
        answers = [network(images).logits for network in networks]
    assert float((answers[0] - answers[1]).abs().max()) > 1e-3
    with pytest.raises(InputError, match="input_contrast must be one of global, local"):
        replace(plain, input_contrast="strange")
