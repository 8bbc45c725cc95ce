"""Joseph's method in every role: one bilinear sample per slice across the ray's dominant axis."""

from __future__ import annotations

import numpy as np

from .compile import kernel, relaxed_kernel
from .ray import TILE_COLUMNS, TILE_ROWS, clip, direction_of
from .voxel import dot_of_pairs, dot_of_voxels, fetch_cell, value_at

BLOCK = 32  # slices located at once
_ZERO, _ONE = np.float32(0), np.float32(1)


@kernel
def _order(direction):
    """The dominant axis, then the two across it with the smaller stride first."""
    x, y, z = abs(direction[0]), abs(direction[1]), abs(direction[2])
    if x >= y and x >= z:
        return 0, 1, 2
    return (1, 0, 2) if y >= z else (2, 0, 1)


@relaxed_kernel
def _locate(at, slope, size, stride, low, high, index, weights):
    """Faces and weights of BLOCK slices of which low <= m < high count; the weights of the others are zero.

    Faces are clamped into the grid, where tents max(0, 1 - |x - v|) of voxels out of reach are zero, so no slice needs
    a bounds check. `stride` is that of the dominant axis and of the two across it; `index` starts at the block.
    """
    high_b, high_c = max(np.float32(size[0] - 2), _ZERO), max(np.float32(size[1] - 2), _ZERO)
    b0, c0, db, dc = np.float32(at[0]), np.float32(at[1]), np.float32(slope[0]), np.float32(slope[1])
    step, stride_b, stride_c = np.int32(stride[0]), np.int32(stride[1]), np.int32(stride[2])
    low, high = np.int32(low), np.int32(high)
    for m in range(BLOCK):
        n = np.int32(m)
        inside = np.int32(1) if n >= low and n < high else np.int32(0)
        b, c = b0 + np.float32(n) * db, c0 + np.float32(n) * dc
        i, j = np.int32(min(max(b, _ZERO), high_b)), np.int32(min(max(c, _ZERO), high_c))
        b, c = b - np.float32(i), c - np.float32(j)
        weights[0, m], weights[1, m] = max(_ZERO, _ONE - abs(b)), max(_ZERO, _ONE - abs(b - _ONE))
        weights[2, m] = np.float32(inside) * max(_ZERO, _ONE - abs(c))
        weights[3, m] = np.float32(inside) * max(_ZERO, _ONE - abs(c - _ONE))
        index[m] = inside * (np.int32(n * step) + np.int32(i * stride_b) + np.int32(j * stride_c))


@relaxed_kernel
def _fetch_ahead(flat, start, at, slope, size, stride):
    """Request the faces of the ray's next block: along a row of voxels they are too few to keep memory busy."""
    high_b, high_c = max(np.float32(size[0] - 2), _ZERO), max(np.float32(size[1] - 2), _ZERO)
    for half in range(2):
        ahead = half * (BLOCK // 2)
        n = np.float32(BLOCK + ahead)
        i = np.intp(min(max(np.float32(at[0]) + n * np.float32(slope[0]), _ZERO), high_b))
        j = np.intp(min(max(np.float32(at[1]) + n * np.float32(slope[1]), _ZERO), high_c))
        fetch_cell(flat, start + ahead * stride[0] + i * stride[1] + j * stride[2], (stride[1], stride[2]))


@kernel
def _slices(source, direction, a, sizes):
    """The slices first <= n < last of axis a that the ray meets within reach of the grid."""
    lower, upper = (-1.0, -1.0, -1.0), (float(sizes[0]), float(sizes[1]), float(sizes[2]))
    near, far, _, _ = clip(source, direction, lower, upper)
    if far <= near:
        return 0, 0
    begin, end = source[a] + near * direction[a], source[a] + far * direction[a]
    first = max(int(np.ceil(min(begin, end) - 1e-6)), 0)
    return first, max(first, min(int(np.floor(max(begin, end) + 1e-6)), sizes[a] - 1) + 1)


@kernel
def march_tiles(flat, sizes, row, plane, rays, image, first, last):
    """Render tiles first..last of (B, 1, H, W) `image`: rays side by side advance together, to share cache lines."""
    _, _, height, width = image.shape
    tiles_x, tiles_y = -(-width // TILE_COLUMNS), -(-height // TILE_ROWS)
    strides = (1, row, plane)
    index = np.empty(BLOCK, np.int32)
    weights = np.empty((4, BLOCK), np.float32)
    span = np.empty((TILE_ROWS * TILE_COLUMNS, 2), np.int64)
    total = np.empty(TILE_ROWS * TILE_COLUMNS, np.float32)
    for tile in range(first, last):
        view = tile // (tiles_x * tiles_y)
        top, left = tile // tiles_x % tiles_y * TILE_ROWS, tile % tiles_x * TILE_COLUMNS
        ray = rays[view]
        source = (ray[0, 0], ray[0, 1], ray[0, 2])
        rows, columns = min(TILE_ROWS, height - top), min(TILE_COLUMNS, width - left)
        begin, end = max(sizes[0], max(sizes[1], sizes[2])), 0
        for n in range(rows * columns):
            direction = direction_of(ray, left + n % columns, top + n // columns)
            span[n] = _slices(source, direction, _order(direction)[0], sizes)
            total[n] = 0
            if span[n, 1] > span[n, 0]:
                begin, end = min(begin, span[n, 0]), max(end, span[n, 1])
        for block in range(begin // BLOCK * BLOCK, end, BLOCK):
            for n in range(rows * columns):
                low, high = max(span[n, 0], block) - block, min(span[n, 1], block + BLOCK) - block
                if high <= low:
                    continue
                direction = direction_of(ray, left + n % columns, top + n // columns)
                a, b, c = _order(direction)
                slope_b, slope_c = direction[b] / direction[a], direction[c] / direction[a]
                ahead = block - source[a]
                at = (source[b] + ahead * slope_b, source[c] + ahead * slope_c)
                stride = (strides[a], strides[b], strides[c])
                if strides[a] == 1:
                    _fetch_ahead(
                        flat, (block + BLOCK) * strides[a], at, (slope_b, slope_c), (sizes[b], sizes[c]), stride
                    )
                _locate(at, (slope_b, slope_c), (sizes[b], sizes[c]), stride, low, high, index, weights)
                start = flat[block * strides[a] :]
                if strides[b] == 1:
                    total[n] += dot_of_pairs(start, index, (strides[b], strides[c]), weights)
                else:
                    total[n] += dot_of_voxels(start, index, (strides[b], strides[c]), weights)
        for n in range(rows * columns):
            x, y = left + n % columns, top + n // columns
            direction = direction_of(ray, x, y)
            image[view, 0, y, x] = total[n] / abs(direction[_order(direction)[0]])


@kernel
def _corner(cell, size, fraction, upper):
    """Index, weight and slope of the lower or upper neighbour on one axis; weight 0 outside the grid."""
    index = cell + upper
    if index < 0 or index >= size:
        return 0, np.float32(0), np.float32(0)
    return (index, fraction, np.float32(1)) if upper else (index, np.float32(1) - fraction, np.float32(-1))


@kernel
def march_pixels(flat, labels, soft, grad, rays, image, jacobian, target, sizes, row, plane, layers, frame, pixels):
    """Render pixels[0] .. pixels[1]; the roles are those of siddon.march_pixels, `layers` restricts `target` only."""
    height, width = frame
    strides = (1, row, plane)
    for pixel in range(pixels[0], pixels[1]):
        view, y, x = pixel // (height * width), pixel // width % height, pixel % width
        ray = rays[view]
        source = (ray[0, 0], ray[0, 1], ray[0, 2])
        direction = direction_of(ray, x, y)
        a, b, c = _order(direction)
        lower, upper = [-1.0, -1.0, -1.0], [float(sizes[0]), float(sizes[1]), float(sizes[2])]
        if target is not None:
            lower[2], upper[2] = layers[0] - 1.0, float(layers[1])
        near, far, _, _ = clip(source, direction, (lower[0], lower[1], lower[2]), (upper[0], upper[1], upper[2]))
        if far <= near:
            continue
        from_, to = source[a] + near * direction[a], source[a] + far * direction[a]
        first = max(int(np.ceil(min(from_, to) - 1e-6)), 0)
        last = min(int(np.floor(max(from_, to) + 1e-6)), sizes[a] - 1)
        slope_b, slope_c = direction[b] / direction[a], direction[c] / direction[a]
        weight = 1.0 / abs(direction[a])
        total = np.float32(0)
        sum_b = sum_c = late_b = late_c = 0.0
        held, run = -1, 0.0
        for n in range(first, last + 1):
            alpha = (n - source[a]) / direction[a]
            at_b, at_c = source[b] + (n - source[a]) * slope_b, source[c] + (n - source[a]) * slope_c
            cell_b, cell_c = int(np.floor(at_b)), int(np.floor(at_c))
            part_b, part_c = np.float32(at_b - cell_b), np.float32(at_c - cell_c)
            channel = 0
            if labels is not None and not soft:
                nearest_b, nearest_c = cell_b + (part_b >= 0.5), cell_c + (part_c >= 0.5)
                if 0 <= nearest_b < sizes[b] and 0 <= nearest_c < sizes[c]:
                    channel = int(labels[n * strides[a] + nearest_b * strides[b] + nearest_c * strides[c]])
            for corner in range(4):
                index_b, weight_b, sign_b = _corner(cell_b, sizes[b], part_b, corner & 1)
                index_c, weight_c, sign_c = _corner(cell_c, sizes[c], part_c, corner >> 1)
                offset = n * strides[a] + index_b * strides[b] + index_c * strides[c]
                if labels is not None and soft:
                    channel = int(labels[offset])
                value = np.float32(1)
                if flat is not None:
                    value = value_at(flat, offset)
                if grad is not None:
                    value *= grad[view, channel, y, x]
                share = weight_b * weight_c * value
                if target is not None:
                    k = n if a == 2 else index_c
                    if layers[0] <= k < layers[1]:
                        j = n if a == 1 else (index_b if a == 0 else index_c)
                        i = n if a == 0 else index_b
                        target[k, j, i] += np.float32(share * weight)
                total += share
                if labels is not None and image is not None:
                    if channel != held:
                        if held >= 0:
                            image[view, held, y, x] += np.float32(run)
                        held, run = channel, 0.0
                    run += share * weight
                if jacobian is not None:
                    slope = sign_b * weight_c * value
                    sum_b += slope
                    late_b += alpha * slope
                    slope = weight_b * sign_c * value
                    sum_c += slope
                    late_c += alpha * slope
        if labels is not None and image is not None and held >= 0:
            image[view, held, y, x] += np.float32(run)
        if labels is None and image is not None:
            image[view, 0, y, x] = np.float32(total * weight)
        if jacobian is not None:
            forward = (sum_b * direction[b] + sum_c * direction[c]) / direction[a]
            later = (late_b * direction[b] + late_c * direction[c]) / direction[a]
            jacobian[view, b, y, x] = sum_b * weight
            jacobian[view, c, y, x] = sum_c * weight
            jacobian[view, a, y, x] = -forward * weight
            jacobian[view, 3 + b, y, x] = late_b * weight
            jacobian[view, 3 + c, y, x] = late_c * weight
            jacobian[view, 3 + a, y, x] = -later * weight - total * weight / direction[a]
