"""Trilinear marching through several quantities at once: a stack of volumes that share every sample's place.

The stack lies in memory voxel by voxel, so that one load brings four quantities of a voxel, or two of a voxel and of
the next, and the weights of a sample serve them all: four materials cost little more than one, and two half of four.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from .bricks import meets
from .compile import kernel, relaxed_kernel
from .ray import TILE_COLUMNS, TILE_ROWS, clip, direction_of
from .trilinear import BLOCK, locate
from .voxel import SampleBlock, accumulators, fma, intrinsic, joined, load_four, load_two_fours

_I32, _I64 = ir.IntType(32), ir.IntType(64)
_MARGIN = 1e-3  # voxels, above the rounding of places in float32


@intrinsic
def dots_of_stacked_cells(typing, flat, start, index, corner, weights):
    """The sums over a block of four quantities interpolated trilinearly, from `start` on in each voxel.

    `corner` is the number of elements to the next voxel, row and slice; `index` counts voxels.
    """

    def codegen(context, builder, signature, arguments):
        block = SampleBlock(context, builder, signature, arguments)
        data, dtype = block.array(0).data, signature.args[0].dtype
        column, row, plane = cgutils.unpack_tuple(builder, arguments[3])
        (total,) = accumulators(builder, 1)
        count = builder.extract_value(block.array(2).shape, 0)

        def mix(first, second, weight_row, m):
            product = builder.fmul(first, block.weight(4, weight_row, m))
            return fma(builder, second, block.weight(4, weight_row + 1, m), product)

        def along_x(at, m):
            return mix(
                load_four(builder, data, at, dtype), load_four(builder, data, builder.add(at, column), dtype), 0, m
            )

        with cgutils.for_range(builder, count, intp=_I64) as loop:
            m = loop.index
            at = builder.add(arguments[1], builder.mul(block.offset(2, m), column))
            faces = []
            for corner_z in (at, builder.add(at, plane)):
                faces.append(mix(along_x(corner_z, m), along_x(builder.add(corner_z, row), m), 2, m))
            builder.store(builder.fadd(mix(faces[0], faces[1], 4, m), builder.load(total)), total)
        four = builder.load(total)
        lanes = [builder.extract_element(four, _I32(n)) for n in range(4)]
        return context.make_tuple(builder, signature.return_type, lanes)

    four = types.UniTuple(types.float32, 4)
    return four(flat, types.intp, index, corner, weights), codegen


@intrinsic
def dots_of_twin_cells(typing, flat, index, corner, weights):
    """The sums over a block of two quantities interpolated trilinearly, of voxels that hold these two alone.

    The arguments are those of `dots_of_stacked_cells`, `start` left out.
    """

    def codegen(context, builder, signature, arguments):
        block = SampleBlock(context, builder, signature, arguments)
        data, dtype = block.array(0).data, signature.args[0].dtype
        column, row, plane = cgutils.unpack_tuple(builder, arguments[2])
        total = cgutils.alloca_once_value(builder, ir.Constant(ir.VectorType(ir.FloatType(), 8), [0.0] * 8))
        count = builder.extract_value(block.array(1).shape, 0)
        with cgutils.for_range(builder, count, intp=_I64) as loop:
            m = loop.index
            at = builder.mul(block.offset(1, m), column)
            faces = [
                load_two_fours(builder, data, slice_at, builder.add(slice_at, row), dtype)
                for slice_at in (at, builder.add(at, plane))
            ]
            near, far = (block.weight(3, n, m, lanes=8) for n in (4, 5))
            face = fma(builder, faces[1], far, builder.fmul(faces[0], near))
            along_x = joined(builder, block.weight(3, 0, m), block.weight(3, 1, m), [0, 1, 4, 5, 0, 1, 4, 5])
            along_y = joined(builder, block.weight(3, 2, m), block.weight(3, 3, m), [0, 1, 2, 3, 4, 5, 6, 7])
            builder.store(fma(builder, face, builder.fmul(along_x, along_y), builder.load(total)), total)
        sums = builder.load(total)
        four = builder.fadd(joined(builder, sums, sums, [0, 1, 2, 3]), joined(builder, sums, sums, [4, 5, 6, 7]))
        lanes = [builder.extract_element(four, _I32(n)) for n in range(4)]
        pair = [builder.fadd(lanes[n], lanes[n + 2]) for n in range(2)]
        return context.make_tuple(builder, signature.return_type, pair)

    two = types.UniTuple(types.float32, 2)
    return two(flat, index, corner, weights), codegen


@intrinsic
def dots_of_inner_cells(typing, flat, index, corner, weights):
    """The same for samples that have all their voxels, with one weight per axis: of the farther voxel."""

    def codegen(context, builder, signature, arguments):
        block = SampleBlock(context, builder, signature, arguments)
        data, dtype = block.array(0).data, signature.args[0].dtype
        column, row, plane = cgutils.unpack_tuple(builder, arguments[2])
        totals = accumulators(builder, 2)  # of the nearer voxels, and of the steps from these to the farther
        count = builder.extract_value(block.array(1).shape, 0)

        def between(near, far, weight):
            return fma(builder, builder.fsub(far, near), weight, near)

        with cgutils.for_range(builder, count, intp=_I64) as loop:
            m = loop.index
            at = builder.mul(block.offset(1, m), column)
            lower, upper = (
                load_two_fours(builder, data, slice_at, builder.add(slice_at, row), dtype)
                for slice_at in (at, builder.add(at, plane))
            )
            face = between(lower, upper, block.weight(3, 2, m, lanes=8))
            near, far = (joined(builder, face, face, [n, n + 1, n + 2, n + 3]) for n in (0, 4))
            pair = between(near, far, block.weight(3, 1, m))
            builder.store(builder.fadd(pair, builder.load(totals[0])), totals[0])
            builder.store(fma(builder, pair, block.weight(3, 0, m), builder.load(totals[1])), totals[1])
        whole, part = (builder.load(total) for total in totals)
        four = builder.fadd(builder.fsub(whole, part), joined(builder, part, part, [2, 3, 0, 1]))
        pair = [builder.extract_element(four, _I32(n)) for n in range(2)]
        return context.make_tuple(builder, signature.return_type, pair)

    two = types.UniTuple(types.float32, 2)
    return two(flat, index, corner, weights), codegen


@relaxed_kernel
def locate_inside(point, step, strides, index, weights):
    """Cells of the samples point + m step, and where in them they lie: `locate` where no tent is cut off."""
    x0, y0, z0 = np.float32(point[0]), np.float32(point[1]), np.float32(point[2])
    dx, dy, dz = np.float32(step[0]), np.float32(step[1]), np.float32(step[2])
    row, plane = np.int32(strides[0]), np.int32(strides[1])
    for m in range(BLOCK):
        n = np.float32(np.int32(m))
        x, y, z = x0 + n * dx, y0 + n * dy, z0 + n * dz
        i, j, k = np.int32(x), np.int32(y), np.int32(z)
        weights[0, m], weights[1, m], weights[2, m] = x - np.float32(i), y - np.float32(j), z - np.float32(k)
        index[m] = np.int32(k * plane) + np.int32(j * row) + i


@kernel
def _is_inside(point, step, sizes):
    """Whether a whole block of samples lies so far inside the grid that rounding cannot take one out."""
    for axis in range(3):
        first, last = point[axis], point[axis] + (BLOCK - 1) * step[axis]
        if min(first, last) < _MARGIN or max(first, last) > sizes[axis] - 1 - _MARGIN:
            return False
    return True


@kernel
def march_tiles(flat, sizes, row, plane, filled, rays, samples, image, first, last):
    """Render tiles first..last of (B, C, H, W) `image`, C two or a multiple of four; row and plane count voxels.

    Blocks of samples in bricks that are not `filled` would add zeros, and are left out.
    """
    _, channels, height, width = image.shape
    tiles_x, tiles_y = -(-width // TILE_COLUMNS), -(-height // TILE_ROWS)
    lower, upper = (-1.0, -1.0, -1.0), (float(sizes[0]), float(sizes[1]), float(sizes[2]))
    corner = (channels, row * channels, plane * channels)
    index = np.empty(BLOCK, np.int32)
    weights = np.empty((6, BLOCK), np.float32)
    begin = np.empty((TILE_ROWS * TILE_COLUMNS, 7))  # first sample, step, and the step in alpha
    sums = np.empty((TILE_ROWS * TILE_COLUMNS, channels))
    for tile in range(first, last):
        view = tile // (tiles_x * tiles_y)
        top, left = tile // tiles_x % tiles_y * TILE_ROWS, tile % tiles_x * TILE_COLUMNS
        ray = rays[view]
        source = (ray[0, 0], ray[0, 1], ray[0, 2])
        rows, columns = min(TILE_ROWS, height - top), min(TILE_COLUMNS, width - left)
        for n in range(rows * columns):
            direction = direction_of(ray, left + n % columns, top + n // columns)
            near, far, _, _ = clip(source, direction, lower, upper)
            step = (far - near) / samples
            for axis in range(3):
                begin[n, axis] = source[axis] + (near + 0.5 * step) * direction[axis]
                begin[n, 3 + axis] = step * direction[axis]
            begin[n, 6] = step
            sums[n] = 0.0
        for m in range(0, samples, BLOCK):
            count = min(BLOCK, samples - m)
            for n in range(rows * columns):
                b = begin[n]
                if b[6] == 0.0:
                    continue
                point, step = (b[0] + m * b[3], b[1] + m * b[4], b[2] + m * b[5]), (b[3], b[4], b[5])
                if not meets(filled, point, step, count):
                    continue
                if channels == 2:
                    if count == BLOCK and _is_inside(point, step, sizes):
                        locate_inside(point, step, (row, plane), index, weights)
                        two = dots_of_inner_cells(flat, index, corner, weights)
                    else:
                        locate(point, step, count, sizes, (row, plane), index, weights)
                        two = dots_of_twin_cells(flat, index, corner, weights)
                    sums[n, 0] += two[0]
                    sums[n, 1] += two[1]
                    continue
                locate(point, step, count, sizes, (row, plane), index, weights)
                for group in range(0, channels, 4):
                    four = dots_of_stacked_cells(flat, group, index, corner, weights)
                    for lane in range(4):
                        sums[n, group + lane] += four[lane]
        for n in range(rows * columns):
            x, y = left + n % columns, top + n // columns
            for channel in range(channels):
                image[view, channel, y, x] = sums[n, channel] * begin[n, 6]
