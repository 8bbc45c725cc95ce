"""Triton kernels of the trilinear projector; the mathematics is in projectors/trilinear.py.

Weights are tents max(0, 1 - |x - v|) around an index clamped to the grid, which is zero padding without a single
mask: every load is legal, and a voxel that the sample does not reach has weight 0.
"""

# constexpr parameters take plain values, which the type checker cannot know.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

import triton
import triton.language as tl

from .lanes import RUNTIME, add_ends, clip, flush, number, pixel_of, ray_of, split, store, store_six, tally, weight_of


@triton.jit
def tent(x, last, wide):
    """The cell's clamped index and the offsets of x from its two voxels; `wide` is 1 (or huge where N = 1)."""
    base = tl.minimum(tl.maximum(tl.floor(x), 0.0), last)
    return base.to(tl.int32), x - base, x - base - wide


@triton.jit
def height_at(offset):
    """The tent's value."""
    return tl.maximum(1.0 - tl.abs(offset), 0.0)


@triton.jit
def slope_at(offset):
    """The tent's derivative, at voxel centres that of the cell above."""
    return tl.where(offset < 0.0, tl.where(offset >= -1.0, 1.0, 0.0), tl.where(offset < 1.0, -1.0, 0.0))


@triton.jit
def cell_limits(n):
    """The last base index, and how far a base's second neighbour lies: one voxel, or out of reach where N = 1."""
    return tl.maximum(n - 2, 0).to(tl.float32), tl.where(n > 1, 1.0, 1e30)


@triton.jit
def eight(pointer, di, dj, dk):
    """The values at the corners of a cell, named by (k, j, i)."""
    v000 = tl.load(pointer)
    v001 = tl.load(pointer + di)
    v010 = tl.load(pointer + dj)
    v011 = tl.load(pointer + dj + di)
    v100 = tl.load(pointer + dk)
    v101 = tl.load(pointer + dk + di)
    v110 = tl.load(pointer + dk + dj)
    v111 = tl.load(pointer + dk + dj + di)
    return v000, v001, v010, v011, v100, v101, v110, v111


@triton.jit
def nearest_label(labels, x_i, x_j, x_k, n_i, n_j, n_k):
    """The label of the voxel that holds x, 0 outside the grid."""
    i = tl.floor(x_i + 0.5).to(tl.int32)
    j = tl.floor(x_j + 0.5).to(tl.int32)
    k = tl.floor(x_k + 0.5).to(tl.int32)
    inside = (i >= 0) & (i < n_i) & (j >= 0) & (j < n_j) & (k >= 0) & (k < n_k)
    return tl.load(labels + ((k * n_j + j) * n_i + i), mask=inside, other=0).to(tl.int32)


@triton.jit
def first_sample(rays, height, width, samples, n_i, n_j, n_k, CHUNKS: tl.constexpr, BLOCK: tl.constexpr):
    """Where this lane starts and how it steps: pixel, samples to take, ray, ends, first point, step."""
    lane = tl.arange(0, BLOCK)
    n, chunk = split(lane, CHUNKS, BLOCK, True)
    batch, row, column = pixel_of(n, width, height, BLOCK // CHUNKS)
    s_i, s_j, s_k, d_i, d_j, d_k = ray_of(rays, batch, row, column)
    near, far, first, last = clip(s_i, s_j, s_k, d_i, d_j, d_k, n_i, n_j, n_k, 1.0)
    mine = (row < height) & (column < width) & (far > near)
    count = tl.where(mine, (samples - chunk + (CHUNKS - 1)) // CHUNKS, 0)
    step = (far - near) / samples.to(tl.float64)
    alpha = near + (chunk.to(tl.float64) + 0.5) * step
    stride = step * CHUNKS
    return (
        (batch, row * width + column, mine, chunk, count),
        (d_i, d_j, d_k, near.to(tl.float32), far.to(tl.float32), first, last),
        ((s_i + alpha * d_i).to(tl.float32), (s_j + alpha * d_j).to(tl.float32), (s_k + alpha * d_k).to(tl.float32)),
        (
            (stride * d_i).to(tl.float32),
            (stride * d_j).to(tl.float32),
            (stride * d_k).to(tl.float32),
            step.to(tl.float32),
        ),
    )


@triton.jit(do_not_specialize=RUNTIME)
def image_kernel(
    mu,
    rays,
    out,
    n_i,
    n_j,
    n_k,
    stride_j,
    stride_k,
    height,
    width,
    samples,
    NEXT_I: tl.constexpr,
    EVEN: tl.constexpr,
    CHUNKS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The integral over alpha, one channel."""
    who, _, x, dx = first_sample(rays, height, width, samples, n_i, n_j, n_k, CHUNKS, BLOCK)
    x_i, x_j, x_k = x
    dx_i, dx_j, dx_k, step = dx
    last_i, wide_i = cell_limits(n_i)
    last_j, wide_j = cell_limits(n_j)
    last_k, wide_k = cell_limits(n_k)
    next_j = tl.where(n_j > 1, stride_j, 0)
    next_k = tl.where(n_k > 1, stride_k, 0)
    total = tl.zeros([BLOCK], dtype=tl.float32)
    for m in range(tl.max(who[4])):
        b_i, lo_i, hi_i = tent(x_i + m * dx_i, last_i, wide_i)
        b_j, lo_j, hi_j = tent(x_j + m * dx_j, last_j, wide_j)
        b_k, lo_k, hi_k = tent(x_k + m * dx_k, last_k, wide_k)
        pointer = mu + (b_k * stride_k + b_j * stride_j + b_i)
        v000, v001, v010, v011, v100, v101, v110, v111 = eight(pointer, NEXT_I, next_j, next_k)
        w0 = height_at(lo_i)
        w1 = height_at(hi_i)
        a00 = number(v000) * w0 + number(v001) * w1
        a01 = number(v010) * w0 + number(v011) * w1
        a10 = number(v100) * w0 + number(v101) * w1
        a11 = number(v110) * w0 + number(v111) * w1
        w0 = height_at(lo_j)
        w1 = height_at(hi_j)
        value = height_at(lo_k) * (a00 * w0 + a01 * w1) + height_at(hi_k) * (a10 * w0 + a11 * w1)
        if EVEN:
            total += value
        else:
            total += tl.where(m < who[4], value, 0.0)
    store(out, 0, 1, total * step, height, width, CHUNKS, True)


@triton.jit(do_not_specialize=RUNTIME)
def channels_kernel(
    mu,
    labels,
    rays,
    out,
    n_i,
    n_j,
    n_k,
    stride_j,
    stride_k,
    height,
    width,
    channels,
    samples,
    NEXT_I: tl.constexpr,
    SOFT: tl.constexpr,
    CHUNKS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The integral over alpha of each label; one lane per ray (CHUNKS is 1)."""
    who, _, x, dx = first_sample(rays, height, width, samples, n_i, n_j, n_k, CHUNKS, BLOCK)
    batch, pixel, mine, _, count = who
    x_i, x_j, x_k = x
    dx_i, dx_j, dx_k, step = dx
    last_i, wide_i = cell_limits(n_i)
    last_j, wide_j = cell_limits(n_j)
    last_k, wide_k = cell_limits(n_k)
    next_j = tl.where(n_j > 1, 1, 0)
    next_k = tl.where(n_k > 1, 1, 0)
    pixels = height * width
    slots = out + batch.to(tl.int64) * channels * pixels + pixel
    run = tl.zeros([BLOCK], dtype=tl.int32)
    total = tl.zeros([BLOCK], dtype=tl.float32)
    for m in range(tl.max(count)):
        b_i, lo_i, hi_i = tent(x_i + m * dx_i, last_i, wide_i)
        b_j, lo_j, hi_j = tent(x_j + m * dx_j, last_j, wide_j)
        b_k, lo_k, hi_k = tent(x_k + m * dx_k, last_k, wide_k)
        value = tl.zeros([BLOCK], dtype=tl.float32)
        for corner in tl.static_range(8):
            i = b_i + (NEXT_I if corner % 2 else 0)
            j = b_j + (next_j if corner // 2 % 2 else 0)
            k = b_k + (next_k if corner // 4 else 0)
            weight = height_at(hi_i if corner % 2 else lo_i) * height_at(hi_j if corner // 2 % 2 else lo_j)
            weight = weight * height_at(hi_k if corner // 4 else lo_k)
            term = number(tl.load(mu + (k * stride_k + j * stride_j + i))) * weight
            if SOFT:
                label = tl.load(labels + ((k * n_j + j) * n_i + i)).to(tl.int32)
                run, total = tally(slots, run, total, label, term * step, pixels, channels, mine)
            else:
                value += term
        if not SOFT:
            label = nearest_label(labels, x_i + m * dx_i, x_j + m * dx_j, x_k + m * dx_k, n_i, n_j, n_k)
            run, total = tally(slots, run, total, label, value * step, pixels, channels, mine)
    flush(slots, run, total, pixels, mine)


@triton.jit
def scale(values, labels, grad, j, k, i, n_i, n_j, NEXT_I: tl.constexpr, next_j, next_k, pixels, channels, mine):
    """The cell's eight values, each times the upstream gradient of its own label."""
    pointer = labels + ((k * n_j + j) * n_i + i)
    l000, l001, l010, l011, l100, l101, l110, l111 = eight(pointer, NEXT_I, next_j * n_i, next_k * n_i * n_j)
    v000, v001, v010, v011, v100, v101, v110, v111 = values
    v000 = v000 * weight_of(grad, l000, pixels, channels, mine)
    v001 = v001 * weight_of(grad, l001, pixels, channels, mine)
    v010 = v010 * weight_of(grad, l010, pixels, channels, mine)
    v011 = v011 * weight_of(grad, l011, pixels, channels, mine)
    v100 = v100 * weight_of(grad, l100, pixels, channels, mine)
    v101 = v101 * weight_of(grad, l101, pixels, channels, mine)
    v110 = v110 * weight_of(grad, l110, pixels, channels, mine)
    v111 = v111 * weight_of(grad, l111, pixels, channels, mine)
    return v000, v001, v010, v011, v100, v101, v110, v111


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
    samples,
    LABELS: tl.constexpr,
    IMAGE: tl.constexpr,
    NEXT_I: tl.constexpr,
    CHUNKS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Six planes d integral / d(source, direction); with IMAGE the integral too, with LABELS weighted by grad.

    LABELS is "none", "hard" or "soft"; without labels and without IMAGE the single channel of grad scales the result.
    """
    who, ray, x, dx = first_sample(rays, height, width, samples, n_i, n_j, n_k, CHUNKS, BLOCK)
    batch, pixel, mine, chunk, count = who
    x_i, x_j, x_k = x
    dx_i, dx_j, dx_k, step = dx
    last_i, wide_i = cell_limits(n_i)
    last_j, wide_j = cell_limits(n_j)
    last_k, wide_k = cell_limits(n_k)
    next_j = tl.where(n_j > 1, 1, 0)
    next_k = tl.where(n_k > 1, 1, 0)
    pixels = height * width
    weights = grad + batch.to(tl.int64) * channels * pixels + pixel
    total = tl.zeros([BLOCK], dtype=tl.float32)
    sum_i = tl.zeros([BLOCK], dtype=tl.float32)
    sum_j = tl.zeros([BLOCK], dtype=tl.float32)
    sum_k = tl.zeros([BLOCK], dtype=tl.float32)
    moment_i = tl.zeros([BLOCK], dtype=tl.float32)
    moment_j = tl.zeros([BLOCK], dtype=tl.float32)
    moment_k = tl.zeros([BLOCK], dtype=tl.float32)
    for m in range(tl.max(count)):
        b_i, lo_i, hi_i = tent(x_i + m * dx_i, last_i, wide_i)
        b_j, lo_j, hi_j = tent(x_j + m * dx_j, last_j, wide_j)
        b_k, lo_k, hi_k = tent(x_k + m * dx_k, last_k, wide_k)
        pointer = mu + (b_k * stride_k + b_j * stride_j + b_i)
        v000, v001, v010, v011, v100, v101, v110, v111 = eight(pointer, NEXT_I, next_j * stride_j, next_k * stride_k)
        v000 = number(v000)
        v001 = number(v001)
        v010 = number(v010)
        v011 = number(v011)
        v100 = number(v100)
        v101 = number(v101)
        v110 = number(v110)
        v111 = number(v111)
        if LABELS == "soft":
            values = (v000, v001, v010, v011, v100, v101, v110, v111)
            v000, v001, v010, v011, v100, v101, v110, v111 = scale(
                values, labels, weights, b_j, b_k, b_i, n_i, n_j, NEXT_I, next_j, next_k, pixels, channels, mine
            )
        w0 = height_at(lo_i)
        w1 = height_at(hi_i)
        g0 = slope_at(lo_i)
        g1 = slope_at(hi_i)
        a00 = v000 * w0 + v001 * w1
        a01 = v010 * w0 + v011 * w1
        a10 = v100 * w0 + v101 * w1
        a11 = v110 * w0 + v111 * w1
        i00 = v000 * g0 + v001 * g1
        i01 = v010 * g0 + v011 * g1
        i10 = v100 * g0 + v101 * g1
        i11 = v110 * g0 + v111 * g1
        w0 = height_at(lo_j)
        w1 = height_at(hi_j)
        g0 = slope_at(lo_j)
        g1 = slope_at(hi_j)
        a0 = a00 * w0 + a01 * w1
        a1 = a10 * w0 + a11 * w1
        j0 = a00 * g0 + a01 * g1
        j1 = a10 * g0 + a11 * g1
        i0 = i00 * w0 + i01 * w1
        i1 = i10 * w0 + i11 * w1
        w0 = height_at(lo_k)
        w1 = height_at(hi_k)
        live = tl.where(m < count, 1.0, 0.0)
        if LABELS == "hard":
            label = nearest_label(labels, x_i + m * dx_i, x_j + m * dx_j, x_k + m * dx_k, n_i, n_j, n_k)
            live = live * weight_of(weights, label, pixels, channels, mine)
        at_i = live * (i0 * w0 + i1 * w1)
        at_j = live * (j0 * w0 + j1 * w1)
        at_k = live * (a0 * slope_at(lo_k) + a1 * slope_at(hi_k))
        total += live * (a0 * w0 + a1 * w1)
        sum_i += at_i
        sum_j += at_j
        sum_k += at_k
        moment_i += m * at_i
        moment_j += m * at_j
        moment_k += m * at_k
    if IMAGE:
        store(image, 0, 1, total * step, height, width, CHUNKS, True)

    # With n samples, I = step sum f, x_m = source + (near + (m + 1/2) step) direction and step = (far - near) / n.
    d_i, d_j, d_k, near, far, first, last = ray
    n = samples.to(tl.float32)
    offset = chunk.to(tl.float32) + 0.5
    moment_i = (CHUNKS * moment_i + offset * sum_i) / n
    moment_j = (CHUNKS * moment_j + offset * sum_j) / n
    moment_k = (CHUNKS * moment_k + offset * sum_k) / n
    f_i = d_i.to(tl.float32)
    f_j = d_j.to(tl.float32)
    f_k = d_k.to(tl.float32)
    d_far = step * (f_i * moment_i + f_j * moment_j + f_k * moment_k) + total / n
    d_near = step * (f_i * sum_i + f_j * sum_j + f_k * sum_k) - d_far
    if LABELS == "none" and not IMAGE:
        scaling = tl.load(weights, mask=mine, other=0.0)
    else:
        scaling = tl.where(mine, 1.0, 0.0)
    d_near *= scaling
    d_far *= scaling
    step *= scaling
    span = far - near
    gs_i, gd_i = add_ends(
        step * sum_i, step * (near * sum_i + span * moment_i), d_i, near, far, d_near, d_far, first, last, 0
    )
    gs_j, gd_j = add_ends(
        step * sum_j, step * (near * sum_j + span * moment_j), d_j, near, far, d_near, d_far, first, last, 1
    )
    gs_k, gd_k = add_ends(
        step * sum_k, step * (near * sum_k + span * moment_k), d_k, near, far, d_near, d_far, first, last, 2
    )
    store_six(out, gs_i, gs_j, gs_k, gd_i, gd_j, gd_k, height, width, CHUNKS, True)


@triton.jit(do_not_specialize=RUNTIME)
def adjoint_kernel(
    labels,
    rays,
    grad,
    out,
    n_i,
    n_j,
    n_k,
    height,
    width,
    channels,
    samples,
    LABELS: tl.constexpr,
    NEXT_I: tl.constexpr,
    CHUNKS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Give each voxel the gradient of the samples that read it, by its weight in them."""
    who, _, x, dx = first_sample(rays, height, width, samples, n_i, n_j, n_k, CHUNKS, BLOCK)
    batch, pixel, mine, _, count = who
    x_i, x_j, x_k = x
    dx_i, dx_j, dx_k, step = dx
    last_i, wide_i = cell_limits(n_i)
    last_j, wide_j = cell_limits(n_j)
    last_k, wide_k = cell_limits(n_k)
    next_j = tl.where(n_j > 1, 1, 0)
    next_k = tl.where(n_k > 1, 1, 0)
    pixels = height * width
    weights = grad + batch.to(tl.int64) * channels * pixels + pixel
    given = tl.zeros([BLOCK], dtype=tl.float32)
    if LABELS == "none":
        given = tl.load(weights, mask=mine, other=0.0)
    for m in range(tl.max(count)):
        b_i, lo_i, hi_i = tent(x_i + m * dx_i, last_i, wide_i)
        b_j, lo_j, hi_j = tent(x_j + m * dx_j, last_j, wide_j)
        b_k, lo_k, hi_k = tent(x_k + m * dx_k, last_k, wide_k)
        if LABELS == "hard":
            label = nearest_label(labels, x_i + m * dx_i, x_j + m * dx_j, x_k + m * dx_k, n_i, n_j, n_k)
            given = weight_of(weights, label, pixels, channels, mine)
        for corner in tl.static_range(8):
            i = b_i + (NEXT_I if corner % 2 else 0)
            j = b_j + (next_j if corner // 2 % 2 else 0)
            k = b_k + (next_k if corner // 4 else 0)
            weight = height_at(hi_i if corner % 2 else lo_i) * height_at(hi_j if corner // 2 % 2 else lo_j)
            weight = weight * height_at(hi_k if corner // 4 else lo_k)
            voxel = (k * n_j + j) * n_i + i
            if LABELS == "soft":
                given = weight_of(weights, tl.load(labels + voxel), pixels, channels, mine)
            share = tl.where(m < count, step * weight * given, 0.0)
            tl.atomic_add(out + voxel, share, mask=share != 0.0, sem="relaxed")
