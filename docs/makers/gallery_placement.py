"""Where implants go: pedicle screws and a hip stem placed by the label map alone, for the gallery.

Points are world RAS [mm], (3,) or (N, 3) float64.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import SimpleITK
import torch
from torch import Tensor
from xraykit.render import Mesh, PlacedTool, Volume, instrument
from xraykit.render.geometry import world_to_voxel
from xraykit.render.volumes import find_labels

LEVELS = ("L5", "L4", "L3", "L2", "L1", "T12", "T11", "T10", "T9")
LEAN = 0.35  # of the way to the midline that a pedicle screw has come in the middle of the body
NECK = torch.tensor([0.58, 0.0, 0.81], dtype=torch.float64)  # axis of the built-in stem's neck, in the stem's frame
NECK_LENGTH = 30.0  # from the cut through the femur's neck to the middle of its head


@dataclass(frozen=True, eq=False)
class Bone:
    """The voxels of one label, cropped to them: mask [k, j, i] and its voxel-to-RAS affine."""

    mask: Tensor
    affine: Tensor

    @classmethod
    def of(cls, volume: Volume, name: str) -> Bone:
        """The bone of this name in a volume with labels."""
        if volume.labels is None:
            raise SystemExit("implants are placed by labels: give --labels.")
        (value,) = find_labels(volume.label_names, name)
        index = torch.nonzero(volume.labels == value)
        if not len(index):
            raise SystemExit(f"the label map shows no {name}.")
        low, high = index.amin(dim=0), index.amax(dim=0) + 1
        window = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        affine = volume.affine.clone()
        affine[:3, 3] += affine[:3, :3] @ low.flip(0).to(affine)
        return cls(volume.labels[window] == value, affine)

    @property
    def points(self) -> Tensor:
        """Voxel centres, (N, 3)."""
        return torch.nonzero(self.mask).flip(-1).to(self.affine) @ self.affine[:3, :3].T + self.affine[:3, 3]

    @property
    def pitch(self) -> Tensor:
        """Edges of a voxel along i, j, k [mm]."""
        return self.affine[:3, :3].norm(dim=0)

    def holds(self, points: Tensor) -> Tensor:
        """Whether the voxels nearest to points (N, 3) belong to the bone, (N,) bool."""
        index = world_to_voxel(points, self.affine).round().long().flip(-1)
        size = torch.tensor(self.mask.shape)
        within = ((index >= 0) & (index < size)).all(dim=1)
        k, j, i = index.clamp(min=0).minimum(size - 1).unbind(dim=1)
        return self.mask[k, j, i] & within

    def deepest(self) -> Tensor:
        """The centre of the largest ball inside: the middle of a femur's head."""
        image = SimpleITK.GetImageFromArray(self.mask.numpy().astype("uint8"))
        image.SetSpacing(self.pitch.tolist())
        depth = SimpleITK.SignedMaurerDistanceMap(
            image, insideIsPositive=True, squaredDistance=False, useImageSpacing=True
        )
        depth = torch.from_numpy(SimpleITK.GetArrayFromImage(depth))
        index = torch.nonzero(depth > depth.max() - 0.5).to(self.affine).mean(dim=0).flip(0)
        return self.affine[:3, :3] @ index + self.affine[:3, 3]


def pedicle_screws(volume: Volume, level: str) -> tuple[PlacedTool, PlacedTool]:
    """Screws in the right and left pedicle of a vertebra ("L3"), equal in size, as long and thick as both sides allow.

    Each enters from behind through the middle of its pedicle, parallel to the end plates and leaning to the midline.
    """
    bone = Bone.of(volume, f"vertebrae_{level}")
    up, ways = _pedicles(volume, level, bone)
    steps = torch.arange(0.0, 80.0, 0.5, dtype=torch.float64)[:, None]
    entries, depths = [], []
    for centre, forward, _ in ways:
        ahead, behind = (~bone.holds(centre + sign * steps * forward) for sign in (1, -1))
        entries.append(centre - steps[int(behind.int().argmax())] * forward)
        depths.append(float(steps[int(ahead.int().argmax())] + steps[int(behind.int().argmax())]))
    narrow = min(width for _, _, width in ways)
    length = max([n for n in range(30, 56, 5) if n <= 0.9 * min(depths)], default=30)
    diameter = max([d for d in (4.5, 5.5, 6.5, 7.5) if d <= 0.75 * narrow], default=4.5)
    mesh = _catalogue("pedicle_screw", f"{diameter:g} mm diameter, {length} mm long")
    right, left = (
        PlacedTool(mesh, _frame(entry + length * forward, -forward, up), name=f"screw_{level}_{side}")
        for entry, (_, forward, _), side in zip(entries, ways, ("right", "left"), strict=True)
    )
    return right, left


def hip_stem(volume: Volume, side: str) -> tuple[PlacedTool, Volume, float]:
    """A stem in the femoral canal with its ball in the place of the femoral head, which is resected.

    The stem's axis is that of the shaft, its height and turn bring the ball as near to the middle of the head as it
    gets; the size is the one that comes nearest. Where the volume ends above the shaft, the axis is assumed: 6 degrees
    from the patient's, through the middle of the lowest slice.

    Returns:
        The stem, the volume without the head, and how far [mm] the ball's middle stays from that of the head.
    """
    bone = Bone.of(volume, f"femur_{side}")
    points, head = bone.points, bone.deepest()
    low = float(points[:, 2].min())
    if head[2] - low > 110:
        foot, axis = _line(points[points[:, 2] < min(low + 80, float(head[2]) - 90)])
    else:
        lateral = 1.0 if side == "right" else -1.0
        foot = points[points[:, 2] < low + 0.1].mean(dim=0)
        axis = _unit(torch.tensor([0.105 * lateral, 0.0, 1.0], dtype=torch.float64))
    height = (head - foot) @ axis
    medial = head - foot - height * axis
    sizes = [_numbered("hip_stem", seed) for seed in range(24)]
    balls = [_ball(mesh) for mesh in sizes]
    best = min(range(len(sizes)), key=lambda n: abs(float(balls[n][0] - medial.norm())))
    pose = _frame(foot + (height - balls[best][2]) * axis, axis, torch.linalg.cross(axis, medial))
    neck = pose[:3, :3] @ NECK
    resected = _without(volume, f"femur_{side}", head - NECK_LENGTH * neck, neck)
    off = abs(float(balls[best][0] - medial.norm()))
    return PlacedTool(sizes[best], pose, name="hip_stem"), resected, off


def lengthened(volume: Volume, length: float, *, lean: float = 0.1) -> Volume:
    """The volume with its lowest slice repeated below it, each half moved to the midline as thighs run to the knees.

    Args:
        volume: Hounsfield numbers and labels on axes along RAS, x = 0 in the midline.
        length: How much [mm].
        lean: Sideways for each mm down.
    """
    if volume.hu is None or volume.labels is None:
        raise SystemExit("a body is lengthened in its Hounsfield numbers and labels, and one of them is missing.")
    step, pitch = float(volume.affine[2, 2]), float(volume.affine[0, 0])
    more, last = round(length / step), volume.hu.shape[2] - 1
    column = torch.arange(last + 1)
    side = (volume.affine[0, 3] + column * pitch).sign()
    hu, labels = [], []
    for below in range(more, 0, -1):
        source = (column + side * (lean * step * below / pitch)).clamp(0, last)
        left, share = source.floor().long(), source - source.floor()
        right = (left + 1).clamp(max=last)
        hu.append(volume.hu[0][:, left] * (1 - share) + volume.hu[0][:, right] * share)
        labels.append(volume.labels[0][:, source.round().long()])
    affine = volume.affine.clone()
    affine[2, 3] -= more * step
    return Volume.from_hu(
        torch.cat([torch.stack(hu).to(volume.hu), volume.hu]),
        affine,
        labels=torch.cat([torch.stack(labels), volume.labels]),
        label_names=dict(volume.label_names),
    )


def _pedicles(volume: Volume, level: str, bone: Bone) -> tuple[Tensor, list[tuple[Tensor, Tensor, float]]]:
    """The vertebra's own upward direction, and for right and left pedicle: centre, way forward, width [mm].

    Behind the body a coronal section is empty in the midline (the canal) with bone on both sides of it; it is smallest
    at the isthmus of the pedicles. Coronal means along the axis from the vertebra below to the one above.
    """
    n = LEVELS.index(level)
    below, above = (Bone.of(volume, f"vertebrae_{LEVELS[m]}").points.mean(dim=0) for m in (n - 1, n + 1))
    up = _unit(above - below)
    right = _unit(torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64) - up[0] * up)
    axes = torch.stack([right, torch.linalg.cross(up, right), up], dim=1)
    origin = bone.points.mean(dim=0)
    local = (bone.points - origin) @ axes
    thick = max(2.0, float(bone.pitch.max()))
    canal = {}
    for front in torch.arange(float(local[:, 1].min()), float(local[:, 1].max()), thick / 2).tolist():
        slab = local[(local[:, 1] - front).abs() < thick / 2]
        sides = [slab[sign * slab[:, 0] > 0] for sign in (1, -1)]
        if min(map(len, sides)) and not bool((slab[:, 0].abs() < 4).any()):
            canal[front] = sides
    foremost = max(canal)
    isthmus = min((f for f in canal if f > foremost - 12), key=lambda f: sum(map(len, canal[f])))
    body = local[local[:, 1] > foremost + thick][:, 1].mean()
    middles = [blob.mean(dim=0) for blob in canal[isthmus]]
    apart = middles[0][0] - middles[1][0]
    ways = []
    for sign, middle, blob in zip((1, -1), middles, canal[isthmus], strict=True):
        ahead = torch.stack([-sign * LEAN * apart / 2, body - middle[1], torch.zeros_like(apart)])
        ways.append((origin + axes @ middle, _unit(axes @ ahead), 4 * float(blob[:, 0].std())))
    return up, ways


def _line(points: Tensor) -> tuple[Tensor, Tensor]:
    """A point on the axis of a long bone and its upward direction: a line through the middles of its cross-sections."""
    middles = torch.stack([points[points[:, 2] == z].mean(dim=0) for z in points[:, 2].unique()])
    along = torch.linalg.svd(middles - middles.mean(dim=0)).Vh[0]
    return middles.mean(dim=0), along * along[2].sign()


def _ball(mesh: Mesh) -> Tensor:
    """The middle of a stem's ball head in the stem's frame: medial-most and topmost point are one radius from it."""
    found = re.search(r"([\d.]+) mm ball head", mesh.description)
    if found is None:
        raise SystemExit(f"a hip stem should tell the size of its ball head, got {mesh.description!r}.")
    radius, high = float(found[1]) / 2, mesh.vertices.amax(dim=0).to(torch.float64)
    return torch.stack([high[0] - radius, torch.zeros_like(high[0]), high[2] - radius])


def _without(volume: Volume, name: str, point: Tensor, normal: Tensor) -> Volume:
    """The volume with the part of a bone beyond a plane turned into soft tissue."""
    if volume.hu is None or volume.labels is None:
        raise SystemExit("a resection needs Hounsfield numbers and labels, and one of them is missing.")
    (value,) = find_labels(volume.label_names, name)
    index = torch.nonzero(volume.labels == value)
    world = index.flip(-1).to(torch.float64) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    k, j, i = index[(world - point) @ normal > 0].unbind(dim=1)
    hu, labels = volume.hu.clone(), volume.labels.clone()
    hu[k, j, i], labels[k, j, i] = 40, 0
    return Volume.from_hu(hu, volume.affine, labels=labels, label_names=dict(volume.label_names))


def _catalogue(name: str, words: str) -> Mesh:
    """The built-in instrument whose description holds these words."""
    for seed in range(500):
        mesh = _numbered(name, seed)
        if words in mesh.description:
            return mesh
    raise SystemExit(f"no {name} is {words!r}.")


@cache
def _numbered(name: str, seed: int) -> Mesh:
    return instrument(name, seed=seed)


def _frame(origin: Tensor, z: Tensor, towards_y: Tensor) -> Tensor:
    """The rigid pose with this origin, this z axis and a y axis as near as can be to a direction, (4, 4)."""
    y = _unit(towards_y - (towards_y @ z) * z)
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3, :3], pose[:3, 3] = torch.stack([torch.linalg.cross(y, z), y, z], dim=1), origin
    return pose


def _unit(vector: Tensor) -> Tensor:
    return vector / vector.norm()
