"""Triton kernels of Joseph's projector; the mathematics is in projectors/joseph.py.

Each lane turns its ray so that axis a is the dominant one and b, c lie across; sizes and strides turn along. Only the
slices whose sample can be nonzero are visited.
"""

# constexpr parameters take plain values, which the type checker cannot know.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

import triton
import triton.language as tl

from .lanes import RUNTIME, between, flush, number, pixel_of, ray_of, split, store, store_six, tally, weight_of
from .trilinear import height_at, slope_at, tent


@triton.jit
def turn(main, on_i, on_j, on_k):
    """(a, b, c) from (i, j, k): the dominant axis first, then the next two in cyclic order."""
    a = tl.where(main == 0, on_i, tl.where(main == 1, on_j, on_k))
    b = tl.where(main == 0, on_j, tl.where(main == 1, on_k, on_i))
    c = tl.where(main == 0, on_k, tl.where(main == 1, on_i, on_j))
    return a, b, c


@triton.jit
def turn_back(main, a, b, c):
    """(i, j, k) from (a, b, c)."""
    i = tl.where(main == 0, a, tl.where(main == 1, c, b))
    j = tl.where(main == 0, b, tl.where(main == 1, a, c))
    k = tl.where(main == 0, c, tl.where(main == 1, b, a))
    return i, j, k


@triton.jit
def slices_hit(s_a, s_b, s_c, d_a, d_b, d_c, n_a, n_b, n_c):
    """The first and last slice with 0 <= alpha <= 1 that the ray may meet inside the grid (first > last: none)."""
    last = n_a.to(tl.float64) - 1.0
    lowest = tl.maximum(tl.ceil(tl.minimum(s_a, s_a + d_a)), 0.0)
    highest = tl.minimum(tl.floor(tl.maximum(s_a, s_a + d_a)), last)
    enter_b, leave_b = between(s_b, d_b, -1.0, n_b.to(tl.float64))
    enter_c, leave_c = between(s_c, d_c, -1.0, n_c.to(tl.float64))
    near = tl.minimum(tl.maximum(tl.maximum(enter_b, enter_c), 0.0), 1.0)
    far = tl.minimum(tl.maximum(tl.minimum(leave_b, leave_c), 0.0), 1.0)
    one = s_a + near * d_a
    other = s_a + far * d_a
    hit = (far > near) & (d_a != 0.0)
    # A slice too many has weight 0; the extra ones keep rounding from dropping one.
    lowest = tl.maximum(lowest, tl.floor(tl.minimum(one, other)) - 1.0)
    highest = tl.minimum(highest, tl.ceil(tl.maximum(one, other)) + 1.0)
    return tl.where(hit, lowest, 0.0), tl.where(hit, highest, -1.0)


@triton.jit
def first_slice(rays, height, width, n_i, n_j, n_k, CHUNKS: tl.constexpr, BLOCK: tl.constexpr):
    """This lane's pixel, dominant axis, turned ray, first slice and number of slices, first point and slopes."""
    lane = tl.arange(0, BLOCK)
    n, chunk = split(lane, CHUNKS, BLOCK, True)
    batch, row, column = pixel_of(n, width, height, BLOCK // CHUNKS)
    s_i, s_j, s_k, d_i, d_j, d_k = ray_of(rays, batch, row, column)
    i_is_main = (tl.abs(d_i) >= tl.abs(d_j)) & (tl.abs(d_i) >= tl.abs(d_k))
    main = tl.where(i_is_main, 0, tl.where(tl.abs(d_j) >= tl.abs(d_k), 1, 2))
    s_a, s_b, s_c = turn(main, s_i, s_j, s_k)
    d_a, d_b, d_c = turn(main, d_i, d_j, d_k)
    n_a, n_b, n_c = turn(main, n_i, n_j, n_k)
    lowest, highest = slices_hit(s_a, s_b, s_c, d_a, d_b, d_c, n_a, n_b, n_c)
    mine = (row < height) & (column < width) & (highest >= lowest)
    slices = tl.where(mine, highest - lowest + 1.0, 0.0).to(tl.int32)
    forward = tl.where(d_a > 0.0, 1, -1)
    a = tl.where(d_a > 0.0, lowest, highest).to(tl.int32) + forward * chunk
    a = tl.minimum(tl.maximum(a, 0), n_a - 1)
    safe = tl.where(d_a == 0.0, 1.0, d_a)
    alpha = (a.to(tl.float64) - s_a) / safe
    apart = 1.0 / tl.abs(safe)
    stride = apart * CHUNKS
    return (
        (batch, row * width + column, mine, tl.maximum((slices - chunk + (CHUNKS - 1)) // CHUNKS, 0)),
        (main, a, forward * CHUNKS, n_b, n_c),
        (safe.to(tl.float32), d_b.to(tl.float32), d_c.to(tl.float32), alpha.to(tl.float32), apart.to(tl.float32)),
        ((s_b + alpha * d_b).to(tl.float32), (s_c + alpha * d_c).to(tl.float32)),
        ((d_b * stride).to(tl.float32), (d_c * stride).to(tl.float32)),
    )


@triton.jit
def reach(n):
    """The last base index across, the second neighbour's distance (huge where N = 1), and its step in memory."""
    return tl.maximum(n - 2, 0).to(tl.float32), tl.where(n > 1, 1.0, 1e30), tl.where(n > 1, 1, 0)


@triton.jit
def four(pointer, db, dc):
    """The values at the corners of a slice's cell, named by (c, b)."""
    v00 = number(tl.load(pointer))
    v01 = number(tl.load(pointer + db))
    v10 = number(tl.load(pointer + dc))
    v11 = number(tl.load(pointer + dc + db))
    return v00, v01, v10, v11


@triton.jit
def label_of_nearest(labels, a, x_b, x_c, n_b, n_c, label_a, label_b, label_c):
    """The label of the voxel in slice a nearest to the sample, 0 outside the grid."""
    b = tl.floor(x_b + 0.5).to(tl.int32)
    c = tl.floor(x_c + 0.5).to(tl.int32)
    inside = (b >= 0) & (b < n_b) & (c >= 0) & (c < n_c)
    return tl.load(labels + (a * label_a + b * label_b + c * label_c), mask=inside, other=0).to(tl.int32)


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
    who, frame, ray, x, slope = first_slice(rays, height, width, n_i, n_j, n_k, CHUNKS, BLOCK)
    batch, pixel, mine, count = who
    main, a, forward, n_b, n_c = frame
    stride_a, stride_b, stride_c = turn(main, 1, stride_j, stride_k)
    last_b, wide_b, next_b = reach(n_b)
    last_c, wide_c, next_c = reach(n_c)
    apart = ray[4]
    pixels = height * width
    channel_offset = batch.to(tl.int64) * channels * pixels + pixel
    if LABELS != "none":
        label_a, label_b, label_c = turn(main, 1, n_i, n_i * n_j)
    given = tl.zeros([BLOCK], dtype=tl.float32)
    if ADJOINT and LABELS == "none":
        given = tl.load(grad + channel_offset, mask=mine, other=0.0)
    run = tl.zeros([BLOCK], dtype=tl.int32)
    total = tl.zeros([BLOCK], dtype=tl.float32)
    for m in range(tl.max(count)):
        live = m < count
        plane = a + tl.where(live, m, 0) * forward
        b, lo_b, hi_b = tent(x[0] + m * slope[0], last_b, wide_b)
        c, lo_c, hi_c = tent(x[1] + m * slope[1], last_c, wide_c)
        if LABELS == "hard":
            label = label_of_nearest(
                labels, plane, x[0] + m * slope[0], x[1] + m * slope[1], n_b, n_c, label_a, label_b, label_c
            )
            if ADJOINT:
                given = weight_of(grad + channel_offset, label, pixels, channels, mine)
        if ADJOINT or LABELS == "soft":
            for corner in tl.static_range(4):
                at_b = b + (next_b if corner % 2 else 0)
                at_c = c + (next_c if corner // 2 else 0)
                voxel = plane * stride_a + at_b * stride_b + at_c * stride_c
                weight = height_at(hi_b if corner % 2 else lo_b) * height_at(hi_c if corner // 2 else lo_c)
                weight = tl.where(live, weight * apart, 0.0)
                if LABELS == "soft":
                    label = tl.load(labels + (plane * label_a + at_b * label_b + at_c * label_c)).to(tl.int32)
                    if ADJOINT:
                        given = weight_of(grad + channel_offset, label, pixels, channels, mine)
                if ADJOINT:
                    tl.atomic_add(out + voxel, weight * given, mask=weight * given != 0.0, sem="relaxed")
                else:
                    term = weight * number(tl.load(mu + voxel))
                    run, total = tally(out + channel_offset, run, total, label, term, pixels, channels, mine)
        else:
            pointer = mu + (plane * stride_a + b * stride_b + c * stride_c)
            v00, v01, v10, v11 = four(pointer, next_b * stride_b, next_c * stride_c)
            w0 = height_at(lo_b)
            w1 = height_at(hi_b)
            value = (v00 * w0 + v01 * w1) * height_at(lo_c) + (v10 * w0 + v11 * w1) * height_at(hi_c)
            value = tl.where(live, value, 0.0)
            if LABELS == "hard":
                run, total = tally(out + channel_offset, run, total, label, value * apart, pixels, channels, mine)
            else:
                total += value
    if not ADJOINT:
        if LABELS == "none":
            store(out, 0, 1, tl.where(mine, total * apart, 0.0), height, width, CHUNKS, True)
        else:
            flush(out + channel_offset, run, total, pixels, mine)


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

    With x_b(alpha) and alpha_k = (k - s_a) / d_a in every slice, I = 1/|d_a| sum f(x_b, x_c) gives

        dI/ds_b = 1/|d_a| sum f_b,    dI/dd_b = 1/|d_a| sum alpha_k f_b    (c likewise),
        dI/ds_a = -(d_b dI/ds_b + d_c dI/ds_c) / d_a,    dI/dd_a = -(I + d_b dI/dd_b + d_c dI/dd_c) / d_a.

    Without labels and without IMAGE the single channel of grad scales the result.
    """
    who, frame, ray, x, slope = first_slice(rays, height, width, n_i, n_j, n_k, CHUNKS, BLOCK)
    batch, pixel, mine, count = who
    main, a, forward, n_b, n_c = frame
    stride_a, stride_b, stride_c = turn(main, 1, stride_j, stride_k)
    last_b, wide_b, next_b = reach(n_b)
    last_c, wide_c, next_c = reach(n_c)
    d_a, d_b, d_c, alpha, apart = ray
    pixels = height * width
    weights = grad + batch.to(tl.int64) * channels * pixels + pixel
    if LABELS != "none":
        label_a, label_b, label_c = turn(main, 1, n_i, n_i * n_j)
    total = tl.zeros([BLOCK], dtype=tl.float32)
    sum_b = tl.zeros([BLOCK], dtype=tl.float32)
    sum_c = tl.zeros([BLOCK], dtype=tl.float32)
    moment_b = tl.zeros([BLOCK], dtype=tl.float32)
    moment_c = tl.zeros([BLOCK], dtype=tl.float32)
    for m in range(tl.max(count)):
        live = m < count
        plane = a + tl.where(live, m, 0) * forward
        b, lo_b, hi_b = tent(x[0] + m * slope[0], last_b, wide_b)
        c, lo_c, hi_c = tent(x[1] + m * slope[1], last_c, wide_c)
        pointer = mu + (plane * stride_a + b * stride_b + c * stride_c)
        v00, v01, v10, v11 = four(pointer, next_b * stride_b, next_c * stride_c)
        gain = tl.where(live, 1.0, 0.0)
        if LABELS == "soft":
            near_b = labels + (plane * label_a + b * label_b + c * label_c)
            far_c = near_b + next_c * label_c
            v00 *= weight_of(weights, tl.load(near_b), pixels, channels, mine)
            v01 *= weight_of(weights, tl.load(near_b + next_b * label_b), pixels, channels, mine)
            v10 *= weight_of(weights, tl.load(far_c), pixels, channels, mine)
            v11 *= weight_of(weights, tl.load(far_c + next_b * label_b), pixels, channels, mine)
        if LABELS == "hard":
            label = label_of_nearest(
                labels, plane, x[0] + m * slope[0], x[1] + m * slope[1], n_b, n_c, label_a, label_b, label_c
            )
            gain *= weight_of(weights, label, pixels, channels, mine)
        w0 = height_at(lo_b)
        w1 = height_at(hi_b)
        g0 = slope_at(lo_b)
        g1 = slope_at(hi_b)
        low = v00 * w0 + v01 * w1
        high = v10 * w0 + v11 * w1
        low_b = v00 * g0 + v01 * g1
        high_b = v10 * g0 + v11 * g1
        w0 = height_at(lo_c)
        w1 = height_at(hi_c)
        at_b = gain * (low_b * w0 + high_b * w1)
        at_c = gain * (low * slope_at(lo_c) + high * slope_at(hi_c))
        total += gain * (low * w0 + high * w1)
        sum_b += at_b
        sum_c += at_c
        moment_b += m * at_b
        moment_c += m * at_c
    if IMAGE:
        store(image, 0, 1, tl.where(mine, total * apart, 0.0), height, width, CHUNKS, True)

    if LABELS == "none" and not IMAGE:
        scaling = apart * tl.load(weights, mask=mine, other=0.0)
    else:
        scaling = tl.where(mine, apart, 0.0)
    gs_b = scaling * sum_b
    gs_c = scaling * sum_c
    gd_b = scaling * (alpha * sum_b + apart * CHUNKS * moment_b)
    gd_c = scaling * (alpha * sum_c + apart * CHUNKS * moment_c)
    gs_a = -(d_b * gs_b + d_c * gs_c) / d_a
    gd_a = -(scaling * total + d_b * gd_b + d_c * gd_c) / d_a
    gs_i, gs_j, gs_k = turn_back(main, gs_a, gs_b, gs_c)
    gd_i, gd_j, gd_k = turn_back(main, gd_a, gd_b, gd_c)
    store_six(out, gs_i, gs_j, gs_k, gd_i, gd_j, gd_k, height, width, CHUNKS, True)
