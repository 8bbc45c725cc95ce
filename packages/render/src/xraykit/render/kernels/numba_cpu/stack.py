"""Trilinear marching through several quantities at once: a stack of volumes that share every sample's place.

The stack lies in memory voxel by voxel, four quantities to a group, so that one load brings all of a voxel and the
weights of a sample serve them all: four materials cost little more than one.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from .bricks import meets
from .compile import kernel
from .ray import TILE_COLUMNS, TILE_ROWS, clip, direction_of
from .trilinear import BLOCK, locate
from .voxel import SampleBlock, accumulators, fma, intrinsic, load_four

_I32, _I64 = ir.IntType(32), ir.IntType(64)


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


@kernel
def march_tiles(flat, sizes, row, plane, filled, rays, samples, image, first, last):
    """Render tiles first..last of (B, C, H, W) `image`, C a multiple of four; row and plane count voxels.

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
                locate(point, step, count, sizes, (row, plane), index, weights)
                for group in range(0, channels, 4):
                    four = dots_of_stacked_cells(flat, group, index, corner, weights)
                    for lane in range(4):
                        sums[n, group + lane] += four[lane]
        for n in range(rows * columns):
            x, y = left + n % columns, top + n // columns
            for channel in range(channels):
                image[view, channel, y, x] = sums[n, channel] * begin[n, 6]
