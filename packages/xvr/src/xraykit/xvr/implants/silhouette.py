"""Where the outline of a mesh lies in an image: points of its rim in space, and the outward normal in the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import Camera
from xraykit.render.geometry import rigid_inverse, transform_points
from xraykit.render.meshes import thickness

from .implant import Implant

NEAREST = 10.0  # closest that a mesh may come to the source [mm]


class Rim(NamedTuple):
    """N points of the outline of B poses.

    points (B, N, 3) in the mesh's frame [mm]; seen (B, N, 3) in the camera's [mm]; uv (B, N, 2) [px]; normal
    (B, N, 2), outward unit vectors in the picture; kept (B, N), points that lie on the outline.
    """

    points: Tensor
    seen: Tensor
    uv: Tensor
    normal: Tensor
    kept: Tensor


class Patch(NamedTuple):
    """Shadows (B, 1, h, w) in windows of an image whose corners are at `corner` (B, 2) [px], x and y."""

    image: Tensor
    corner: Tensor


@dataclass(frozen=True, eq=False)
class Outline:
    """An implant prepared to be outlined again and again.

    Args:
        implant: The implant, at the detail that the image needs.
        count: Points along the outline.
        margin: Pixels rendered around the implant.
    """

    implant: Implant
    count: int = 300
    margin: int = 12

    @cached_property
    def edges(self) -> tuple[Tensor, Tensor]:
        """Edges (E, 2) as vertex numbers, and the two faces (E, 2) at each."""
        faces = self.implant.mesh.faces
        ends = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        face = torch.arange(len(faces)).repeat(3)
        low, high = ends.amin(1), ends.amax(1)
        order = (low * (int(faces.max()) + 1) + high).argsort(stable=True)
        low, high, face = low[order], high[order], face[order]
        first = torch.arange(len(low) - 1)
        same = (low[1:] == low[:-1]) & (high[1:] == high[:-1])
        first = first[same]
        return torch.stack([low[first], high[first]], 1), torch.stack([face[first], face[first + 1]], 1)

    @cached_property
    def planes(self) -> tuple[Tensor, Tensor]:
        """Normal (F, 3), not of unit length, and a corner (F, 3) of every face, float64."""
        a, b, c = (self.implant.mesh.vertices.double()[self.implant.mesh.faces[:, n]] for n in range(3))
        return torch.linalg.cross(b - a, c - a), a

    def render(self, camera: Camera, poses: Tensor) -> Patch:
        """The shadow around the implant at poses (B, 4, 4), camera to mesh; see `Implant.shadow`."""
        focal, centre = focal_and_centre(camera)
        middle = transform_points(rigid_inverse(poses), self.implant.pivot[None].expand(len(poses), 1, 3))[:, 0]
        depth = middle[:, 2].clamp_min(NEAREST + self.implant.radius)
        uv = focal * middle[:, :2] / depth[:, None] + centre
        reach = float((focal.max() * self.implant.radius / (depth - self.implant.radius).clamp_min(NEAREST)).max())
        half = min(math.ceil(reach) + self.margin, max(camera.height, camera.width))
        corner = (uv - half).floor()
        size = 2 * half + 1
        window = replace(camera, height=size, width=size, principal_point=centre - corner)
        lengths = thickness([self.implant.mesh], window, poses)
        return Patch(self.implant.shadow(lengths), corner)

    def rim(self, camera: Camera, poses: Tensor, patch: Patch) -> Rim:
        """Points spread evenly over the edges where front and back meet; those inside the outline are not kept."""
        focal, centre = focal_and_centre(camera)
        (ends, beside), (normals, corners) = self.edges, self.planes
        front = (normals * (poses[:, None, :3, 3] - corners)).sum(-1) > 0
        rim = front[:, beside[:, 0]] != front[:, beside[:, 1]]
        vertices = transform_points(rigid_inverse(poses), self.implant.mesh.vertices.double()[None])
        uv = focal * vertices[..., :2] / vertices[..., 2:].clamp_min(NEAREST) + centre
        length = torch.where(rim, (uv[:, ends[:, 0]] - uv[:, ends[:, 1]]).norm(dim=-1), 0.0).cumsum(1)
        total = length[:, -1:].clamp_min(1e-9)
        at = (torch.arange(self.count).double() + 0.5) / self.count * total
        edge = torch.searchsorted(length, at).clamp_max(len(ends) - 1)
        before = torch.where(edge > 0, length.gather(1, (edge - 1).clamp_min(0)), 0.0)
        share = ((at - before) / (length.gather(1, edge) - before).clamp_min(1e-12))[..., None].clamp(0, 1)
        a, b = self.implant.mesh.vertices.double()[ends[edge]].unbind(2)
        points = a + share * (b - a)
        seen = transform_points(rigid_inverse(poses), points)
        places = focal * seen[..., :2] / seen[..., 2:].clamp_min(NEAREST) + centre
        slope = _slopes(patch, places)
        size = slope.norm(dim=-1, keepdim=True)
        kept = (size[..., 0] > 0.1) & (seen[..., 2] > NEAREST)
        return Rim(points, seen, places, -slope / size.clamp_min(1e-9), kept)


def focal_and_centre(camera: Camera) -> tuple[Tensor, Tensor]:
    """Focal lengths and principal point (x, y) [px], (2,) float64."""
    sdd, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
    return sdd[0] / spacing[0].flip(0), centre[0]


def sample(image: Tensor, uv: Tensor) -> Tensor:
    """Bilinear values of images (B or 1, C, H, W) at pixel coordinates (B, N, S, 2), (B, C, N, S); 0 outside."""
    size = uv.new_tensor([image.shape[3], image.shape[2]])
    grid = (2 * uv / size - 1).to(image.dtype)
    return F.grid_sample(image.expand(len(uv), -1, -1, -1), grid, align_corners=False)


def smoothed(image: Tensor) -> Tensor:
    """Binomial smoothing (1, 2, 1) along both axes of (B, 1, H, W), borders repeated."""
    kernel = image.new_tensor([0.25, 0.5, 0.25])
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.reshape(1, 1, 1, 3)), kernel.reshape(1, 1, 3, 1))


def _slopes(patch: Patch, uv: Tensor) -> Tensor:
    """Slope (B, N, 2) of the smoothed silhouette (1 where there is material) at places of the whole image."""
    silhouette = smoothed(smoothed((patch.image > 0).to(patch.image)))
    down, right = torch.gradient(silhouette, dim=(2, 3))
    both = torch.cat([right, down], dim=1)
    return sample(both, (uv - patch.corner[:, None])[:, :, None])[..., 0].transpose(1, 2).to(uv.dtype)
