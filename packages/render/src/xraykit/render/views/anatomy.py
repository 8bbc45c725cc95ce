"""What a label map says about bodies: where their voxels are, how large they are, and where the grid cuts them."""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from ..errors import InputError
from ..volumes.label_names import match_names
from ..volumes.volume import Volume

LABEL_STEP, BODY_STEP = 2.0, 8.0  # distance between the voxels looked at [mm]
LEAST_VOLUME = 200.0  # smaller labels are segmentation noise [mm^3]
DENSE = 0.008  # what attenuates more belongs to the patient or the table [1/mm]
JOINT_REACH, JOINT_SAMPLE = 6.0, 1000  # how far behind the gap a joint's surfaces count [mm]; points looked at


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The labels of a volume as points.

    Args:
        names: Of the label values that fill at least 0.2 cm^3.
        clouds: World positions [mm] of every label's voxels, thinned to about 2 mm, {value: (n, 3) float64}.
        volumes: Of each label [mm^3].
        cuts: Area in which the border of the grid cuts each label [mm^2].
        body: World positions [mm] of the surface of what is denser than lung or labelled, about 8 mm apart, (n, 3).
        border: Where the border of the grid cuts that, (m, 3).
        world_to_voxel: (4, 4) float64.
        shape: Voxels along i, j, k.
    """

    names: dict[int, str]
    clouds: dict[int, Tensor]
    volumes: dict[int, float]
    cuts: dict[int, float]
    body: Tensor
    border: Tensor
    world_to_voxel: Tensor
    shape: tuple[int, int, int]
    _labels: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _joints: dict[tuple[str, str], Tensor] = field(default_factory=dict)

    def labels(self, part: str) -> tuple[int, ...]:
        """The label values of a part ("hip_left", "lungs", "sacrum|vertebrae_S1"); empty if it is absent."""
        if part not in self._labels:
            found = {value for word in part.split("|") for value in match_names(self.names, word)}
            self._labels[part] = tuple(sorted(found))
        return self._labels[part]

    def cloud(self, *parts: str) -> Tensor:
        """The points of all parts together, (n, 3); n may be 0."""
        found = [self.clouds[value] for part in parts for value in self.labels(part)]
        if len(found) == 1:
            return found[0]
        return torch.cat(found) if found else torch.zeros(0, 3, dtype=torch.float64)

    def centroid(self, *parts: str) -> Tensor | None:
        """The mean point of all parts together, or None where none is there."""
        cloud = self.cloud(*parts)
        return cloud.mean(dim=0) if len(cloud) else None

    def cut_share(self, part: str) -> float:
        """The area in which the grid cuts a part, over its mean cross-section (volume over length)."""
        values, cloud = self.labels(part), self.cloud(part)
        length = float(torch.linalg.vector_norm(cloud.amax(dim=0) - cloud.amin(dim=0))) + LABEL_STEP
        return sum(self.cuts[v] for v in values) * length / sum(self.volumes[v] for v in values)

    def contains(self, point: Tensor) -> bool:
        """Whether a point (3,) lies inside the grid."""
        index = self.world_to_voxel[:3, :3] @ point + self.world_to_voxel[:3, 3]
        size = torch.tensor(self.shape, dtype=torch.float64)
        return bool(((index > -0.5) & (index < size - 0.5)).all())

    def distance_to_cut(self, point: Tensor) -> float:
        """From a point (3,) to the nearest place where the border of the grid cuts the body [mm]; inf if nowhere."""
        if not len(self.border):
            return float("inf")
        return float(torch.linalg.vector_norm(self.border - point, dim=1).min())

    def joint(self, first: str, second: str) -> Tensor:
        """Where two bodies meet: the middle between those of their points that are nearest to the other body, (3,)."""
        if (first, second) not in self._joints:
            one, two = (_thinned(self.cloud(part), JOINT_SAMPLE) for part in (first, second))
            distance = torch.cdist(one.float(), two.float())
            reach = distance.min() + JOINT_REACH
            near = [cloud[distance.amin(dim=d) <= reach].mean(dim=0) for cloud, d in ((one, 1), (two, 0))]
            self._joints[first, second] = (near[0] + near[1]) / 2
        return self._joints[first, second]


def anatomy_of(volume: Volume) -> Anatomy:
    """The anatomy of a labelled volume, computed once for each.

    Raises:
        InputError: The volume has no labels, or none with a name.
    """
    if volume not in _KNOWN:
        _KNOWN[volume] = _look(volume)
    return _KNOWN[volume]


_KNOWN: WeakKeyDictionary[Volume, Anatomy] = WeakKeyDictionary()


def _look(volume: Volume) -> Anatomy:
    if volume.labels is None:
        raise InputError("views are found from labels, but this volume has none; give Volume.from_file labels=SEG.")
    if not volume.label_names:
        raise InputError("views are found from named labels; say label_names=, for instance 'totalsegmentator_v2'.")
    affine, labels = volume.affine, volume.labels
    thin, steps = _strided(labels, volume.spacing, LABEL_STEP)
    at = torch.nonzero(thin)
    values = thin[tuple(at.T)].long()
    order = torch.argsort(values, stable=True)
    counts = torch.bincount(values, minlength=max([*volume.label_names, int(labels.max())]) + 1)
    points = (at[order] * torch.tensor(steps)).flip(1).double() @ affine[:3, :3].T + affine[:3, 3]
    voxel = abs(float(torch.linalg.det(affine[:3, :3])))
    volumes = counts * voxel * steps[0] * steps[1] * steps[2]
    starts = torch.cumsum(counts, 0) - counts
    names = {v: n for v, n in volume.label_names.items() if v > 0 and float(volumes[v]) >= LEAST_VOLUME}
    cuts = _cuts(labels, affine, len(counts))
    body, border = _body(volume)
    return Anatomy(
        names=names,
        clouds={v: points[starts[v] : starts[v] + counts[v]] for v in names},
        volumes={v: float(volumes[v]) for v in names},
        cuts={v: float(cuts[v]) for v in names},
        body=body,
        border=border,
        world_to_voxel=torch.linalg.inv(affine),
        shape=(labels.shape[2], labels.shape[1], labels.shape[0]),
    )


def _strided(voxels: Tensor, spacing: Tensor, step: float) -> tuple[Tensor, tuple[int, int, int]]:
    """Every n-th voxel along k, j, i, on the CPU, so that they lie about `step` mm apart; and the three n."""
    k, j, i = (max(1, int(step / float(s) + 0.25)) for s in spacing.flip(0))
    return voxels[::k, ::j, ::i].cpu(), (k, j, i)


def _cuts(labels: Tensor, affine: Tensor, size: int) -> Tensor:
    """Area of each label on the six faces of the grid [mm^2]."""
    columns = affine[:3, :3]
    area = torch.zeros(size, dtype=torch.float64)
    for axis, (p, q) in enumerate(((0, 1), (0, 2), (1, 2))):  # axes k, j, i are columns 2, 1, 0
        pixel = torch.linalg.vector_norm(torch.linalg.cross(columns[:, p], columns[:, q]))
        for end in (0, -1):
            face = labels.select(axis, end).reshape(-1).long().cpu()
            area += torch.bincount(face, minlength=size) * pixel
    return area


def _body(volume: Volume) -> tuple[Tensor, Tensor]:
    """The points on the surface of the body, and the body's points in the outermost layers of the thinned grid."""
    mu, (k, j, i) = _strided(volume.mu.detach(), volume.spacing, BODY_STEP)
    dense = mu.float() * volume.mu_scale > DENSE
    if volume.labels is not None:
        dense = dense | (volume.labels[::k, ::j, ::i].cpu() > 0)
    outer = torch.ones_like(dense)
    outer[1:-1, 1:-1, 1:-1] = False
    inner = dense & ~outer
    for axis in range(3):
        inner &= dense.roll(1, axis) & dense.roll(-1, axis)
    to_world = volume.affine[:3, :3] * torch.tensor([i, j, k])

    def points(mask: Tensor) -> Tensor:
        return torch.nonzero(mask).flip(1).double() @ to_world.T + volume.affine[:3, 3]

    return points(dense & ~inner), points(dense & outer)


def _thinned(cloud: Tensor, count: int) -> Tensor:
    return cloud[:: max(1, len(cloud) // count)]
