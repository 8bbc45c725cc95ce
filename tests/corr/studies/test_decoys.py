"""Decoys: a thin line in dense tissue, a pure function of image and draw, and nothing else."""

import numpy as np
import pytest
import torch
from xraykit.corr.studies import draw_decoy
from xraykit.render import InputError


def limb(edge=128):
    """A soft cylinder with a dense bone in it, air at the sides."""
    x = torch.linspace(-1, 1, edge)[None].expand(edge, edge)
    return 2 * (1 - (x / 0.7) ** 2).clamp_min(0).sqrt() + 1.5 * (1 - (x / 0.3) ** 2).clamp_min(0).sqrt()


def test_the_same_draw_gives_the_same_line_and_leaves_the_image_alone():
    lines = limb()
    before = lines.clone()
    first, second = (draw_decoy(lines, np.random.default_rng(4)) for _ in range(2))
    assert torch.equal(first, second) and torch.equal(lines, before)
    assert not torch.equal(first, draw_decoy(lines, np.random.default_rng(5)))


def test_lines_are_thin_faint_short_and_lie_in_the_body():
    lines, signs = limb(), set()
    for seed in range(20):
        change = draw_decoy(lines, np.random.default_rng(seed)) - lines
        touched = change.abs() > 0.02
        assert 5 < int(touched.sum()) < 0.02 * lines.numel()
        assert 0.1 < float(change.abs().max()) <= 0.41 and bool((lines[touched] > 0.3).all())
        assert bool((change >= 0).all()) or bool((change <= 0).all())
        rows, columns = touched.nonzero().T
        assert 0.05 * 128 < max(int(rows.max() - rows.min()), int(columns.max() - columns.min())) < 0.25 * 128
        signs.add(bool(change.sum() > 0))
    assert signs == {True, False}


def test_an_image_without_edges_gets_a_line_as_well_and_a_stack_is_refused():
    flat = torch.full((32, 32), 2.0)
    assert not torch.equal(draw_decoy(flat, np.random.default_rng(0)), flat)
    with pytest.raises(InputError, match="a decoy needs an image"):
        draw_decoy(torch.zeros(1, 32, 32), np.random.default_rng(0))
