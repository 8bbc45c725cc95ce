"""Fine detail beside the embedding: pixels lie where the image has them, and a new map changes no answer."""

from dataclasses import replace

import pytest
import torch
from support.fluorosam_training import TINY
from xraykit.fluorosam.network import DetailMap, FluoroSamConfig, PromptBatch, detailed_network, new_network
from xraykit.fluorosam.network.image_cells import cell_pixels, draw_cells
from xraykit.render import InputError

SIZE, GRID = TINY.image_size, TINY.grid
PLAIN = replace(TINY, trunk=replace(TINY.trunk, detail=0))


def a_batch(count=2, prompts=3):
    draw = torch.Generator().manual_seed(5)
    images = torch.rand(count, 3, SIZE, SIZE, generator=draw)
    points = SIZE * torch.rand(count, prompts, 2, 2, generator=draw)
    return images, PromptBatch(points=points, point_labels=torch.ones(count, prompts, 2, dtype=torch.long))


def test_each_cell_holds_its_own_pixels_quarter_by_quarter():
    detail = DetailMap(8, 6).eval()
    images, _ = a_batch()
    with torch.no_grad():
        plain, cells = detail.output(detail.layers(images)), detail(images)
    assert plain.shape == (2, 6, 4 * GRID, 4 * GRID) and cells.shape == (2, 16 * 6, GRID, GRID)
    for row, column, half_y, half_x, y, x in [(0, 0, 0, 0, 0, 0), (3, 5, 1, 0, 0, 1), (7, 2, 0, 1, 1, 0)]:
        place = 8 * half_y + 4 * half_x + 2 * y + x
        here = plain[:, :, 4 * row + 2 * half_y + y, 4 * column + 2 * half_x + x]
        assert torch.equal(cells[:, 6 * place : 6 * place + 6, row, column], here)


def test_a_new_map_changes_no_answer_and_one_that_has_learned_does():
    before = new_network(PLAIN, seed=1).eval()
    images, prompts = a_batch()
    after = detailed_network(before, 8).eval()
    with torch.no_grad():
        torch.testing.assert_close(after(images, prompts).logits, before(images, prompts).logits)
        after.detail_map.output.weight.normal_()
        assert (after(images, prompts).logits - before(images, prompts).logits).abs().max() > 0.01
    assert detailed_network(after, 8) is after
    assert after.config == TINY and before.detail_map is None


def test_answers_are_the_same_with_and_without_gradients_and_cell_by_cell():
    network = new_network(TINY, seed=3).eval()
    images, prompts = a_batch()
    learned = network(images, prompts).logits
    cells = draw_cells(2, GRID, 1.0, torch.Generator().manual_seed(0))
    with torch.no_grad():
        embedding = network.embed(images)
        used = network.decode(embedding, prompts).logits
        some = network.decode(embedding, prompts, cells=cells).logits
    torch.testing.assert_close(used, learned.detach(), rtol=1e-4, atol=1e-4)
    for number in range(3):
        torch.testing.assert_close(
            some[:, :, number], cell_pixels(used[:, :, number], cells, GRID), rtol=1e-4, atol=1e-4
        )


def test_a_pixel_sharpens_the_mask_where_it_lies():
    network = new_network(TINY, seed=3).eval()
    images, prompts = a_batch(1, 1)
    with torch.no_grad():
        embedding = network.embed(images)
        changed = embedding.clone()
        changed[:, TINY.dimension :: 3, 2, 5] += 1  # not all alike: the norm would take that out
        moved = (network.decode(changed, prompts).logits - network.decode(embedding, prompts).logits)[0, 0].abs() > 1e-6
    rows, columns = moved.any(0).nonzero().T
    assert (int(rows.min()), int(rows.max())) == (16, 23) and (int(columns.min()), int(columns.max())) == (40, 47)


@pytest.mark.parametrize(
    ("detail", "size", "message"), [(12, 64, "multiple of 8"), (-8, 64, "whole number"), (8, 128, "8 times the grid")]
)
def test_a_map_that_does_not_fit_is_refused(detail, size, message):
    with pytest.raises(InputError, match=message):
        replace(TINY, image_size=size, trunk=replace(TINY.trunk, detail=detail))


def test_a_map_of_another_width_is_refused():
    with pytest.raises(InputError, match="--detail must be 8"):
        detailed_network(new_network(TINY), 16)
    assert FluoroSamConfig().trunk.detail == 0  # the published network has none
