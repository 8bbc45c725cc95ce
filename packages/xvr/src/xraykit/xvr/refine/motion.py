"""The unknowns of a registration: where each structure is seen from, and what is not known of cameras and scatter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from xraykit.render import Camera
from xraykit.render.geometry import nearest_rotation, rigid_matrix, se3_exp

from .scatter import LOWEST

INTRINSICS = {"sdd": (0,), "principal_point": (1, 2)}
"""What may be refined of a camera, and which of its three corrections that is."""


@dataclass(frozen=True, eq=False)
class Motion:
    """B candidates: poses of V views for each of K structures, and corrections of their camera.

    Structure k moves rigidly in front of all views at once, so a twist x_k (w [rad], v [mm]) about pivot p_k turns
    every pose of that structure by the same world motion, C' = T(p) exp(x) T(-p) C; the views keep their places
    relative to each other.

    Args:
        poses: Camera to world of structure k's volume, (B, K, V, 4, 4) float64.
        pivots: (K, 3) world RAS [mm].
        lens: Corrections of (sdd, c_x, c_y), all in millimetres at the detector and the same for every view (one C-arm
            made them), (B, 3) float64.
        ceilings: Of the scatter in each view, see scatter.py, (B, V) float64; infinite where there is none.
    """

    poses: Tensor
    pivots: Tensor
    lens: Tensor
    ceilings: Tensor

    @classmethod
    def of(cls, starts: Tensor, pivots: Tensor, ceilings: float | Tensor = math.inf) -> Motion:
        """Every structure where the starts (S, V, 4, 4) or (S, K, V, 4, 4) have it, the cameras as given."""
        every = starts if starts.ndim == 5 else starts[:, None]
        poses = every.double().expand(-1, len(pivots), -1, -1, -1).clone()
        return cls(
            poses,
            pivots.double(),
            poses.new_zeros(len(starts), 3),
            ceilings * poses.new_ones(poses[:, 0, :, 0, 0].shape),
        )

    def __len__(self) -> int:
        return len(self.poses)

    def __getitem__(self, index: Tensor | slice) -> Motion:
        return replace(self, poses=self.poses[index], lens=self.lens[index], ceilings=self.ceilings[index])

    @property
    def scattered(self) -> bool:
        """Whether there is scatter in every view of every candidate."""
        return bool(self.ceilings.isfinite().all())

    def with_more(self, others: Motion) -> Motion:
        """These candidates and others of the same structures."""
        both = {name: torch.cat([getattr(self, name), getattr(others, name)]) for name in ("poses", "lens", "ceilings")}
        return replace(self, **both)

    def camera(self, given: Camera) -> Camera:
        """The corrected cameras (one per candidate) of a view that came with `given`."""
        if not bool(self.lens.any()):
            return given
        sdd, spacing, centre = given.tensors(dtype=torch.float64, device="cpu")
        lens = self.lens
        return replace(given, sdd=sdd + lens[:, 0], principal_point=centre + lens[:, 1:] / spacing.flip(-1))

    def moved(self, step: Tensor, intrinsics: Sequence[str] = ()) -> Motion:
        """After a step (B, 6 K + n) or (B, 6 K + n + V).

        K twists, then the n asked corrections (see `INTRINSICS`), then, if they are free, the ceilings of V views.
        """
        structures = self.poses.shape[1]
        twists, rest = step[:, : 6 * structures].unflatten(1, (structures, 6)), step[:, 6 * structures :]
        identity = torch.eye(3, dtype=torch.float64).expand(len(step), structures, 3, 3)
        pivots = self.pivots.expand(len(step), -1, -1)
        turn = se3_exp(torch.cat([twists[..., 3:], twists[..., :3]], dim=-1))
        world = rigid_matrix(identity, pivots) @ turn @ rigid_matrix(identity, -pivots)
        asked, lens, ceilings = corrections(intrinsics), self.lens.clone(), self.ceilings
        lens[:, asked] += rest[:, : len(asked)]
        if rest.shape[1] > len(asked):
            ceilings = (ceilings + rest[:, len(asked) :]).clamp_min(LOWEST)
        return replace(self, poses=orthonormal(world[:, :, None] @ self.poses), lens=lens, ceilings=ceilings)


def lens_between(given: Camera, other: Camera) -> Tensor:
    """The corrections (3,) that make of a camera another of the same detector, see `Motion.camera`."""
    (sdd, spacing, centre), (to, _, middle) = (one.tensors(dtype=torch.float64, device="cpu") for one in (given, other))
    return torch.cat([(to - sdd).reshape(1), ((middle - centre) * spacing.flip(-1)).reshape(2)])


PRIOR = (200.0, 5.0, 5.0)
"""How far off sdd and principal point are thought to be [mm]: what the images leave open stays as it was given."""


def corrections(intrinsics: Sequence[str]) -> list[int]:
    """The places of the asked intrinsics among (sdd, c_x, c_y)."""
    return [place for name in INTRINSICS if name in intrinsics for place in INTRINSICS[name]]


def orthonormal(poses: Tensor) -> Tensor:
    """The poses with the rounding of many products taken out of their rotations."""
    rotation = nearest_rotation(poses[..., :3, :3])
    return torch.cat([torch.cat([rotation, poses[..., :3, 3:]], dim=-1), poses[..., 3:, :]], dim=-2)
