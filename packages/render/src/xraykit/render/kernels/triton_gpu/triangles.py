"""Signed depth of closed meshes per pixel, its gradient, and lists of hits, on CUDA.

The arithmetic is that of projectors/triangles.py, operation for operation in float64 and without fused multiply-adds:
the image has the same bits. A warp serves one triangle in one view: it walks the triangle's section in groups of ROWS
rows, and in each group the columns between the section's ends. Where triangles are few, their rows are shared out among
several warps; sums in fixed point do not mind.
"""

# constexpr parameters and names hold plain values, which the type checker cannot know.
# pyright: reportArgumentType=false, reportGeneralTypeIssues=false
from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from ...errors import InputError
from ...projectors.fixed_point import steps_of

TILE = {"ROWS": 8, "COLUMNS": 8}  # pixels that a warp looks at together: two per lane
COMPILER = {"num_warps": 1, "enable_fp_fusion": False}
_RUNTIME = ["n_points", "n_faces", "meshes", "height", "width", "strips", "hits"]
_ENOUGH_WARPS = 4096


def depth(
    points: Tensor, faces: Tensor, mesh: Tensor, across: Tensor, down: Tensor, far: Tensor, meshes: int
) -> Tensor:
    """Sum of sign * min(z, far) over the hits of each pixel and mesh [mm], (B, meshes, H, W) float64.

    Arguments as in numba_cpu/triangles.py.
    """
    steps = steps_of(far)
    total = points.new_zeros((len(points), meshes, down.shape[1], across.shape[1]), dtype=torch.int64)
    _launch(depth_kernel, points, faces, across, down, mesh, far, steps, total, meshes=meshes)
    return total.to(torch.float64).mul_(steps[:, None, None, None])


def depth_gradient(
    grad: Tensor, points: Tensor, faces: Tensor, mesh: Tensor, across: Tensor, down: Tensor, far: Tensor
) -> Tensor:
    """The gradient of sum(grad * depth) with respect to each face's corners, (B, F, 3, 3) float64."""
    shares = points.new_zeros((len(points), _strips(faces, down), len(faces), 3))
    _launch(corner_kernel, points, faces, across, down, mesh, far, grad, shares, meshes=grad.shape[1])
    a, b, c = points.detach()[:, faces].unbind(dim=2)
    return shares.sum(dim=1)[..., None] * torch.linalg.cross(b - a, c - a)[:, :, None]


def ray_gradient(
    grad: Tensor, points: Tensor, faces: Tensor, mesh: Tensor, across: Tensor, down: Tensor, far: Tensor
) -> Tensor:
    """The gradient of sum(grad * depth) with respect to each pixel's (across, down, far), (B, 3, H, W) float64.

    Raises:
        InputError: Deterministic algorithms are asked for; atomics add in any order.
    """
    if torch.are_deterministic_algorithms_enabled() and not torch.is_deterministic_algorithms_warn_only_enabled():
        raise InputError(
            "the gradient of mesh thickness with respect to intrinsics must be deterministic "
            "(torch.use_deterministic_algorithms), got backend='triton', which adds with atomics; use backend='torch'."
        )
    result = points.new_zeros((len(points), 3, down.shape[1], across.shape[1]))
    _launch(ray_kernel, points, faces, across, down, mesh, far, grad, result, meshes=grad.shape[1])
    return result


def find_hits(points: Tensor, faces: Tensor, across: Tensor, down: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Row, column, face and sign of every hit of one view, as `projectors.triangles.find_hits`; one wait for CUDA."""
    points, across, down = points[None], across[None], down[None]
    count = torch.zeros(_strips(faces, down) * len(faces), dtype=torch.int64, device=points.device)
    _launch(hit_kernel, points, faces, across, down, count, count, hits=0, LIST=False)
    end = count.cumsum(0)
    found = torch.empty((4, int(end[-1])), dtype=torch.int64, device=points.device)
    _launch(hit_kernel, points, faces, across, down, end - count, found, hits=found.shape[1], LIST=True)
    row, column, face, sign = found.unbind()
    return row, column, face, sign.to(torch.float64)


def _strips(faces: Tensor, down: Tensor) -> int:
    """How many warps share a triangle's rows: a matter of mesh and image alone, never of the batch."""
    return max(1, min(triton.cdiv(down.shape[1], TILE["ROWS"]), _ENOUGH_WARPS // len(faces)))


def _launch(
    kernel: Any, points: Tensor, faces: Tensor, across: Tensor, down: Tensor, *tensors: Tensor, **options: int
) -> None:
    """Run a kernel on every triangle, strip and view; `tensors` follow points, faces, across and down."""
    strips = _strips(faces, down)
    blocks = (len(points) * strips * len(faces),)
    if not blocks[0]:
        return
    plain = (tensor.detach().contiguous() for tensor in (points, faces, across, down, *tensors))
    sizes = {"n_points": points.shape[1], "n_faces": len(faces), "height": down.shape[1], "width": across.shape[1]}
    with torch.cuda.device_of(points):
        kernel[blocks](*plain, **sizes, strips=strips, **options, **TILE, **COMPILER)


@triton.jit
def corners_of(points, faces, n_points, n_faces, strips):
    """View, strip and face of this program, and the face's corners (x, y, z)."""
    program = tl.program_id(0)
    face = program % n_faces
    strip = (program // n_faces) % strips
    view = (program // n_faces // strips).to(tl.int64)
    first = points + view * n_points * 3
    a = first + tl.load(faces + face * 3) * 3
    b = first + tl.load(faces + face * 3 + 1) * 3
    c = first + tl.load(faces + face * 3 + 2) * 3
    return (
        (view, strip, face),
        (tl.load(a), tl.load(a + 1), tl.load(a + 2)),
        (tl.load(b), tl.load(b + 1), tl.load(b + 2)),
        (tl.load(c), tl.load(c + 1), tl.load(c + 2)),
    )


@triton.jit
def normal_of(a, b, c):
    """The normal of a triangle, as long as twice its area."""
    u_x = b[0] - a[0]
    u_y = b[1] - a[1]
    u_z = b[2] - a[2]
    v_x = c[0] - a[0]
    v_y = c[1] - a[1]
    v_z = c[2] - a[2]
    return u_y * v_z - u_z * v_y, u_z * v_x - u_x * v_z, u_x * v_y - u_y * v_x


@triton.jit
def over(x, z):
    """x / z in front of the source, 0 elsewhere."""
    return tl.where(z > 0.0, x / tl.where(z > 0.0, z, 1.0), 0.0)


@triton.jit
def pixel_range(low, high, slopes, count):
    """Pixels whose slope may lie in [low, high], with one to spare on both sides."""
    start = tl.load(slopes)
    pitch = tl.where(count > 1, tl.load(slopes + tl.minimum(count - 1, 1)) - start, 1.0)
    size = count.to(tl.float64)
    first = tl.minimum(tl.maximum((low - start) / pitch - 1.0, 0.0), size)
    last = tl.minimum(tl.maximum((high - start) / pitch + 2.0, 0.0), size)
    return first.to(tl.int32), tl.ceil(last).to(tl.int32)


@triton.jit
def row_range(a, b, c, down, height):
    """The image rows first <= r < last that may cut a triangle; none for one behind the source."""
    at_a = over(a[1], a[2])
    at_b = over(b[1], b[2])
    at_c = over(c[1], c[2])
    first, last = pixel_range(
        tl.minimum(at_a, tl.minimum(at_b, at_c)), tl.maximum(at_a, tl.maximum(at_b, at_c)), down, height
    )
    nearest = tl.minimum(a[2], tl.minimum(b[2], c[2]))
    farthest = tl.maximum(a[2], tl.maximum(b[2], c[2]))
    first = tl.where(nearest > 0.0, first, 0)
    return first, tl.where(nearest > 0.0, last, tl.where(farthest > 0.0, height, 0))


@triton.jit
def pick(n, a, b, c):
    """The n-th of three."""
    return tl.where(n == 0, a, tl.where(n == 1, b, c))


@triton.jit
def crossing(cut, above, above_x, above_z, below, below_x, below_z):
    """Where the edge from `above` (height > 0) to `below` meets the plane y = down z: t, x, z."""
    t = above / tl.where(cut, above - below, 1.0)
    return t, above_x + t * (below_x - above_x), above_z + t * (below_z - above_z)


@triton.jit
def section(a, b, c, y, inside):
    """The section of a triangle by each row's plane: (whether there is one, edges of P and Q), then P and Q (t, x, z).

    Edge n runs from corner n to corner n + 1. Going round, the edge of P leaves the positive side of the plane, that of
    Q returns to it.
    """
    h_a = a[1] - y * a[2]
    h_b = b[1] - y * b[2]
    h_c = c[1] - y * c[2]
    up_a = h_a > 0.0
    up_b = h_b > 0.0
    up_c = h_c > 0.0
    cut = inside & ((up_a != up_b) | (up_b != up_c))
    p = tl.where(up_a & (up_a != up_b), 0, tl.where(up_b & (up_b != up_c), 1, 2))
    q = tl.where(up_b & (up_a != up_b), 0, tl.where(up_c & (up_b != up_c), 1, 2))
    p_end = crossing(
        cut,
        pick(p, h_a, h_b, h_c),
        pick(p, a[0], b[0], c[0]),
        pick(p, a[2], b[2], c[2]),
        pick(p, h_b, h_c, h_a),
        pick(p, b[0], c[0], a[0]),
        pick(p, b[2], c[2], a[2]),
    )
    q_end = crossing(
        cut,
        pick(q, h_b, h_c, h_a),
        pick(q, b[0], c[0], a[0]),
        pick(q, b[2], c[2], a[2]),
        pick(q, h_a, h_b, h_c),
        pick(q, a[0], b[0], c[0]),
        pick(q, a[2], b[2], c[2]),
    )
    return (cut, p, q), p_end, q_end


@triton.jit
def column_range(cut, p, q, across, width):
    """The columns first <= c < last that may meet one of the sections."""
    at_p = over(p[1], p[2])
    at_q = over(q[1], q[2])
    first, last = pixel_range(tl.minimum(at_p, at_q), tl.maximum(at_p, at_q), across, width)
    in_front = tl.minimum(p[2], q[2]) > 0.0
    seen = cut & (tl.maximum(p[2], q[2]) > 0.0)
    first = tl.min(tl.where(seen, tl.where(in_front, first, 0), width))
    return first, tl.max(tl.where(seen, tl.where(in_front, last, width), 0))


@triton.jit
def meet(cut, p, q, x, inside):
    """Which rays of a tile meet their row's section, which of them leave the solid, s along PQ, and z."""
    at_p = p[1][:, None] - x * p[2][:, None]
    at_q = q[1][:, None] - x * q[2][:, None]
    leaves = at_q > 0.0
    hit = cut[:, None] & inside & ((at_p > 0.0) != leaves)
    s = at_p / tl.where(hit, at_p - at_q, 1.0)
    return hit, leaves, s, p[2][:, None] + s * (q[2] - p[2])[:, None]


@triton.jit(do_not_specialize=_RUNTIME)
def depth_kernel(
    points,
    faces,
    across,
    down,
    owner,
    far,
    steps,
    total,
    n_points,
    n_faces,
    meshes,
    height,
    width,
    strips,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Add sign * clamp(z, 0, far), in whole steps, to the pixels of the face's mesh."""
    who, a, b, c = corners_of(points, faces, n_points, n_faces, strips)
    view, strip, face = who
    across += view * width
    down += view * height
    end = tl.load(far + view)
    scale = 1.0 / tl.load(steps + view)
    image = total + (view * meshes + tl.load(owner + face)) * height * width
    first, last = row_range(a, b, c, down, height)
    for top in range(first + strip * ROWS, last, strips * ROWS):
        row = top + tl.arange(0, ROWS)
        y = tl.load(down + row, mask=row < last, other=0.0)
        edges, p, q = section(a, b, c, y, row < last)
        begin, stop = column_range(edges[0], p, q, across, width)
        for left in range(begin, stop, COLUMNS):
            column = (left + tl.arange(0, COLUMNS))[None, :]
            x = tl.load(across + column, mask=column < stop, other=0.0)
            hit, leaves, _, z = meet(edges[0], p, q, x, column < stop)
            # Below 2^53 a double has whole numbers alone: adding 2^52 rounds to the nearest, ties to even.
            count = (tl.minimum(tl.maximum(z, 0.0), end) * scale + 4503599627370496.0) - 4503599627370496.0
            count = count.to(tl.int64)
            tl.atomic_add(
                image + row[:, None] * width + column, tl.where(leaves, count, -count), mask=hit, sem="relaxed"
            )


@triton.jit(do_not_specialize=_RUNTIME)
def corner_kernel(
    points,
    faces,
    across,
    down,
    owner,
    far,
    grad,
    shares,
    n_points,
    n_faces,
    meshes,
    height,
    width,
    strips,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """How far sum(grad * depth) moves with each corner along the normal n: dz / d vertex_i = lambda_i n / (n . d)."""
    who, a, b, c = corners_of(points, faces, n_points, n_faces, strips)
    view, strip, face = who
    across += view * width
    down += view * height
    end = tl.load(far + view)
    weights = grad + (view * meshes + tl.load(owner + face)) * height * width
    n_x, n_y, n_z = normal_of(a, b, c)
    share_a = tl.zeros([ROWS], dtype=tl.float64)
    share_b = tl.zeros([ROWS], dtype=tl.float64)
    share_c = tl.zeros([ROWS], dtype=tl.float64)
    first, last = row_range(a, b, c, down, height)
    for top in range(first + strip * ROWS, last, strips * ROWS):
        row = top + tl.arange(0, ROWS)
        y = tl.load(down + row, mask=row < last, other=0.0)
        edges, p, q = section(a, b, c, y, row < last)
        at_p = tl.zeros([ROWS, COLUMNS], dtype=tl.float64)
        at_q = tl.zeros([ROWS, COLUMNS], dtype=tl.float64)
        begin, stop = column_range(edges[0], p, q, across, width)
        for left in range(begin, stop, COLUMNS):
            column = (left + tl.arange(0, COLUMNS))[None, :]
            x = tl.load(across + column, mask=column < stop, other=0.0)
            hit, leaves, s, z = meet(edges[0], p, q, x, column < stop)
            facing = n_x * x + n_y * y[:, None] + n_z
            moves = hit & (facing != 0.0) & (z > 0.0) & (z < end)
            given = tl.load(weights + row[:, None] * width + column, mask=moves, other=0.0)
            given = tl.where(leaves, given, -given) / tl.where(moves, facing, 1.0)
            at_p += given * (1.0 - s)
            at_q += given * s
        on_p = tl.sum(at_p, axis=1)
        on_q = tl.sum(at_q, axis=1)
        # P lies between corners p and p + 1, t of the way; Q between q + 1 and q.
        p_one = on_p * (1.0 - p[0])
        p_two = on_p * p[0]
        q_one = on_q * q[0]
        q_two = on_q * (1.0 - q[0])
        share_a += pick(edges[1], p_one, 0.0, p_two) + pick(edges[2], q_one, 0.0, q_two)
        share_b += pick(edges[1], p_two, p_one, 0.0) + pick(edges[2], q_two, q_one, 0.0)
        share_c += pick(edges[1], 0.0, p_two, p_one) + pick(edges[2], 0.0, q_two, q_one)
    slot = shares + ((view * strips + strip) * n_faces + face) * 3
    tl.store(slot, tl.sum(share_a))
    tl.store(slot + 1, tl.sum(share_b))
    tl.store(slot + 2, tl.sum(share_c))


@triton.jit(do_not_specialize=_RUNTIME)
def ray_kernel(
    points,
    faces,
    across,
    down,
    owner,
    far,
    grad,
    result,
    n_points,
    n_faces,
    meshes,
    height,
    width,
    strips,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """dz / d across = -z n_x / (n . d), dz / d down = -z n_y / (n . d); a hit behind the detector moves with far."""
    who, a, b, c = corners_of(points, faces, n_points, n_faces, strips)
    view, strip, face = who
    across += view * width
    down += view * height
    end = tl.load(far + view)
    weights = grad + (view * meshes + tl.load(owner + face)) * height * width
    n_x, n_y, n_z = normal_of(a, b, c)
    first, last = row_range(a, b, c, down, height)
    for top in range(first + strip * ROWS, last, strips * ROWS):
        row = top + tl.arange(0, ROWS)
        y = tl.load(down + row, mask=row < last, other=0.0)
        edges, p, q = section(a, b, c, y, row < last)
        begin, stop = column_range(edges[0], p, q, across, width)
        for left in range(begin, stop, COLUMNS):
            column = (left + tl.arange(0, COLUMNS))[None, :]
            x = tl.load(across + column, mask=column < stop, other=0.0)
            hit, leaves, _, z = meet(edges[0], p, q, x, column < stop)
            facing = n_x * x + n_y * y[:, None] + n_z
            moves = hit & (facing != 0.0) & (z > 0.0) & (z < end)
            pixel = row[:, None] * width + column
            given = tl.load(weights + pixel, mask=hit, other=0.0)
            given = tl.where(leaves, given, -given)
            pull = given * z / tl.where(moves, facing, 1.0)
            slot = result + view * 3 * height * width + pixel
            tl.atomic_add(slot, -pull * n_x, mask=moves, sem="relaxed")
            tl.atomic_add(slot + height * width, -pull * n_y, mask=moves, sem="relaxed")
            tl.atomic_add(slot + 2 * height * width, given, mask=hit & (z >= end), sem="relaxed")


@triton.jit(do_not_specialize=_RUNTIME)
def hit_kernel(
    points,
    faces,
    across,
    down,
    place,
    found,
    n_points,
    n_faces,
    height,
    width,
    strips,
    hits,
    LIST: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Count this program's hits in front of the source into place or, with LIST, write them to found from place on.

    found is (4, hits): row, column, face, sign.
    """
    who, a, b, c = corners_of(points, faces, n_points, n_faces, strips)
    strip = who[1]
    face = who[2]
    slot = strip * n_faces + face
    at = tl.load(place + slot)
    first, last = row_range(a, b, c, down, height)
    for top in range(first + strip * ROWS, last, strips * ROWS):
        row = top + tl.arange(0, ROWS)
        y = tl.load(down + row, mask=row < last, other=0.0)
        edges, p, q = section(a, b, c, y, row < last)
        begin, stop = column_range(edges[0], p, q, across, width)
        for left in range(begin, stop, COLUMNS):
            column = (left + tl.arange(0, COLUMNS))[None, :]
            x = tl.load(across + column, mask=column < stop, other=0.0)
            hit, leaves, _, z = meet(edges[0], p, q, x, column < stop)
            hit = hit & (z > 0.0)
            one = hit.to(tl.int64)
            in_row = tl.sum(one, axis=1)
            if LIST:
                rank = tl.cumsum(one, axis=1) - one + (tl.cumsum(in_row, axis=0) - in_row)[:, None]
                target = found + at + rank
                tl.store(target, (row[:, None] + tl.zeros_like(column)).to(tl.int64), mask=hit)
                tl.store(target + hits, (column + tl.zeros_like(row)[:, None]).to(tl.int64), mask=hit)
                tl.store(target + 2 * hits, face.to(tl.int64) + tl.zeros_like(one), mask=hit)
                tl.store(target + 3 * hits, tl.where(leaves, 1, -1).to(tl.int64), mask=hit)
            at += tl.sum(in_row)
    if not LIST:
        tl.store(place + slot, at)
