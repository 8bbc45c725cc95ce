"""The layout of voxels in memory changes where they lie, never what they are."""

import torch
from xraykit.render import Volume
from xraykit.render.volumes.voxel_memory import spread_rows


def test_rows_that_clash_in_the_cache_are_spread():
    voxels = torch.rand(3, 5, 512)
    spread = spread_rows(voxels)
    assert torch.equal(spread, voxels)
    assert spread.stride() == (5 * 528 + 16, 528, 1)


def test_rows_of_a_stack_are_spread_by_whole_voxels():
    stack = torch.rand(3, 5, 256, 4)
    spread = spread_rows(stack)
    assert torch.equal(spread, stack)
    assert spread.stride() == (5 * 1040 + 16, 1040, 4, 1)


def test_other_rows_stay_where_they_are():
    voxels = torch.rand(3, 5, 500)
    assert spread_rows(voxels) is voxels


def test_a_volume_keeps_voxels_and_labels_side_by_side():
    hu = torch.zeros(4, 6, 512)
    labels = torch.arange(4 * 6 * 512).reshape(4, 6, 512).remainder(7).to(torch.uint8)
    volume = Volume.from_hu(hu, torch.eye(4), labels=labels)
    assert volume.mu.stride() == volume.labels.stride() != hu.stride()
    assert torch.equal(volume.labels, labels)
    assert volume.stored_as(torch.int16).mu.stride()[1] > 512
