"""Masks have exactly as many patches as was asked for, in blocks."""

import pytest
import torch
from xraykit.dax.loss import block_masks
from xraykit.dax.loss.mask_sampler import block_mask
from xraykit.render import InputError


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("grid", [(14, 14), (6, 6), (3, 20), (1, 1)])
def test_a_mask_has_exactly_the_patches_asked_for(grid):
    for count in range(grid[0] * grid[1] + 1):
        assert int(block_mask(grid, count, seeded(count)).sum()) == count


def test_half_of_the_images_are_masked_with_shares_spread_over_the_range():
    masks = block_masks(64, (14, 14), generator=seeded(0))
    assert masks.shape == (64, 196)
    assert masks.dtype == torch.bool
    shares = masks.float().mean(1)
    some = shares[shares > 0].sort().values
    assert len(some) == 32
    # One share in each of 32 equal parts of the range; counts are whole numbers, rounded down.
    edges = 0.1 + 0.4 * torch.arange(33) / 32
    assert (some > edges[:-1] - 1 / 196).all()
    assert (some <= edges[1:]).all()


def test_the_same_seed_gives_the_same_masks_and_another_gives_others():
    first, again, other = (block_masks(8, (14, 14), generator=seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_a_generator_the_masks_follow_torchs_own_seed():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        first = block_masks(4, (7, 7))
        torch.manual_seed(5)
        assert torch.equal(first, block_masks(4, (7, 7)))


def test_masked_patches_lie_together():
    """Of the neighbours of masked patches more are masked than of patches masked by chance."""
    masks = torch.stack([block_mask((14, 14), 60, seeded(seed)) for seed in range(50)]).float()
    together = (masks[:, :, 1:] * masks[:, :, :-1]).sum() / masks[:, :, 1:].sum()
    assert together > 0.6  # by chance 59 / 195


@pytest.mark.parametrize(
    ("images", "grid", "options"),
    [(0, (2, 2), {}), (1, (0, 2), {}), (1, (2, 2), {"ratio": (0.5, 0.1)}), (1, (2, 2), {"share": 1.1})],
)
def test_shares_out_of_range_are_refused(images, grid, options):
    with pytest.raises(InputError, match="at least one image and patch and shares 0 <= low <= high <= 1"):
        block_masks(images, grid, **options)
