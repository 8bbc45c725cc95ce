"""Polygons and the three forms of run lengths, and what is none of them."""

import base64

import numpy as np
import pytest
import torch
from support.dataset_shards import disc
from support.fluoroseg_files import block, runs
from xraykit.fluorosam.data import decode_fluoroseg_mask, fluoroseg_segmentation
from xraykit.render import FileError

SIZE = (24, 32)
MASK = block(4, 6, 10, 20)


def decode(segmentation, size=SIZE):
    return decode_fluoroseg_mask(segmentation, size, place="a.json, annotation 0")


def half_precision(values):
    return base64.b64encode(np.asarray(values, dtype="<f2").tobytes()).decode()


def numbers(mask):
    flat = mask.T.ravel()
    ends = np.flatnonzero(np.diff(flat)) + 1
    found = np.diff([0, *ends, flat.size]).tolist()
    return [0, *found] if flat[0] else found


def test_run_lengths_as_text_and_as_numbers_are_the_same_mask():
    assert np.array_equal(decode(runs(MASK)).mask, MASK)
    assert np.array_equal(decode({"size": list(SIZE), "counts": numbers(MASK)}).mask, MASK)
    full = np.ones(SIZE, dtype=bool)
    assert np.array_equal(decode({"size": list(SIZE), "counts": numbers(full)}).mask, full)


def test_a_polygon_holds_the_pixels_whose_centres_are_inside():
    assert np.array_equal(decode([[6, 4, 20, 4, 20, 10, 6, 10]]).mask, MASK)
    two = decode([[6, 4, 20, 4, 20, 10, 6, 10], [0, 20, 5, 20, 5, 24, 0, 24]]).mask
    assert np.array_equal(two, MASK | block(20, 0, 24, 5))
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([16 + 8 * np.cos(angles), 12 + 8 * np.sin(angles)], 1).ravel().tolist()
    expected = disc(32, 16, 12, 8)[:24]
    assert (decode([circle]).mask ^ expected).sum() <= 2


def test_a_polygon_may_reach_beyond_the_image():
    assert np.array_equal(decode([[-50, -50, 10, -50, 10, 90, -50, 90]]).mask, block(0, 0, 24, 10))


def test_path_lengths_lie_on_the_mask_s_pixels_row_by_row():
    lengths = np.arange(MASK.sum()) / 8
    found = decode({**runs(MASK), "travel": half_precision(lengths)})
    assert np.array_equal(found.mask, MASK) and np.array_equal(found.path_lengths, lengths.astype(np.float16))


def test_depths_have_a_mask_for_each_layer_and_the_first_is_the_mask():
    inner = block(5, 8, 8, 12)
    layers = [MASK, MASK, inner, inner]
    hits = [half_precision(np.full(mask.sum(), 10.0 * n)) for n, mask in enumerate(layers)]
    found = decode({"size": list(SIZE), "counts": [runs(mask)["counts"] for mask in layers], "hits": hits})
    assert np.array_equal(found.mask, MASK) and len(found.depths) == 4
    assert np.array_equal(found.depths[2][0], inner) and set(found.depths[2][1].tolist()) == {20.0}


def test_what_is_written_reads_back():
    mask = torch.from_numpy(MASK.copy())
    lengths = torch.rand(SIZE, generator=torch.Generator().manual_seed(0)) * 100
    found = decode(fluoroseg_segmentation(mask, lengths))
    assert np.array_equal(found.mask, MASK)
    assert np.array_equal(found.path_lengths, lengths[mask].half().numpy())
    assert decode(fluoroseg_segmentation(mask)).path_lengths is None


@pytest.mark.parametrize(
    "segmentation, sentence",
    [
        ({"size": [24, 32], "counts": runs(MASK[:20])["counts"]}, "runs of a mask must fill its 24 x 32 pixels"),
        ({"size": [24, 32], "counts": [5, 5]}, r"runs of a mask must fill its 24 x 32 pixels, got \[5, 5\]"),
        ({"size": [24, 32], "counts": [-1, 769]}, "runs of a mask must fill"),
        ({**runs(MASK), "size": [32, 24]}, r"expected run lengths of \[24, 32\] pixels, got \[32, 24\]"),
        ({"counts": runs(MASK)["counts"]}, "expected run lengths of"),
        ({**runs(MASK), "depth": ""}, "expected size, counts and either hits or travel, got counts, depth, size"),
        ({**runs(MASK), "travel": "????"}, "travel must be base64"),
        ({**runs(MASK), "travel": half_precision([1, 2])}, "travel must have 84 values of two bytes, .*, got 4"),
        ({"size": [24, 32], "counts": [], "hits": []}, "expected counts and hits to be lists, one of each a layer"),
        ([[1, 2, 3, 4]], "a polygon must be three corners x, y or more"),
        ([[1, 2, 3, 4, float("nan"), 6]], "a polygon must be three corners x, y or more"),
        ([["a"] * 6], "a polygon must be three corners"),
        ("mask", "expected polygons or run lengths, got 'mask'"),
        (None, "expected polygons or run lengths"),
    ],
)  # fmt: skip
def test_anything_else_is_one_sentence_that_names_the_place(segmentation, sentence):
    with pytest.raises(FileError, match=rf"a.json, annotation 0: .*{sentence}.*; make the file again\."):
        decode(segmentation)
