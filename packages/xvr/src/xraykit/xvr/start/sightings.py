"""Points of the world as one or several cameras see them, and where to begin looking for the pose behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import Camera
from xraykit.render.geometry import rigid_inverse, rigid_matrix

from .reprojection import refined, rotation_grid


@dataclass(frozen=True, eq=False)
class Sightings:
    """N sightings of points by cameras whose places relative to each other are known.

    Args:
        points: World [mm], (.., N, 3); a point that two cameras see is there twice.
        seen: At the detector of the camera that sees it, from its principal point [mm], (.., N, 2).
        sdd: Of that camera [mm], (.., N).
        cameras: First camera to that camera, (.., N, 4, 4).
    """

    points: Tensor
    seen: Tensor
    sdd: Tensor
    cameras: Tensor

    @classmethod
    def of(cls, pairs: Sequence[tuple[Tensor, Tensor]], cameras: Sequence[Camera], relative: Tensor) -> Sightings:
        """What V cameras see.

        Args:
            pairs: For each camera, points (N_v, 3) [mm] and where it sees them, (N_v, 2) [px].
            cameras: Intrinsics.
            relative: Camera v to the first, (V, 4, 4); see `spread_to_views`.
        """
        parts = []
        for (points, uv), camera, place in zip(pairs, cameras, rigid_inverse(relative.double()), strict=True):
            sdd, spacing, centre = camera.tensors(dtype=torch.float64, device="cpu")
            seen = (uv - centre) * spacing.flip(-1)
            parts.append((points, seen, sdd[:1].expand(len(points)), place.expand(len(points), 4, 4)))
        return cls(*(torch.cat(column) for column in zip(*parts, strict=True)))

    def __len__(self) -> int:
        return self.points.shape[-2]

    def picked(self, which: Tensor) -> Sightings:
        """Some of N: a mask (N,), or numbers (T, n) for T sets of n each."""
        return Sightings(self.points[which], self.seen[which], self.sdd[which], self.cameras[which])

    def offsets(self, motions: Tensor) -> tuple[Tensor, Tensor]:
        """How far off motions (B, 4, 4), world to the first camera, see each of N [mm], (B, N), and how deep (B, N)."""
        local = self.points @ motions[:, :3, :3].mT + motions[:, None, :3, 3]
        x, y, depth = ((self.cameras[..., :3, :3] @ local[..., None])[..., 0] + self.cameras[..., :3, 3]).unbind(-1)
        at = torch.stack([x, y], dim=-1) * (self.sdd / depth)[..., None]
        return (at - self.seen).norm(dim=-1), depth

    def refined(self, *, iterations: int = 60) -> tuple[Tensor, Tensor]:
        """Motions (.., G, 4, 4), world to the first camera, refined from all turns, and their costs (.., G) [mm^2]."""
        starts = self._starts()
        batch = starts.shape[:-2]
        points, seen, sdd, cameras = (
            each.unsqueeze(len(batch) - 1).expand(*batch, *each.shape[len(batch) - 1 :]).flatten(0, len(batch) - 1)
            for each in (self.points, self.seen, self.sdd, self.cameras)
        )
        flat = starts.flatten(0, len(batch) - 1)
        motions, cost = refined(flat, points, seen, sdd, cameras=cameras, iterations=iterations)
        return motions.unflatten(0, batch), cost.unflatten(0, batch)

    def _starts(self) -> Tensor:
        """World to the first camera (.., G, 4, 4) for G turns: at each the shift that the sightings ask for."""
        turns = rotation_grid()
        is_one = bool((self.cameras == self.cameras[..., :1, :, :]).all())
        shift = self._shift_of_spread(turns) if is_one else self._shift_of_rays(turns)
        return rigid_matrix(turns.expand(*shift.shape[:-1], 3, 3), shift)

    def _shift_of_spread(self, turns: Tensor) -> Tensor:
        """For one camera, (.., G, 3): the centroid where it is seen, as deep as the points' spread says."""
        centroid, sdd = self.points.mean(-2, keepdim=True), self.sdd[..., 0]
        wide = (self.points - centroid).square().sum((-2, -1)) * 2 / 3  # of it two thirds lie across the beam
        seen = (self.seen - self.seen.mean(-2, keepdim=True)).square().sum((-2, -1)).clamp_min(1e-6)
        depth = (sdd * (wide / seen).sqrt()).clamp(0.2 * sdd, 1.2 * sdd)
        place = torch.cat([self.seen.mean(-2) * (depth / sdd)[..., None], depth[..., None]], dim=-1)
        to_first = rigid_inverse(self.cameras[..., 0, :, :])
        place = (to_first[..., :3, :3] @ place[..., None])[..., 0] + to_first[..., :3, 3]
        return place[..., None, :] - (turns @ centroid.mT.unsqueeze(-3))[..., 0]

    def _shift_of_rays(self, turns: Tensor) -> Tensor:
        """For several, (.., G, 3): where the turned points lie nearest to the rays on which they are seen."""
        to_first = rigid_inverse(self.cameras)
        ray = F.normalize(torch.cat([self.seen, self.sdd[..., None]], dim=-1), dim=-1)
        ray = (to_first[..., :3, :3] @ ray[..., None])[..., 0]
        off = torch.eye(3, dtype=ray.dtype) - ray[..., :, None] * ray[..., None, :]
        turned = torch.einsum("gij,...nj->...gni", turns, self.points)
        away = to_first[..., None, :, :3, 3] - turned  # (.., G, N, 3)
        asked = torch.einsum("...nij,...gnj->...gi", off, away)
        return (torch.linalg.pinv(off.sum(-3), hermitian=True)[..., None, :, :] @ asked[..., None])[..., 0]
