"""Siddon's exact path in every role: image, label channels, gradients, adjoint and label bit-sets in one traversal."""

from __future__ import annotations

import numpy as np

from .bricks import trimmed
from .compile import kernel
from .ray import clip, direction_of
from .voxel import value_at


@kernel
def _first_voxel(position, size):
    return min(max(int(np.floor(position + 0.5)), 0), size - 1)


@kernel
def _crossing(voxel, forward, source, direction, far):
    """alpha where the ray leaves a voxel along one axis, counted from the plane's integer so that no error grows."""
    if direction == 0.0:
        return np.inf
    alpha = (voxel + (0.5 if forward else -0.5) - source) / direction
    return min(alpha, far) if alpha < far else far


@kernel
def march_pixels(
    flat, labels, filled, grad, rays, image, jacobian, bits, target, sizes, row, plane, layers, frame, pixels
):
    """Walk the rays of pixels[0] .. pixels[1] through the layers[0] <= k < layers[1] of the grid.

    Each of the roles is optional (None): `labels` names a voxel's channel; `grad` (B, C, H, W) multiplies a voxel by
    the gradient of its channel; `image` (B, C, H, W) collects the integrals; `jacobian` (B, 6, H, W) their derivatives
    with respect to (source, direction); `bits` (B, words, H, W) the labels met, label 0 wherever no brick of labels is
    `filled`; `target` (D, H, W) the adjoint.
    Pixels are numbered by view, row, column; `frame` is (height, width).
    """
    height, width = frame
    lower = (-0.5, -0.5, layers[0] - 0.5)
    upper = (sizes[0] - 0.5, sizes[1] - 0.5, layers[1] - 0.5)
    for pixel in range(pixels[0], pixels[1]):
        view, y, x = pixel // (height * width), pixel // width % height, pixel % width
        ray = rays[view]
        source = (ray[0, 0], ray[0, 1], ray[0, 2])
        direction = direction_of(ray, x, y)
        alpha, far, axis, far_axis = clip(source, direction, lower, upper)
        if far <= alpha:
            continue
        if bits is not None:
            begin, end = trimmed(filled, source, direction, alpha, far)
            if begin > alpha or end < far:
                bits[view, 0, y, x] |= np.int32(1)
            if end <= begin:
                continue
            alpha, far = begin, end
        i = _first_voxel(source[0] + alpha * direction[0], sizes[0])
        j = _first_voxel(source[1] + alpha * direction[1], sizes[1])
        k = max(_first_voxel(source[2] + alpha * direction[2], layers[1]), layers[0])
        forward = (direction[0] > 0, direction[1] > 0, direction[2] > 0)
        next_i = _crossing(i, forward[0], source[0], direction[0], far)
        next_j = _crossing(j, forward[1], source[1], direction[1], far)
        next_k = _crossing(k, forward[2], source[2], direction[2], far)
        before, held, run = np.float32(0), -1, 0.0
        while True:
            index = k * plane + j * row + i
            channel = 0
            if labels is not None:
                channel = int(labels[index])
            following = min(next_i, min(next_j, next_k))
            chord = following - alpha
            value = np.float32(1)
            if flat is not None:
                value = value_at(flat, index)
            if grad is not None:
                value *= grad[view, channel, y, x]
            if image is not None:  # a ray stays in one label for many voxels: memory is touched when it leaves
                if channel != held:
                    if held >= 0:
                        image[view, held, y, x] += np.float32(run)
                    held, run = channel, 0.0
                run += value * chord
            if target is not None:
                target[k, j, i] += np.float32(value * chord)
            if bits is not None and channel != held and chord > 0.0:
                held = channel
                bits[view, channel >> 5, y, x] |= np.int32(1) << np.int32(channel & 31)
            if jacobian is not None:
                _add_crossing(jacobian, view, y, x, axis, alpha, before - value, direction)
            before = value
            alpha = following
            if next_i <= next_j and next_i <= next_k:
                axis = 0
                i += 1 if forward[0] else -1
                if alpha >= far or i < 0 or i >= sizes[0]:
                    break
                next_i = _crossing(i, forward[0], source[0], direction[0], far)
            elif next_j <= next_k:
                axis = 1
                j += 1 if forward[1] else -1
                if alpha >= far or j < 0 or j >= sizes[1]:
                    break
                next_j = _crossing(j, forward[1], source[1], direction[1], far)
            else:
                axis = 2
                k += 1 if forward[2] else -1
                if alpha >= far or k < layers[0] or k >= layers[1]:
                    break
                next_k = _crossing(k, forward[2], source[2], direction[2], far)
        if image is not None:
            image[view, held, y, x] += np.float32(run)
        if jacobian is not None:
            _add_crossing(jacobian, view, y, x, far_axis, far, before, direction)


@kernel
def _add_crossing(jacobian, view, y, x, axis, alpha, step, direction):
    """A crossing at alpha, where the value drops by `step`, moves with the source and direction of its axis only."""
    if axis >= 0:
        share = step / direction[axis]
        jacobian[view, axis, y, x] -= np.float32(share)
        jacobian[view, 3 + axis, y, x] -= np.float32(alpha * share)
