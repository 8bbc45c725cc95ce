"""Trilinear marching for images and pose gradients: tiles of rays, blocks of samples, cells in vector registers."""

from __future__ import annotations

import numpy as np

from .compile import kernel, relaxed_kernel
from .ray import TILE_COLUMNS, TILE_ROWS, clip, direction_of, motion_of_bound
from .voxel import cell_gradient, cell_value

BLOCK = 32  # samples located at once
_ZERO, _ONE, _TWO = np.float32(0), np.float32(1), np.float32(2)


@relaxed_kernel
def locate(point, step, sizes, row, plane, index, weights):
    """Cells and tent weights max(0, 1 - |x - v|) of BLOCK samples point + m step.

    The cell is clamped into the grid, where the tents of voxels out of reach are zero: no sample needs a bounds check.
    """
    high_x, high_y, high_z = np.float32(sizes[0] - 2), np.float32(sizes[1] - 2), np.float32(sizes[2] - 2)
    high_x, high_y, high_z = max(high_x, _ZERO), max(high_y, _ZERO), max(high_z, _ZERO)
    x0, y0, z0 = np.float32(point[0]), np.float32(point[1]), np.float32(point[2])
    dx, dy, dz = np.float32(step[0]), np.float32(step[1]), np.float32(step[2])
    row, plane = np.int32(row), np.int32(plane)
    for m in range(BLOCK):
        n = np.float32(np.int32(m))
        x, y, z = x0 + n * dx, y0 + n * dy, z0 + n * dz
        i = np.int32(min(max(x, _ZERO), high_x))
        j = np.int32(min(max(y, _ZERO), high_y))
        k = np.int32(min(max(z, _ZERO), high_z))
        x, y, z = x - np.float32(i), y - np.float32(j), z - np.float32(k)
        weights[0, m], weights[1, m] = max(_ZERO, _ONE - abs(x)), max(_ZERO, _ONE - abs(x - _ONE))
        weights[2, m], weights[3, m] = max(_ZERO, _ONE - abs(y)), max(_ZERO, _ONE - abs(y - _ONE))
        weights[4, m], weights[5, m] = max(_ZERO, _ONE - abs(z)), max(_ZERO, _ONE - abs(z - _ONE))
        index[m] = np.int32(k * plane) + np.int32(j * row) + i


@relaxed_kernel
def add_slopes(point, step, sizes, weights):
    """The slopes of the six weights of `locate` in rows 6..11: +1 below the voxel, -1 above, 0 out of reach."""
    for axis in range(3):
        high = max(np.float32(sizes[axis] - 2), _ZERO)
        x0, dx = np.float32(point[axis]), np.float32(step[axis])
        for m in range(BLOCK):
            x = x0 + np.float32(np.int32(m)) * dx
            x = x - np.float32(np.int32(min(max(x, _ZERO), high)))
            first = -_ONE if x >= _ZERO else _ONE
            second = -_ONE if x >= _ONE else _ONE
            weights[6 + 2 * axis, m] = first if x >= -_ONE and x < _ONE else _ZERO
            weights[7 + 2 * axis, m] = second if x >= _ZERO and x < _TWO else _ZERO


@kernel
def _sum(flat, index, row, plane, weights, count):
    total = np.float32(0)
    for m in range(count):
        total += cell_value(flat, np.intp(index[m]), row, plane, weights, m)
    return total


@kernel
def _sums(flat, index, row, plane, weights, count, first, sums):
    """Add to sums: f, its gradient, and its gradient times the sample number m + 1/2."""
    f, gx, gy, gz = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
    hx, hy, hz = np.float32(0), np.float32(0), np.float32(0)
    for m in range(count):
        value, x, y, z = cell_gradient(flat, np.intp(index[m]), row, plane, weights, m)
        n = np.float32(np.int32(m))
        f += value
        gx += x
        gy += y
        gz += z
        hx += n * x
        hy += n * y
        hz += n * z
    base = first + 0.5
    sums[0] += f
    sums[1] += gx
    sums[2] += gy
    sums[3] += gz
    sums[4] += hx + base * gx
    sums[5] += hy + base * gy
    sums[6] += hz + base * gz


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
    tiles_x, tiles_y = -(-width // TILE_COLUMNS), -(-height // TILE_ROWS)
    lower, upper = (-1.0, -1.0, -1.0), (float(sizes[0]), float(sizes[1]), float(sizes[2]))
    index = np.empty(BLOCK, np.int32)
    weights = np.empty((12, BLOCK), np.float32)
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
                locate(point, step, sizes, row, plane, index, weights)
                if jacobian is None:
                    sums[n, 0] += _sum(flat, index, row, plane, weights, count)
                else:
                    add_slopes(point, step, sizes, weights)
                    _sums(flat, index, row, plane, weights, count, m, sums[n])
        for n in range(rows * columns):
            x, y = left + n % columns, top + n // columns
            direction = direction_of(ray, x, y)
            bounds = clip(source, direction, lower, upper)
            image[view, 0, y, x] = sums[n, 0] * (bounds[1] - bounds[0]) / samples
            if jacobian is not None:
                _derivatives(sums[n], bounds, source, direction, samples, derivative)
                for c in range(6):
                    jacobian[view, c, y, x] = derivative[c]
