"""What procedural patients are painted with, each in one pass over the voxels: mixing, unions, quadrics, texture."""

from __future__ import annotations

import numpy as np

from .broadcast import at
from .compile import kernel

_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@kernel
def mix_in(hu, labels, first, last, distance, cortex, shell, core, spacing, label):
    """Mix a body into a window of a grid, each voxel by the share of it that the body fills.

    Args:
        hu: Grid, (D, H, W) float32, changed.
        labels: Likewise, uint8.
        first: First voxel of the window.
        last: One past its last.
        distance: To the body on the window, (d or 1, h or 1, w or 1) float32, as are the next three.
        cortex: What the distance lies above that to its core [mm].
        shell: HU between the two.
        core: HU inside.
        spacing: Voxel edge [mm].
        label: What voxels with their centre inside become; below 0 they keep theirs.
    """
    for k in range(last[0] - first[0]):
        for j in range(last[1] - first[1]):
            for i in range(last[2] - first[2]):
                here = at(distance, k, j, i)
                share = _HALF - here / spacing
                if not share > _ZERO:
                    continue
                inner = _HALF - (here + at(cortex, k, j, i)) / spacing
                outer = at(shell, k, j, i)
                body = outer + min(max(inner, _ZERO), _ONE) * (at(core, k, j, i) - outer)
                a, b, c = first[0] + k, first[1] + j, first[2] + i
                hu[a, b, c] += min(share, _ONE) * (body - hu[a, b, c])
                if label >= 0 and here < _ZERO:
                    labels[a, b, c] = label


@kernel
def smooth_minimum(first, second, blend, out):
    """`smooth_union` of patient/canvas.py of distances (n,) float32 into `out`."""
    for n in range(len(out)):
        one, other = first[n], second[n]
        h = min(max(_HALF + _HALF * (other - one) / blend, _ZERO), _ONE)
        out[n] = other + h * (one - other) - blend * h * (_ONE - h)


@kernel
def quadric(x, y, z, a, b, c, smallest, out):
    """`normalised` of patient/canvas.py of offsets x, y, z for radii a, b, c, (d or 1, h or 1, w or 1) each."""
    depth, height, width = out.shape
    for k in range(depth):
        for j in range(height):
            for i in range(width):
                ra, rb, rc = at(a, k, j, i), at(b, k, j, i), at(c, k, j, i)
                out[k, j, i] = to_quadric(at(x, k, j, i), at(y, k, j, i), at(z, k, j, i), ra, rb, rc, smallest)


@kernel
def to_quadric(x, y, z, a, b, c, smallest):
    """First-order distance of one offset from the quadric of radii a, b, c; `smallest` is their least."""
    u, v, w = x / a, y / b, z / c
    q = np.sqrt(u * u + v * v + w * w)
    u, v, w = u / a, v / b, w / c
    steep = q / np.sqrt(u * u + v * v + w * w) if q > np.float32(1e-3) else smallest
    return (q - _ONE) * steep


@kernel
def loft(x, y, z, low, step, center_x, center_y, radius, slope, rounding, out):
    """`loft` of patient/leg/solids.py.

    Args:
        x: Coordinates, (d or 1, h or 1, w or 1) float32.
        y: Likewise.
        z: Likewise.
        low: Height of the lowest outline [mm].
        step: From one outline of the table to the next [mm].
        center_x: Centre of each outline, (n,) float32.
        center_y: Likewise.
        radius: Of each outline at evenly spaced angles, (n, angles) float32.
        slope: By what distances along the radius are multiplied, likewise.
        rounding: Radius of the edges of both ends [mm].
        out: (d, h, w) float32.
    """
    depth, height, width = out.shape
    last, angles = len(center_x) - 1, radius.shape[1]
    per_radian, most = np.float32(angles / (2 * np.pi)), np.float32(last - 1e-3)
    high = np.float32(low + step * last)
    for k in range(depth):
        for j in range(height):
            for i in range(width):
                here = at(z, k, j, i)
                place = min(max((here - np.float32(low)) / np.float32(step), _ZERO), most)
                n = int(place)
                share = place - np.float32(n)
                u = at(x, k, j, i) - (center_x[n] + share * (center_x[n + 1] - center_x[n]))
                v = at(y, k, j, i) - (center_y[n] + share * (center_y[n + 1] - center_y[n]))
                angle = int(np.rint(np.arctan2(v, u) * per_radian)) % angles
                near = radius[n, angle]
                side = np.sqrt(u * u + v * v) - (near + share * (radius[n + 1, angle] - near))
                side, ends = side * slope[n, angle], max(np.float32(low) - here, here - high)
                most_of_both = max(side, ends)
                if most_of_both < -rounding:
                    out[k, j, i] = most_of_both
                else:
                    a, b = max(side + rounding, _ZERO), max(ends + rounding, _ZERO)
                    out[k, j, i] = np.sqrt(a * a + b * b) - rounding


@kernel
def texture(hu, fine, coarse):
    """`add_texture` of patient/texture.py, onto `hu`, from two unit Gaussian fields, (n,) float32 each."""
    for n in range(len(hu)):
        value = hu[n]
        spongy = _between(value, np.float32(100), np.float32(650), np.float32(50))
        soft = _between(value, np.float32(-150), np.float32(110), np.float32(25))
        lung = _between(value, np.float32(-950), np.float32(-600), np.float32(40))
        change = spongy * (np.float32(0.30) * (value + np.float32(50))) * fine[n]
        change += soft * (np.float32(7) * coarse[n] + np.float32(5) * fine[n])
        hu[n] = value + change + lung * (np.float32(25) * coarse[n] + np.float32(20) * fine[n])


@kernel
def _between(value, low, high, fade):
    """1 between two HU, fading to 0 outside over `fade` HU."""
    up, down = (value - low) / fade + _HALF, (high - value) / fade + _HALF
    return min(max(up, _ZERO), _ONE) * min(max(down, _ZERO), _ONE)
