"""Triton kernels of Siddon's exact projector; the mathematics is in projectors/siddon.py.

A lane walks from voxel to voxel. The cells at both ends of its part of the ray are fixed in float64 beforehand, so the
number of planes to cross on each axis is known: the walk cannot leave the grid, and parts of one ray that are walked by
different lanes share out the planes exactly. The alpha of the n-th plane ahead is first + n * spacing, computed anew
from the integer n, so rounding does not accumulate.
"""

# constexpr parameters take plain values, which the type checker cannot know.
# pyright: reportArgumentType=false
from __future__ import annotations

import triton
import triton.language as tl

from .lanes import (
    RUNTIME,
    add_ends,
    clip,
    flush,
    number,
    pixel_of,
    ray_of,
    reciprocal,
    split,
    store,
    store_six,
    tally,
    weight_of,
)


@triton.jit
def cells(s, d, n, begin, end):
    """On one axis: the cell in which the part [begin, end] starts, and how many planes it crosses."""
    last = n.to(tl.float64) - 1.0
    first_cell = tl.minimum(tl.maximum(tl.floor(s + begin * d + 0.5), 0.0), last)
    last_cell = tl.minimum(tl.maximum(tl.floor(s + end * d + 0.5), 0.0), last)
    return first_cell.to(tl.int32), tl.abs(last_cell - first_cell).to(tl.int32)


@triton.jit
def first_plane(s, d, cell):
    """The plane through which the ray leaves a cell on this axis."""
    return cell.to(tl.float64) + tl.where(d > 0.0, 0.5, -0.5)


@triton.jit
def planes(s, d, cell, begin):
    """The alpha of the first plane ahead, from `begin` on, and the spacing of the planes in alpha."""
    inverse = reciprocal(d)
    ahead = (first_plane(s, d, cell) - (s + begin * d)) * inverse
    return ahead.to(tl.float32), tl.abs(inverse).to(tl.float32)


@triton.jit
def part_of_ray(rays, height, width, n_i, n_j, n_k, CHUNKS: tl.constexpr, BLOCK: tl.constexpr):
    """This lane's pixel, its ray, and the part [begin, end] of the ray that it walks."""
    lane = tl.arange(0, BLOCK)
    n, chunk = split(lane, CHUNKS, BLOCK, False)
    batch, row, column = pixel_of(n, width, height, BLOCK // CHUNKS)
    s_i, s_j, s_k, d_i, d_j, d_k = ray_of(rays, batch, row, column)
    near, far, first, last = clip(s_i, s_j, s_k, d_i, d_j, d_k, n_i, n_j, n_k, 0.5)
    begin = near + (far - near) * (chunk.to(tl.float64) / CHUNKS)
    end = tl.where(chunk == CHUNKS - 1, far, near + (far - near) * ((chunk + 1).to(tl.float64) / CHUNKS))
    mine = (row < height) & (column < width) & (far > near)
    first = tl.where(chunk == 0, first, 3)
    last = tl.where(chunk == CHUNKS - 1, last, 3)
    return (batch, row * width + column, mine), (s_i, s_j, s_k, d_i, d_j, d_k), (near, far, first, last), (begin, end)


@triton.jit
def walk(rays, height, width, n_i, n_j, n_k, CHUNKS: tl.constexpr, BLOCK: tl.constexpr):
    """What the marches need: pixel, ray, starting cell, planes to cross, first alphas, spacings, length and steps."""
    who, ray, ends, part = part_of_ray(rays, height, width, n_i, n_j, n_k, CHUNKS, BLOCK)
    s_i, s_j, s_k, d_i, d_j, d_k = ray
    begin, end = part
    i, count_i = cells(s_i, d_i, n_i, begin, end)
    j, count_j = cells(s_j, d_j, n_j, begin, end)
    k, count_k = cells(s_k, d_k, n_k, begin, end)
    first_i, spacing_i = planes(s_i, d_i, i, begin)
    first_j, spacing_j = planes(s_j, d_j, j, begin)
    first_k, spacing_k = planes(s_k, d_k, k, begin)
    steps = tl.max(tl.where(who[2], count_i + count_j + count_k + 1, 0))
    length = tl.where(who[2], (end - begin).to(tl.float32), 0.0)
    return (
        who,
        (d_i, d_j, d_k, ends[0].to(tl.float32), ends[1].to(tl.float32), ends[2], ends[3], begin.to(tl.float32)),
        (i, j, k),
        (count_i.to(tl.float32), count_j.to(tl.float32), count_k.to(tl.float32)),
        (first_i, first_j, first_k),
        (spacing_i, spacing_j, spacing_k),
        (length, steps),
    )


@triton.jit
def ahead(passed, count, first, spacing):
    """The alpha of the next plane on one axis, beyond any ray when none is left."""
    return tl.where(passed < count, first + passed * spacing, 1e30)


@triton.jit
def jump(d, stride):
    """The signed step through memory when the ray crosses a plane of this axis."""
    return tl.where(d > 0.0, stride, -stride)


@triton.jit(do_not_specialize=RUNTIME)
def march_kernel(
    mu,
    labels,
    rays,
    grad,
    out,
    n_i,
    n_j,
    n_k,
    stride_j,
    stride_k,
    height,
    width,
    channels,
    LABELS: tl.constexpr,
    ADJOINT: tl.constexpr,
    CHUNKS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The integral over alpha of each channel or, with ADJOINT, its adjoint: out is then the volume that gets grad."""
    who, ray, cell, count, first, spacing, extent = walk(rays, height, width, n_i, n_j, n_k, CHUNKS, BLOCK)
    batch, pixel, mine = who
    i, j, k = cell
    jump_i = jump(ray[0], 1)
    jump_j = jump(ray[1], stride_j)
    jump_k = jump(ray[2], stride_k)
    voxel = k * stride_k + j * stride_j + i
    pixels = height * width
    if LABELS:
        label_j = jump(ray[1], n_i)
        label_k = jump(ray[2], n_i * n_j)
        label_at = (k * n_j + j) * n_i + i
    channel_offset = batch.to(tl.int64) * channels * pixels + pixel
    given = tl.zeros([BLOCK], dtype=tl.float32)
    if ADJOINT and not LABELS:
        given = tl.load(grad + channel_offset, mask=mine, other=0.0)
    run = tl.zeros([BLOCK], dtype=tl.int32)
    total = tl.zeros([BLOCK], dtype=tl.float32)
    passed_i = tl.zeros([BLOCK], dtype=tl.float32)
    passed_j = tl.zeros([BLOCK], dtype=tl.float32)
    passed_k = tl.zeros([BLOCK], dtype=tl.float32)
    here = tl.zeros([BLOCK], dtype=tl.float32)
    for _ in range(extent[1]):
        to_i = ahead(passed_i, count[0], first[0], spacing[0])
        to_j = ahead(passed_j, count[1], first[1], spacing[1])
        to_k = ahead(passed_k, count[2], first[2], spacing[2])
        crossing = tl.minimum(to_i, tl.minimum(to_j, to_k))
        there = tl.minimum(crossing, extent[0])
        if ADJOINT:
            if LABELS:
                label = tl.load(labels + label_at).to(tl.int32)
                given = weight_of(grad + channel_offset, label, pixels, channels, mine)
            share = (there - here) * given
            tl.atomic_add(out + voxel, share, mask=share != 0.0, sem="relaxed")
        else:
            term = (there - here) * number(tl.load(mu + voxel))
            if LABELS:
                label = tl.load(labels + label_at).to(tl.int32)
                run, total = tally(out + channel_offset, run, total, label, term, pixels, channels, mine)
            else:
                total += term
        here = there
        on_i = crossing == to_i
        on_j = (crossing == to_j) & (crossing != to_i)
        on_k = (crossing < to_i) & (crossing < to_j)
        passed_i += on_i.to(tl.float32)
        passed_j += on_j.to(tl.float32)
        passed_k += on_k.to(tl.float32)
        more = crossing < 1e30
        voxel += tl.where(more, tl.where(on_i, jump_i, tl.where(on_j, jump_j, jump_k)), 0)
        if LABELS:
            label_at += tl.where(more, tl.where(on_i, jump_i, tl.where(on_j, label_j, label_k)), 0)
    if not ADJOINT:
        if LABELS:
            flush(out + channel_offset, run, total, pixels, mine)
        else:
            store(out, 0, 1, total, height, width, CHUNKS, False)


@triton.jit(do_not_specialize=RUNTIME)
def derivative_kernel(
    mu,
    labels,
    rays,
    grad,
    image,
    out,
    n_i,
    n_j,
    n_k,
    stride_j,
    stride_k,
    height,
    width,
    channels,
    LABELS: tl.constexpr,
    IMAGE: tl.constexpr,
    CHUNKS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Six planes d integral / d(source, direction); with IMAGE the integral too, with LABELS weighted by grad.

    A plane at alpha between values a and b contributes (a - b) d alpha, with d alpha / ds = -1 / d and
    d alpha / dd = -alpha / d on its axis. Without labels and IMAGE the single channel of grad scales the result.
    """
    who, ray, cell, count, first, spacing, extent = walk(rays, height, width, n_i, n_j, n_k, CHUNKS, BLOCK)
    batch, pixel, mine = who
    d_i, d_j, d_k, near, far, entry_axis, exit_axis, begin = ray
    i, j, k = cell
    jump_i = jump(d_i, 1)
    jump_j = jump(d_j, stride_j)
    jump_k = jump(d_k, stride_k)
    voxel = k * stride_k + j * stride_j + i
    pixels = height * width
    weights = grad + batch.to(tl.int64) * channels * pixels + pixel
    before = number(tl.load(mu + voxel))
    if LABELS:
        label_j = jump(d_j, n_i)
        label_k = jump(d_k, n_i * n_j)
        label_at = (k * n_j + j) * n_i + i
        before *= weight_of(weights, tl.load(labels + label_at), pixels, channels, mine)
    at_entry = before
    total = tl.zeros([BLOCK], dtype=tl.float32)
    sum_i = tl.zeros([BLOCK], dtype=tl.float32)
    sum_j = tl.zeros([BLOCK], dtype=tl.float32)
    sum_k = tl.zeros([BLOCK], dtype=tl.float32)
    moment_i = tl.zeros([BLOCK], dtype=tl.float32)
    moment_j = tl.zeros([BLOCK], dtype=tl.float32)
    moment_k = tl.zeros([BLOCK], dtype=tl.float32)
    passed_i = tl.zeros([BLOCK], dtype=tl.float32)
    passed_j = tl.zeros([BLOCK], dtype=tl.float32)
    passed_k = tl.zeros([BLOCK], dtype=tl.float32)
    here = tl.zeros([BLOCK], dtype=tl.float32)
    axis = tl.full([BLOCK], 3, dtype=tl.int32)
    for _ in range(extent[1]):
        value = number(tl.load(mu + voxel))
        if LABELS:
            value *= weight_of(weights, tl.load(labels + label_at), pixels, channels, mine)
        drop = before - value
        before = value
        drop_i = tl.where(axis == 0, drop, 0.0)
        drop_j = tl.where(axis == 1, drop, 0.0)
        drop_k = tl.where(axis == 2, drop, 0.0)
        sum_i += drop_i
        sum_j += drop_j
        sum_k += drop_k
        moment_i += here * drop_i
        moment_j += here * drop_j
        moment_k += here * drop_k

        to_i = ahead(passed_i, count[0], first[0], spacing[0])
        to_j = ahead(passed_j, count[1], first[1], spacing[1])
        to_k = ahead(passed_k, count[2], first[2], spacing[2])
        crossing = tl.minimum(to_i, tl.minimum(to_j, to_k))
        there = tl.minimum(crossing, extent[0])
        total += (there - here) * value
        here = there
        axis = tl.where(crossing == to_i, 0, tl.where(crossing == to_j, 1, 2))
        passed_i += tl.where(axis == 0, 1.0, 0.0)
        passed_j += tl.where(axis == 1, 1.0, 0.0)
        passed_k += tl.where(axis == 2, 1.0, 0.0)
        more = crossing < 1e30
        voxel += tl.where(more, tl.where(axis == 0, jump_i, tl.where(axis == 1, jump_j, jump_k)), 0)
        if LABELS:
            label_at += tl.where(more, tl.where(axis == 0, jump_i, tl.where(axis == 1, label_j, label_k)), 0)
    if IMAGE:
        store(image, 0, 1, total, height, width, CHUNKS, False)

    if not LABELS and not IMAGE:
        scaling = tl.load(weights, mask=mine, other=0.0)
    else:
        scaling = tl.where(mine, 1.0, 0.0)
    per_i = -reciprocal(d_i.to(tl.float32)) * scaling
    per_j = -reciprocal(d_j.to(tl.float32)) * scaling
    per_k = -reciprocal(d_k.to(tl.float32)) * scaling
    d_near = -at_entry * scaling
    d_far = before * scaling
    gs_i = per_i * sum_i
    gs_j = per_j * sum_j
    gs_k = per_k * sum_k
    gd_i = begin * gs_i + per_i * moment_i
    gd_j = begin * gs_j + per_j * moment_j
    gd_k = begin * gs_k + per_k * moment_k
    gs_i, gd_i = add_ends(gs_i, gd_i, d_i, near, far, d_near, d_far, entry_axis, exit_axis, 0)
    gs_j, gd_j = add_ends(gs_j, gd_j, d_j, near, far, d_near, d_far, entry_axis, exit_axis, 1)
    gs_k, gd_k = add_ends(gs_k, gd_k, d_k, near, far, d_near, d_far, entry_axis, exit_axis, 2)
    store_six(out, gs_i, gs_j, gs_k, gd_i, gd_j, gd_k, height, width, CHUNKS, False)


@triton.jit
def exactly_ahead(passed, count, plane, forward, s, d):
    """`ahead` in float64 with one division per plane, for verdicts instead of sums."""
    alpha = (plane + passed.to(tl.float64) * forward - s) / tl.where(d == 0.0, 1.0, d)
    return tl.where(passed < count, alpha, 1e30)


@triton.jit(do_not_specialize=RUNTIME)
def bits_kernel(
    labels,
    rays,
    out,
    n_i,
    n_j,
    n_k,
    height,
    width,
    words,
    CHUNKS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Set the bit of every label of which the ray crosses a voxel with a positive chord; all in float64."""
    who, ray, _, part = part_of_ray(rays, height, width, n_i, n_j, n_k, CHUNKS, BLOCK)
    batch, pixel, mine = who
    s_i, s_j, s_k, d_i, d_j, d_k = ray
    here, end = part
    i, count_i = cells(s_i, d_i, n_i, here, end)
    j, count_j = cells(s_j, d_j, n_j, here, end)
    k, count_k = cells(s_k, d_k, n_k, here, end)
    voxel = (k * n_j + j) * n_i + i
    plane_i = first_plane(s_i, d_i, i)
    plane_j = first_plane(s_j, d_j, j)
    plane_k = first_plane(s_k, d_k, k)
    forward_i = tl.where(d_i > 0.0, 1.0, -1.0)
    forward_j = tl.where(d_j > 0.0, 1.0, -1.0)
    forward_k = tl.where(d_k > 0.0, 1.0, -1.0)
    jump_i = jump(d_i, 1)
    jump_j = jump(d_j, n_i)
    jump_k = jump(d_k, n_i * n_j)
    slots = out + batch.to(tl.int64) * words * (height * width) + pixel
    word = tl.full([BLOCK], 0, dtype=tl.int32)
    bits = tl.full([BLOCK], 0, dtype=tl.int32)
    passed_i = tl.full([BLOCK], 0, dtype=tl.int32)
    passed_j = tl.full([BLOCK], 0, dtype=tl.int32)
    passed_k = tl.full([BLOCK], 0, dtype=tl.int32)
    for _ in range(tl.max(tl.where(mine, count_i + count_j + count_k + 1, 0))):
        to_i = exactly_ahead(passed_i, count_i, plane_i, forward_i, s_i, d_i)
        to_j = exactly_ahead(passed_j, count_j, plane_j, forward_j, s_j, d_j)
        to_k = exactly_ahead(passed_k, count_k, plane_k, forward_k, s_k, d_k)
        crossing = tl.minimum(to_i, tl.minimum(to_j, to_k))
        there = tl.minimum(crossing, end)
        label = tl.load(labels + voxel).to(tl.int32)
        counts = mine & (there > here) & (label >= 0) & (label < words * 32)
        change = counts & (label // 32 != word)
        tl.atomic_or(slots + word.to(tl.int64) * (height * width), bits, mask=change & (bits != 0), sem="relaxed")
        word = tl.where(change, label // 32, word)
        bits = tl.where(change, 0, bits) | tl.where(counts, 1 << (label % 32), 0)
        here = tl.maximum(here, there)
        on_i = crossing == to_i
        on_j = (crossing == to_j) & (crossing != to_i)
        more = crossing < 1e30
        passed_i += on_i.to(tl.int32)
        passed_j += on_j.to(tl.int32)
        passed_k += ((crossing < to_i) & (crossing < to_j)).to(tl.int32)
        voxel += tl.where(more, tl.where(on_i, jump_i, tl.where(on_j, jump_j, jump_k)), 0)
    tl.atomic_or(slots + word.to(tl.int64) * (height * width), bits, mask=mine & (bits != 0), sem="relaxed")
