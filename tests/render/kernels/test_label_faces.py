"""Faces drawn on the detector set the bits of a walk along every ray, wherever grid, source and detector are."""

import numpy as np
import pytest
import torch
from xraykit.render.kernels.numba_cpu import label_faces
from xraykit.render.rendering.march import march_label_bits

SHAPE = (9, 7, 11)
FRAME = {"height": 60, "width": 50}
SIZES = (11, 7, 9)


def label_map(*, empty=0.6, seed=3):
    """Random labels, which have more edges and corners than any body, with layers that fill the grid's border."""
    random = np.random.default_rng(seed)
    labels = random.integers(1, 70, SHAPE)
    labels[random.random(SHAPE) < empty] = 0
    return torch.from_numpy(labels).to(torch.uint8)


def rays_from(source, *, target=(5.1, 3.2, 4.3), reach=1.5, width=14.0, roll=0.0):
    """Rays from a source [voxel] through a target to a detector `reach` times as far away, (1, 4, 3)."""
    source, target = torch.tensor(source, dtype=torch.float64), torch.tensor(target, dtype=torch.float64)
    ahead = (target - source) * reach
    side = torch.linalg.cross(ahead, torch.tensor([0.3, 0.5, 1.0], dtype=torch.float64))
    side, up = side / side.norm(), torch.linalg.cross(side, ahead) / torch.linalg.cross(side, ahead).norm()
    turn = torch.tensor(roll).deg2rad().double()
    u = (turn.cos() * side + turn.sin() * up) * (width * reach / FRAME["width"])
    v = (turn.cos() * up - turn.sin() * side) * (width * reach / FRAME["width"])
    corner = ahead - u * FRAME["width"] / 2 - v * FRAME["height"] / 2
    return torch.stack([source, corner, u, v])[None]


def drawn(labels, rays, words=3):
    lines = rays.numpy()
    assert label_faces.is_drawn(lines, SIZES, FRAME["height"] * FRAME["width"])
    bits = np.zeros((len(rays), words, *FRAME.values()), np.int32)
    flat = labels.contiguous().reshape(-1).numpy()
    label_faces.draw_label_bits(flat, SIZES, SIZES[0], SIZES[0] * SIZES[1], lines, bits)
    return torch.from_numpy(bits)


PLACES = {
    "from afar": ((-60.0, -45.0, 90.0), {}),
    "beside the grid, between the planes of a row": ((5.2, 3.3, -30.0), {}),
    "in the plane of a face": ((4.5, 20.0, 3.3), {}),
    "close to a corner": ((-4.0, -5.0, -6.0), {"reach": 3.0}),
    "a detector within the grid": ((40.0, 30.0, 4.4), {"reach": 1.02}),
    "turned and mirrored": ((30.0, -40.0, 20.0), {"roll": 133.0, "width": -18.0}),
    "zoomed into a few voxels": ((30.0, -40.0, 20.0), {"width": 3.0}),
    "a grid of a few pixels": ((30.0, -40.0, 20.0), {"width": 90.0}),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("empty", [0.6, 0.0, 0.95])
def test_faces_set_the_bits_of_a_walk(place, empty):
    source, options = PLACES[place]
    labels, rays = label_map(empty=empty), rays_from(source, **options)
    walked = march_label_bits(labels, rays, "torch", **FRAME, words=3)
    assert walked.any()
    assert torch.equal(drawn(labels, rays), walked)


def test_background_behind_labels_that_fill_the_border_is_found():
    labels = torch.full(SHAPE, 40, dtype=torch.uint8)
    labels[3:6, 2:5, 4:8] = 0
    rays = rays_from((-50.0, 20.0, 30.0))
    bits = drawn(labels, rays)
    assert torch.equal(bits, march_label_bits(labels, rays, "torch", **FRAME, words=3))
    inside, within = (bits[0, 1] >> 8 & 1).bool(), (bits[0, 0] & 1).bool()
    assert 0 < int(within.sum()) < int(inside.sum())


def test_views_and_threads_change_nothing():
    rays = torch.cat([rays_from(source, **options) for source, options in PLACES.values()])
    labels, before = label_map(), torch.get_num_threads()
    one = drawn(labels, rays)
    try:
        torch.set_num_threads(3)
        assert torch.equal(drawn(labels, rays), one)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(one, torch.cat([drawn(labels, ray[None]) for ray in rays]))


@pytest.mark.slow
@pytest.mark.parametrize("words", [3, 11, 1030])
def test_label_maps_of_every_type_have_the_same_bits(words):
    rays, labels = rays_from((-60.0, -45.0, 90.0)), label_map().to(torch.int32)
    frame = {"height": 16, "width": 12}
    rays[:, 2] *= FRAME["width"] / 12
    rays[:, 3] *= FRAME["height"] / 16
    labels[labels == 1] = 32 * words - 1
    bits = [march_label_bits(labels, rays, backend, **frame, words=words) for backend in ("numba", "torch")]
    assert torch.equal(*bits)
    assert bits[0][0, words - 1].any()


def test_neighbouring_faces_leave_no_gap():
    """One label fills the grid, whose pixels are then those of its box: each ray that clips it has the bit."""
    labels = torch.full(SHAPE, 33, dtype=torch.uint8)
    for source, options in PLACES.values():
        rays = rays_from(source, **options)
        bits = drawn(labels, rays)
        assert torch.equal(bits, march_label_bits(labels, rays, "torch", **FRAME, words=3))


@pytest.mark.parametrize(
    ("source", "options"),
    [((5.0, 3.0, 4.0), {"target": (5.0, 30.0, 4.0)}), ((-0.6, 3.0, 4.0), {"width": 400.0, "reach": 0.1})],
)
def test_a_source_in_the_grid_or_beside_it_is_left_to_the_walk(source, options):
    rays = rays_from(source, **options)
    assert not label_faces.is_drawn(rays.numpy(), SIZES, FRAME["height"] * FRAME["width"])
    walked = [march_label_bits(label_map(), rays, b, **FRAME, words=3) for b in ("numba", "torch")]
    assert torch.equal(*walked)


def test_few_pixels_and_flat_detectors_are_left_to_the_walk():
    rays = rays_from((-60.0, -45.0, 90.0))
    assert not label_faces.is_drawn(rays.numpy(), SIZES, 9)
    rays[:, 3] = rays[:, 2]
    assert not label_faces.is_drawn(rays.numpy(), SIZES, 10**6)
