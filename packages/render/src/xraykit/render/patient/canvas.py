"""A canvas for implicit solids: bodies given by a signed distance are painted onto a voxel grid in HU and labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]
Coordinates = NDArray[np.float64]
"""World positions or directions, (..., 3), or one of their three [mm]."""
VoxelWindow = tuple[slice, slice, slice]
"""Where a box of voxels lies in the grid: depth, height, width."""
Indices = NDArray[np.intp]
"""Places in a grid, in the order depth, height, width."""
FAR = np.float32(1e3)
_CORNERS = np.array([(x, y, z) for z in np.linspace(0, 1, 5) for y in (0.0, 1.0) for x in (0.0, 1.0)])
"""Of the cross-sections of a unit box at five heights, (20, 3)."""


@dataclass(frozen=True, eq=False)
class Region:
    """A box of voxels and the coordinates of their centres, ready to broadcast as (depth, height, width)."""

    window: VoxelWindow
    x: Array
    y: Array
    z: Array

    def empty_field(self) -> Array:
        """A distance field with nothing in it [mm]."""
        return np.full([s.stop - s.start for s in self.window], FAR, dtype=np.float32)

    def inner(self, window: VoxelWindow) -> VoxelWindow:
        """Where another window of the same grid, inside this one, lies in this region's arrays."""
        pairs = zip(window, self.window, strict=True)
        return tuple(slice(w.start - o.start, w.stop - o.start) for w, o in pairs)  # type: ignore[return-value]

    def part(self, window: VoxelWindow) -> Region:
        """The region of a window, cut to this one (at least a voxel), without computing coordinates again."""
        pairs = [(max(w.start, o.start), min(w.stop, o.stop), o) for w, o in zip(window, self.window, strict=True)]
        window = tuple(slice(min(a, o.stop - 1), max(b, min(a, o.stop - 1) + 1)) for a, b, o in pairs)  # type: ignore
        inner = self.inner(window)
        axes = (a[tuple(s if n > 1 else slice(None) for s, n in zip(inner, a.shape, strict=True))] for a in self.axes)
        return Region(window, *axes)

    @property
    def axes(self) -> tuple[Array, Array, Array]:
        """The coordinates x, y, z."""
        return self.x, self.y, self.z


class Frame(Protocol):
    """Coordinates in which a body is described: its own (local) millimetres against world RAS millimetres."""

    @property
    def scale(self) -> float:
        """World millimetres per local millimetre, on average."""
        ...

    def to_world(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """World positions of local points (n, 3)."""
        ...

    def to_local(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """Local coordinates of world positions; x (1, 1, w), y (1, h, 1), z (d, 1, 1) come in, broadcastable go out."""
        ...


class Canvas:
    """HU and labels on an axis-aligned RAS grid, painted one body after the other; later bodies win.

    Args:
        low: World position of the first voxel centre [mm].
        high: World position that the grid reaches at least [mm].
        spacing: Voxel edge [mm].
    """

    clip: Callable[[Region], Array] | None = None
    """Signed distance [mm]; only where it is negative is anything painted."""

    def __init__(self, low: ArrayLike, high: ArrayLike, spacing: float) -> None:
        self.low = np.asarray(low, dtype=np.float64)
        self.spacing = spacing
        self.count = np.ceil((np.asarray(high) - self.low) / spacing).astype(int) + 1
        width, height, depth = self.count
        self.hu = np.full((depth, height, width), -1000.0, dtype=np.float32)
        self.labels = np.zeros((depth, height, width), dtype=np.uint8)

    def window(self, low: ArrayLike, high: ArrayLike) -> VoxelWindow:
        """The voxels between two corners [mm], cut at the border of the grid but never empty."""
        return self.windows(np.asarray(low)[None], np.asarray(high)[None])[0]

    def windows(self, low: Coordinates, high: Coordinates) -> list[VoxelWindow]:
        """The windows between each pair of many corners, (n, 3) each [mm]."""
        first, last = self.bounds(low, high)
        pairs = zip(first.tolist(), last.tolist(), strict=True)
        return [tuple(map(slice, begins, ends)) for begins, ends in pairs]  # type: ignore[misc]

    def bounds(self, low: Coordinates, high: Coordinates) -> tuple[Indices, Indices]:
        """`windows` as the first voxels and the ends, (n, 3) each in the order depth, height, width."""
        first = np.clip(np.floor((low - self.low) / self.spacing).astype(int), 0, self.count - 1)
        last = np.clip(np.ceil((high - self.low) / self.spacing).astype(int) + 1, first + 1, self.count)
        return first[:, ::-1], last[:, ::-1]

    def at(self, window: VoxelWindow) -> Region:
        """A window with its coordinates."""
        axes = [
            (self.low[d] + self.spacing * np.arange(window[2 - d].start, window[2 - d].stop)).astype(np.float32)
            for d in range(3)
        ]
        return Region(window, axes[0][None, None, :], axes[1][None, :, None], axes[2][:, None, None])

    def region(self, low: ArrayLike, high: ArrayLike) -> Region:
        """The voxels between two corners [mm] with their coordinates."""
        return self.at(self.window(low, high))

    def whole(self) -> Region:
        """Every voxel."""
        return self.at(tuple(slice(0, n) for n in self.hu.shape))  # type: ignore[arg-type]

    def paint(self, region: Region, distance: Array, hu: float | Array, label: int | None = None) -> None:
        """Replace what lies inside (distance < 0); boundary voxels mix by their share. label None keeps labels."""
        self.paint_bone(region, distance, label, cortex=0.0, shell=hu, core=hu)

    def paint_bone(
        self,
        region: Region,
        distance: Array,
        label: int | None,
        *,
        cortex: float | Array,
        shell: float | Array = 900.0,
        core: float | Array = 220.0,
    ) -> None:
        """A bone: `shell` HU in the outer `cortex` mm, `core` HU inside."""
        from ..kernels.numba_cpu.painting import mix_in  # numba, on first use

        if self.clip is not None:
            clipped = np.maximum(distance, self.clip(region))
            distance, cortex = clipped, cortex + (distance - clipped)
        first, last = (np.array([getattr(s, end) for s in region.window]) for end in ("start", "stop"))
        fields = [three_dimensional(values) for values in (distance, cortex, shell, core)]
        mix_in(self.hu, self.labels, first, last, *fields, np.float32(self.spacing), -1 if label is None else label)


class Chart(Canvas):
    """A canvas seen through a body's own coordinates: what is painted in local mm appears where the frame puts it.

    Distances are local; a frame that shears or stretches makes them, and with them cortex and seams, approximate.

    Args:
        canvas: What is painted on.
        frame: Local coordinates.
        clip: Signed distance in local coordinates [mm]; only where it is negative is anything painted.
    """

    def __init__(self, canvas: Canvas, frame: Frame, clip: Callable[[Region], Array] | None = None) -> None:
        self.canvas, self.frame, self.clip = canvas, frame, clip
        self.low, self.count, self.hu, self.labels = canvas.low, canvas.count, canvas.hu, canvas.labels
        self.spacing = canvas.spacing / frame.scale

    def bounds(self, low: Coordinates, high: Coordinates) -> tuple[Indices, Indices]:
        """The voxels of the boxes about local boxes; frames bend along z alone: corners at five heights are enough."""
        world = self.frame.to_world(low + _CORNERS[:, None] * (high - low))
        return self.canvas.bounds(world.min(axis=0), world.max(axis=0))

    def at(self, window: VoxelWindow) -> Region:
        """A window with local coordinates."""
        region = self.canvas.at(window)
        return Region(window, *self.frame.to_local(*region.axes))


def ellipsoid(
    region: Region, center: Sequence[float] | NDArray[np.floating], radii: Sequence[float], tilt: Array | None = None
) -> Array:
    """Distance to an ellipsoid, first order at its surface [mm]; rows of tilt (3, 3) are its axes in the world."""
    offset = [region.x - np.float32(center[0]), region.y - np.float32(center[1]), region.z - np.float32(center[2])]
    if tilt is not None:
        x, y, z = offset
        offset = [np.float32(row[0]) * x + np.float32(row[1]) * y + np.float32(row[2]) * z for row in tilt]
    return normalised(offset, radii)


def normalised(offset: Sequence[Array], radii: Sequence[float | Array]) -> Array:
    """First-order distance (q - 1) / |grad q| of the quadric q = |offset / radii| [mm]."""
    from ..kernels.numba_cpu.painting import quadric  # numba, on first use

    shape = np.broadcast_shapes(*(np.shape(o) for o in offset), *(np.shape(r) for r in radii))
    out = np.empty((1,) * (3 - len(shape)) + shape, dtype=np.float32)
    smallest = min(float(np.min(r)) for r in radii)
    quadric(*map(three_dimensional, offset), *map(three_dimensional, radii), np.float32(smallest), out)
    return out.reshape(shape)


def tube(
    canvas: Canvas,
    points: ArrayLike,
    radius: ArrayLike,
    *,
    flat: ArrayLike | None = None,
    wide: ArrayLike | None = None,
    margin: float = 0.0,
) -> tuple[Region, Array]:
    """Distance to a tube about a polyline.

    Args:
        canvas: Where it will be painted.
        points: Centre line in the world, (n, 3) mm.
        radius: Radius at each point [mm]; with wide, the half-thickness.
        flat: Direction of the thin axis of the cross-section at each point, (n, 3); None is a round tube.
        wide: Half-width across the thin axis [mm].
        margin: Reach of the distance field beyond the surface [mm], besides two voxels.
    """
    from ..kernels.numba_cpu.tubes import lower_to_segments  # numba, on first use

    points = np.ascontiguousarray(points, dtype=np.float64)
    radius = np.broadcast_to(np.asarray(radius, dtype=np.float64), len(points))
    wide = radius if wide is None else np.broadcast_to(np.asarray(wide, dtype=np.float64), len(points))
    reach = np.maximum(radius, wide) + 2 * canvas.spacing + margin
    far = np.maximum(reach[:-1], reach[1:])[:, None]
    low = np.vstack([points.min(axis=0) - reach.max(), np.minimum(points[:-1], points[1:]) - far])
    high = np.vstack([points.max(axis=0) + reach.max(), np.maximum(points[:-1], points[1:]) + far])
    first, last = canvas.bounds(low, high)
    region = canvas.at(tuple(map(slice, first[0].tolist(), last[0].tolist())))  # type: ignore[arg-type]
    field = region.empty_field()
    windows = [np.clip(ends[1:], first[0], last[0]) - first[0] for ends in (first, last)]
    axes = (np.ascontiguousarray(axis, dtype=np.float32) for axis in region.axes)
    lower_to_segments(field, *axes, *windows, points, radius.copy(), wide.copy(), _across(points, flat))
    return region, field


def _across(points: Coordinates, flat: ArrayLike | None) -> Coordinates:
    """The unit vector across each segment towards its thin axis, (n - 1, 3); (0, 3) where the tube is round."""
    if flat is None:
        return np.empty((0, 3))
    along = np.diff(points, axis=0)
    tangent = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    thin = np.asarray(flat, dtype=np.float64)[: len(tangent)]
    normal = thin - (thin * tangent).sum(axis=1, keepdims=True) * tangent
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)


def merge(canvas: Canvas, parts: Sequence[tuple[Region, Array]], *, blend: float = 0.0) -> tuple[Region, Array]:
    """Union of bodies, each given on its own region, on the region that holds them all; seams rounded by blend mm."""
    windows = [part.window for part, _ in parts]
    first = np.array([[s.start for s in w] for w in windows]).min(axis=0)
    last = np.array([[s.stop for s in w] for w in windows]).max(axis=0)
    region = canvas.at(tuple(slice(a, b) for a, b in zip(first, last, strict=True)))  # type: ignore[arg-type]
    field = region.empty_field()
    for part, distance in parts:
        inner = region.inner(part.window)
        here = field[inner]
        field[inner] = smooth_union(here, distance, blend) if blend else np.minimum(here, distance)
    return region, field


def placed(region: Region, part: Region, distance: Array) -> Array:
    """The distance field of part on another region of the grid: where the two overlap, far elsewhere."""
    field = region.empty_field()
    inner, outer = [], []
    for big, small in zip(region.window, part.window, strict=True):
        low = max(big.start, small.start)
        high = max(low, min(big.stop, small.stop))
        outer.append(slice(low - big.start, high - big.start))
        inner.append(slice(low - small.start, high - small.start))
    field[tuple(outer)] = distance[tuple(inner)]
    return field


def spline(points: ArrayLike, n: int) -> NDArray[np.float64]:
    """Points evenly spaced in parameter along the Catmull-Rom curve through points (m, d), (n, d)."""
    p = np.asarray(points, dtype=np.float64)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    s = np.linspace(0, len(p) - 3, n)
    k = np.minimum(s.astype(int), len(p) - 4)
    t = (s - k)[:, None]
    a, b, c, d = p[k], p[k + 1], p[k + 2], p[k + 3]
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)


def smooth_union(first: Array, second: Array, blend: float) -> Array:
    """Union of two distances with a rounded seam of about `blend` mm."""
    from ..kernels.numba_cpu.painting import smooth_minimum  # numba, on first use

    fields = np.broadcast_arrays(np.asarray(first, dtype=np.float32), np.asarray(second, dtype=np.float32))
    out = np.empty(fields[0].shape, dtype=np.float32)
    one, other = (np.ascontiguousarray(field).reshape(-1) for field in fields)
    smooth_minimum(one, other, np.float32(blend), out.reshape(-1))
    return out


def three_dimensional(values: float | Array) -> Array:
    """A number or an array of at most three dimensions as the kernels read it."""
    array = np.ascontiguousarray(values, dtype=np.float32)
    return array.reshape((1,) * (3 - array.ndim) + array.shape)
