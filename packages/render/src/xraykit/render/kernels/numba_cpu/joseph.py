"""Joseph's method in every role: one bilinear sample per slice across the ray's dominant axis."""

from __future__ import annotations

import numpy as np
from numba import njit

from .ray import JIT, clip, direction_of
from .voxel import value_at


@njit(**JIT)
def _order(direction):  # noqa: ANN001, ANN202
    """The dominant axis, then the two across it with the smaller stride first."""
    x, y, z = abs(direction[0]), abs(direction[1]), abs(direction[2])
    if x >= y and x >= z:
        return 0, 1, 2
    return (1, 0, 2) if y >= z else (2, 0, 1)


@njit(**JIT)
def _corner(cell, size, fraction, upper):  # noqa: ANN001, ANN202
    """Index, weight and slope of the lower or upper neighbour on one axis; weight 0 outside the grid."""
    index = cell + upper
    if index < 0 or index >= size:
        return 0, np.float32(0), np.float32(0)
    return (index, fraction, np.float32(1)) if upper else (index, np.float32(1) - fraction, np.float32(-1))


@njit(**JIT)
def march_pixels(flat, labels, soft, grad, rays, image, jacobian, target, sizes, row, plane, layers, frame, pixels):  # noqa: ANN001, ANN201
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
                    image[view, channel, y, x] += np.float32(share * weight)
                if jacobian is not None:
                    slope = sign_b * weight_c * value
                    sum_b += slope
                    late_b += alpha * slope
                    slope = weight_b * sign_c * value
                    sum_c += slope
                    late_c += alpha * slope
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
