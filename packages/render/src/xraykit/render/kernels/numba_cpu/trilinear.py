"""Trilinear marching for images and pose gradients: tiles of rays, blocks of samples, cells in vector registers."""

from __future__ import annotations

import numpy as np

from .compile import kernel, relaxed_kernel
from .ray import TILE_COLUMNS, TILE_ROWS, clip, direction_of, motion_of_bound
from .voxel import dot_of_cells, dots_of_slopes, fetch_cell

BLOCK = 32  # samples located at once
_ZERO, _ONE = np.float32(0), np.float32(1)


@relaxed_kernel
def locate(point, step, count, sizes, strides, index, weights):
    """Cells and tent weights max(0, 1 - |x - v|) of the samples point + m step, m < count; zero weight from there on.

    The cell is clamped into the grid, where the tents of voxels out of reach are zero: no sample needs a bounds check.
    """
    high_x, high_y, high_z = _last_cell(sizes[0]), _last_cell(sizes[1]), _last_cell(sizes[2])
    x0, y0, z0 = np.float32(point[0]), np.float32(point[1]), np.float32(point[2])
    dx, dy, dz = np.float32(step[0]), np.float32(step[1]), np.float32(step[2])
    row, plane, end = np.int32(strides[0]), np.int32(strides[1]), np.int32(count)
    for m in range(BLOCK):
        n = np.float32(np.int32(m))
        x, y, z = x0 + n * dx, y0 + n * dy, z0 + n * dz
        i, j, k = _cell(x, high_x), _cell(y, high_y), _cell(z, high_z)
        x, y, z = x - np.float32(i), y - np.float32(j), z - np.float32(k)
        counts = _ONE if np.int32(m) < end else _ZERO
        weights[0, m], weights[1, m] = _tent(x), _tent(x - _ONE)
        weights[2, m], weights[3, m] = _tent(y), _tent(y - _ONE)
        weights[4, m], weights[5, m] = counts * _tent(z), counts * _tent(z - _ONE)
        index[m] = np.int32(k * plane) + np.int32(j * row) + i


@relaxed_kernel
def _fetch_ahead(flat, point, step, sizes, strides):
    """Request the cells of the ray's next block: along a row of voxels they are too few to keep memory busy."""
    for quarter in range(4):
        n = np.float32(BLOCK + quarter * (BLOCK // 4))
        i = _cell(np.float32(point[0]) + n * np.float32(step[0]), _last_cell(sizes[0]))
        j = _cell(np.float32(point[1]) + n * np.float32(step[1]), _last_cell(sizes[1]))
        k = _cell(np.float32(point[2]) + n * np.float32(step[2]), _last_cell(sizes[2]))
        fetch_cell(flat, np.intp(k * strides[1] + j * strides[0] + i), strides)


@relaxed_kernel
def differentiate(point, step, count, sizes, slopes):
    """The derivatives of the weights of `locate`."""
    for axis in range(3):
        high, x0, dx = _last_cell(sizes[axis]), np.float32(point[axis]), np.float32(step[axis])
        end = np.int32(count) if axis == 2 else np.int32(BLOCK)
        for m in range(BLOCK):
            x = x0 + np.float32(np.int32(m)) * dx
            x = x - np.float32(_cell(x, high))
            counts = _ONE if np.int32(m) < end else _ZERO
            slopes[2 * axis, m], slopes[2 * axis + 1, m] = counts * _slope(x), counts * _slope(x - _ONE)


@relaxed_kernel
def _last_cell(size):
    return max(np.float32(size - 2), _ZERO)


@relaxed_kernel
def _cell(x, high):
    return np.int32(min(max(x, _ZERO), high))


@relaxed_kernel
def _tent(x):
    return max(_ZERO, _ONE - abs(x))


@relaxed_kernel
def _slope(x):
    """The tent's derivative, from the right at its kinks."""
    slope = -_ONE if x >= _ZERO else _ONE
    return slope if x >= -_ONE and x < _ONE else _ZERO


@kernel
def _add(sums, first, values):
    """Add a block's sums, its samples numbered from `first` + 1/2, to those of the ray."""
    for n in range(4):
        sums[n] += values[n]
    for n in range(3):
        sums[4 + n] += values[4 + n] + (first + 0.5) * values[1 + n]


@kernel
def _derivatives(sums, bounds, source, direction, samples, out):
    """From the sums of one ray to d integral / d(source, direction); see docs/projectors.md for the formula."""
    near, far, near_axis, far_axis = bounds
    length, f = far - near, sums[0]
    along, along_later = 0.0, 0.0
    for a in range(3):
        along += direction[a] * sums[1 + a]
        along_later += direction[a] * sums[4 + a] / samples
    if_near = ((along - along_later) * length - f) / samples
    if_far = (along_later * length + f) / samples
    for a in range(3):
        out[a] = length / samples * sums[1 + a]
        out[3 + a] = length / samples * (near * sums[1 + a] + length / samples * sums[4 + a])
    if near_axis >= 0:
        by_source, by_direction = motion_of_bound(near, near_axis, direction)
        out[near_axis] += by_source * if_near
        out[3 + near_axis] += by_direction * if_near
    if far_axis >= 0:
        by_source, by_direction = motion_of_bound(far, far_axis, direction)
        out[far_axis] += by_source * if_far
        out[3 + far_axis] += by_direction * if_far


@kernel
def march_tiles(flat, sizes, row, plane, rays, samples, image, jacobian, first, last):
    """Render tiles first..last of (B, 1, H, W) `image` and, unless it is None, of (B, 6, H, W) `jacobian`."""
    _, _, height, width = image.shape
    strides = (row, plane)
    tiles_x, tiles_y = -(-width // TILE_COLUMNS), -(-height // TILE_ROWS)
    lower, upper = (-1.0, -1.0, -1.0), (float(sizes[0]), float(sizes[1]), float(sizes[2]))
    index = np.empty(BLOCK, np.int32)
    weights, slopes = np.empty((6, BLOCK), np.float32), np.empty((6, BLOCK), np.float32)
    begin = np.empty((TILE_ROWS * TILE_COLUMNS, 6))  # first sample and step
    sums = np.empty((TILE_ROWS * TILE_COLUMNS, 7))
    derivative = np.empty(6)
    for tile in range(first, last):
        view = tile // (tiles_x * tiles_y)
        top = tile // tiles_x % tiles_y * TILE_ROWS
        left = tile % tiles_x * TILE_COLUMNS
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
            sums[n] = 0.0
        for m in range(0, samples, BLOCK):
            count = min(BLOCK, samples - m)
            for n in range(rows * columns):
                b = begin[n]
                if b[3] == 0.0 and b[4] == 0.0 and b[5] == 0.0:
                    continue
                point, step = (b[0] + m * b[3], b[1] + m * b[4], b[2] + m * b[5]), (b[3], b[4], b[5])
                _fetch_ahead(flat, point, step, sizes, strides)
                locate(point, step, count, sizes, strides, index, weights)
                if jacobian is None:
                    sums[n, 0] += dot_of_cells(flat, index, strides, weights)
                else:
                    differentiate(point, step, count, sizes, slopes)
                    _add(sums[n], m, dots_of_slopes(flat, index, strides, weights, slopes))
        for n in range(rows * columns):
            x, y = left + n % columns, top + n // columns
            direction = direction_of(ray, x, y)
            bounds = clip(source, direction, lower, upper)
            image[view, 0, y, x] = sums[n, 0] * (bounds[1] - bounds[0]) / samples
            if jacobian is not None:
                _derivatives(sums[n], bounds, source, direction, samples, derivative)
                for c in range(6):
                    jacobian[view, c, y, x] = derivative[c]
