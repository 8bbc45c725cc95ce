"""One lane, one part of one ray: which pixel it serves, where its ray enters the grid, and how lanes join again.

A program serves a tile of pixels, with CHUNKS lanes to a ray whose sums are joined in a fixed order; that fills the
device for small images too. Nothing here depends on the number of poses, so a batch has the bits of its views rendered
one by one. Two ways to share out a ray:

    TOGETHER   neighbouring lanes take every CHUNKS-th sample, and a warp holds 4 x 2 pixels x 4 consecutive samples: a
               compact block of voxels, whichever way the rays run through memory
    otherwise  each warp takes one consecutive part of the rays of 8 x 4 pixels (for voxel walks)

Geometry is float64 up to the first sample and its step; the marches are float32.
"""

# constexpr parameters and names hold plain values, which the type checker cannot know.
# pyright: reportArgumentType=false, reportAssignmentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

import triton
import triton.language as tl

BLOCK = 128  # lanes of a program: 4 warps, one lane per thread, so that all one-dimensional layouts agree
WARPS = 4
CHUNKS = 4
RUNTIME = ["n_i", "n_j", "n_k", "stride_j", "stride_k", "height", "width", "channels", "samples", "words"]


@triton.jit
def pixel_of(n, width, height, PIXELS: tl.constexpr):
    """Batch, row and column of a tile's n-th pixel: eights make 4 x 2 pixels, then 8 x 4, then 16 x 8."""
    across: tl.constexpr = 2 if PIXELS == 128 else 1
    tiles_x = tl.cdiv(width, 8 * across)
    tiles = tiles_x * tl.cdiv(height, PIXELS // (8 * across))
    program = tl.program_id(0)
    tile = program % tiles
    column = (tile % tiles_x) * (8 * across) + n % 4 + 4 * ((n // 8) % 2) + 8 * ((n // 32) % across)
    row = (tile // tiles_x) * (PIXELS // (8 * across)) + (n // 4) % 2 + 2 * ((n // 16) % 2) + 4 * (n // (32 * across))
    return program // tiles, row, column


@triton.jit
def split(lane, CHUNKS: tl.constexpr, BLOCK: tl.constexpr, TOGETHER: tl.constexpr):
    """The pixel of the tile that a lane serves, and which part of its ray."""
    if TOGETHER:
        return (lane // (8 * CHUNKS)) * 8 + lane % 8, (lane // 8) % CHUNKS
    else:
        return lane % (BLOCK // CHUNKS), lane // (BLOCK // CHUNKS)


@triton.jit
def ray_of(rays, batch, row, column):
    """Source and direction of the pixel's ray in voxel coordinates, float64 (the source is one scalar per axis)."""
    ray = rays + batch * 12
    u = column.to(tl.float64) + 0.5
    v = row.to(tl.float64) + 0.5
    d_i = tl.load(ray + 3) + u * tl.load(ray + 6) + v * tl.load(ray + 9)
    d_j = tl.load(ray + 4) + u * tl.load(ray + 7) + v * tl.load(ray + 10)
    d_k = tl.load(ray + 5) + u * tl.load(ray + 8) + v * tl.load(ray + 11)
    return tl.load(ray), tl.load(ray + 1), tl.load(ray + 2), d_i, d_j, d_k


@triton.jit
def reciprocal(d):
    """1 / d, and 0 for 0."""
    moving = d != 0.0
    return tl.where(moving, 1.0 / tl.where(moving, d, 1.0), 0.0)


@triton.jit
def between(s, d, lower, upper):
    """The alphas at which a ray enters and leaves lower < x < upper on one axis."""
    moving = d != 0.0
    safe = tl.where(moving, d, 1.0)
    a = (lower - s) / safe
    b = (upper - s) / safe
    inside = (s > lower) & (s < upper)
    enter = tl.where(moving, tl.minimum(a, b), tl.where(inside, float("-inf"), float("inf")))
    leave = tl.where(moving, tl.maximum(a, b), tl.where(inside, float("inf"), float("-inf")))
    return enter, leave


@triton.jit
def clip(s_i, s_j, s_k, d_i, d_j, d_k, n_i, n_j, n_k, MARGIN: tl.constexpr):
    """The part of the ray inside -MARGIN < x < N - 1 + MARGIN: near, far, and the axes whose planes set them (3: none).

    far = near where the ray misses. An end at alpha 0 or 1 does not move with the ray, hence belongs to no axis.
    """
    enter_i, leave_i = between(s_i, d_i, -MARGIN, n_i.to(tl.float64) - 1.0 + MARGIN)
    enter_j, leave_j = between(s_j, d_j, -MARGIN, n_j.to(tl.float64) - 1.0 + MARGIN)
    enter_k, leave_k = between(s_k, d_k, -MARGIN, n_k.to(tl.float64) - 1.0 + MARGIN)
    enter = tl.maximum(enter_i, tl.maximum(enter_j, enter_k))
    leave = tl.minimum(leave_i, tl.minimum(leave_j, leave_k))
    first = tl.where(enter == enter_i, 0, tl.where(enter == enter_j, 1, 2))
    last = tl.where(leave == leave_i, 0, tl.where(leave == leave_j, 1, 2))
    near = tl.minimum(tl.maximum(enter, 0.0), 1.0)
    far = tl.maximum(tl.minimum(tl.maximum(leave, 0.0), 1.0), near)
    return near, far, tl.where(near == enter, first, 3), tl.where(far == leave, last, 3)


@triton.jit
def add_ends(g_s, g_d, d, near, far, d_near, d_far, first, last, AXIS: tl.constexpr):
    """Add what the moving ends of the ray contribute: d alpha / ds = -1 / d and d alpha / dd = -alpha / d on AXIS."""
    inverse = reciprocal(d.to(tl.float32))
    at_near = tl.where(first == AXIS, -d_near * inverse, 0.0)
    at_far = tl.where(last == AXIS, -d_far * inverse, 0.0)
    return g_s + at_near + at_far, g_d + near * at_near + far * at_far


@triton.jit
def join(value, CHUNKS: tl.constexpr, TOGETHER: tl.constexpr):
    """Sum the parts of each pixel's ray, in a fixed order."""
    pixels: tl.constexpr = value.shape[0] // CHUNKS
    if CHUNKS == 1:
        return value
    elif TOGETHER:
        return tl.reshape(tl.sum(tl.reshape(value, (pixels // 8, CHUNKS, 8)), axis=1), (pixels,))
    else:
        return tl.sum(tl.reshape(value, (CHUNKS, pixels)), axis=0)


@triton.jit
def store(out, plane, planes, value, height, width, CHUNKS: tl.constexpr, TOGETHER: tl.constexpr):
    """Join the parts and write them to plane `plane` of out (B, planes, H, W)."""
    pixels: tl.constexpr = value.shape[0] // CHUNKS
    batch, row, column = pixel_of(tl.arange(0, pixels), width, height, pixels)
    target = out + (batch.to(tl.int64) * planes + plane) * (height * width) + row * width + column
    tl.store(target, join(value, CHUNKS, TOGETHER), mask=(row < height) & (column < width))


@triton.jit
def store_six(out, s_i, s_j, s_k, d_i, d_j, d_k, height, width, CHUNKS: tl.constexpr, TOGETHER: tl.constexpr):
    """Write the derivatives with respect to source and direction to out (B, 6, H, W)."""
    store(out, 0, 6, s_i, height, width, CHUNKS, TOGETHER)
    store(out, 1, 6, s_j, height, width, CHUNKS, TOGETHER)
    store(out, 2, 6, s_k, height, width, CHUNKS, TOGETHER)
    store(out, 3, 6, d_i, height, width, CHUNKS, TOGETHER)
    store(out, 4, 6, d_j, height, width, CHUNKS, TOGETHER)
    store(out, 5, 6, d_k, height, width, CHUNKS, TOGETHER)


@triton.jit
def number(voxel):
    """A stored voxel as float32; 16-bit codes are added to the mantissa of 1.5 * 2**23, since conversions are slow."""
    if voxel.dtype == tl.int16:
        return (voxel.to(tl.int32) + 0x4B400000).to(tl.float32, bitcast=True) - 12582912.0
    else:
        return voxel.to(tl.float32)


@triton.jit
def weight_of(grad, label, pixels, channels, mine):
    """The upstream gradient of a label's channel, 0 for labels without a channel; grad points at the lane's pixel."""
    known = mine & (label >= 0) & (label < channels)
    return tl.load(grad + label.to(tl.int64) * pixels, mask=known, other=0.0)


@triton.jit
def tally(out, run, total, label, value, pixels, channels, mine):
    """Add value to its label's running sum, which goes to memory when the label changes; out is at the lane's pixel.

    A lane owns its pixel (CHUNKS is 1 here), so plain loads and stores add in ray order: no atomics, the same bits.
    """
    counts = mine & (label >= 0) & (label < channels) & (value != 0.0)
    change = counts & (label != run)
    flush(out, run, total, pixels, change & (total != 0.0))
    total = tl.where(change, 0.0, total) + tl.where(counts, value, 0.0)
    return tl.where(change, label, run), total


@triton.jit
def flush(out, run, total, pixels, mask):
    """Add a running sum to its channel."""
    slot = out + run.to(tl.int64) * pixels
    tl.store(slot, tl.load(slot, mask=mask, other=0.0) + total, mask=mask)
