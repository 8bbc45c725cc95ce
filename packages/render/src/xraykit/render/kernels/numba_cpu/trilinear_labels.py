"""Trilinear marching in the roles that need each voxel by itself: label channels, their gradients, the adjoint."""

from __future__ import annotations

import numpy as np

from .compile import kernel
from .ray import clip, direction_of
from .trilinear import _derivatives
from .voxel import value_at


@kernel
def _samples_in_layers(z, step, layers, samples):
    """The samples m with layers[0] - 1 <= z + m step < layers[1], widened by one on each side."""
    if step == 0.0:
        return (0, samples) if layers[0] - 1 <= z < layers[1] else (0, 0)
    a, b = (layers[0] - 1 - z) / step, (layers[1] - z) / step
    if a > b:
        a, b = b, a
    return max(0, min(samples, int(np.floor(a)) - 1)), max(0, min(samples, int(np.ceil(b)) + 1))


@kernel
def march_pixels(
    flat, labels, soft, grad, rays, samples, image, jacobian, target, sizes, row, plane, layers, frame, pixels
):
    """Render pixels[0] .. pixels[1]; the roles are those of siddon.march_pixels, `layers` restricts `target` only."""
    height, width = frame
    lower, upper = (-1.0, -1.0, -1.0), (float(sizes[0]), float(sizes[1]), float(sizes[2]))
    sums = np.empty(7)
    derivative = np.empty(6)
    for pixel in range(pixels[0], pixels[1]):
        view, y, x = pixel // (height * width), pixel // width % height, pixel % width
        ray = rays[view]
        source = (ray[0, 0], ray[0, 1], ray[0, 2])
        direction = direction_of(ray, x, y)
        bounds = clip(source, direction, lower, upper)
        near, far = bounds[0], bounds[1]
        if far <= near:
            continue
        step = (far - near) / samples
        start = near + 0.5 * step
        first, last = 0, samples
        if target is not None:
            first, last = _samples_in_layers(source[2] + start * direction[2], step * direction[2], layers, samples)
        sums[:] = 0.0
        held, run = -1, 0.0
        for m in range(first, last):
            alpha = start + m * step
            at = (source[0] + alpha * direction[0], source[1] + alpha * direction[1], source[2] + alpha * direction[2])
            cell = (int(np.floor(at[0])), int(np.floor(at[1])), int(np.floor(at[2])))
            part = (np.float32(at[0] - cell[0]), np.float32(at[1] - cell[1]), np.float32(at[2] - cell[2]))
            channel = 0
            if labels is not None and not soft:
                i, j, k = cell[0] + (part[0] >= 0.5), cell[1] + (part[1] >= 0.5), cell[2] + (part[2] >= 0.5)
                if 0 <= i < sizes[0] and 0 <= j < sizes[1] and 0 <= k < sizes[2]:
                    channel = int(labels[k * plane + j * row + i])
            for corner in range(8):
                right, down, up = corner & 1, (corner >> 1) & 1, corner >> 2
                i, j, k = cell[0] + right, cell[1] + down, cell[2] + up
                if i < 0 or i >= sizes[0] or j < 0 or j >= sizes[1] or k < 0 or k >= sizes[2]:
                    continue
                wx = part[0] if right else np.float32(1) - part[0]
                wy = part[1] if down else np.float32(1) - part[1]
                wz = part[2] if up else np.float32(1) - part[2]
                offset = k * plane + j * row + i
                if labels is not None and soft:
                    channel = int(labels[offset])
                value = np.float32(1)
                if flat is not None:
                    value = value_at(flat, offset)
                if grad is not None:
                    value *= grad[view, channel, y, x]
                share = wx * wy * wz * value
                if target is not None and layers[0] <= k < layers[1]:
                    target[k, j, i] += np.float32(share * step)
                if image is not None:  # memory is touched when the ray leaves a label
                    if channel != held:
                        if held >= 0:
                            image[view, held, y, x] += np.float32(run)
                        held, run = channel, 0.0
                    run += share * step
                if jacobian is not None:
                    sums[0] += share
                    slope = (wy * wz if right else -wy * wz) * value
                    sums[1] += slope
                    sums[4] += (m + 0.5) * slope
                    slope = (wx * wz if down else -wx * wz) * value
                    sums[2] += slope
                    sums[5] += (m + 0.5) * slope
                    slope = (wx * wy if up else -wx * wy) * value
                    sums[3] += slope
                    sums[6] += (m + 0.5) * slope
        if image is not None and held >= 0:
            image[view, held, y, x] += np.float32(run)
        if jacobian is not None:
            _derivatives(sums, bounds, source, direction, samples, derivative)
            for n in range(6):
                jacobian[view, n, y, x] = derivative[n]
