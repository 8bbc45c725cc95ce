"""Whether the implant of the other side would fit better: the same X-rays, tried once more with the mirrored mesh."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from xraykit.render import Mesh
from xraykit.render.geometry import rigid_inverse, rigid_matrix

from .answers import SYMMETRIC
from .candidates import outline_for
from .fit import ImplantFit, climb
from .implant import Implant
from .objective import RimTarget
from .symmetry import likely_symmetries, lookalikes

CLEARLY = (
    0.04  # correlation by which the mirrored mesh must fit better; in two real views the sides differ by 0.15 to 0.23
)
FIRST, KEPT = 4, 2  # steps after which so many starts go on


class MirrorImage(NamedTuple):
    """An implant mirrored in its own sagittal plane, and where its mirror image shows about the same.

    implant; planes (4, 3, 3), the reflections of the mesh's frame about its pivot, the one that was taken first.
    """

    implant: Implant
    planes: Tensor

    def starts(self, original: Implant, poses: Float[Tensor, "views 4 4"]) -> Float[Tensor, "starts views 4 4"]:
        """Where the mirror image is seen about as the original is at `poses`, camera to mesh.

        As the reflections leave the original about as it was; and turned in depth, F R S with F the reflection along
        the first view's ray, which under parallel beams has the very same shadow.
        """
        to_camera, pivot = rigid_inverse(poses[0]), original.pivot
        middle = to_camera[:3, :3] @ pivot + to_camera[:3, 3]
        rotation = to_camera[:3, :3] @ self.planes @ self.planes[0]
        beside = rigid_inverse(rigid_matrix(rotation, middle - rotation @ pivot))[:, None] @ (to_camera @ poses)
        return torch.cat([lookalikes(original, poses, self.planes[:1]), beside])


def mirror_image(implant: Implant) -> MirrorImage | None:
    """The implant of the other side; None where it is this one, because the mesh is symmetric.

    The mesh is mirrored in the reflection along its principal axes that takes it nearest onto itself, and its faces
    are turned outwards again.
    """
    maps, away = likely_symmetries(implant)
    is_mirror = torch.linalg.det(maps) < 0
    planes = maps[is_mirror]
    if float(away[is_mirror][0]) < SYMMETRIC * implant.radius:
        return None
    mesh, pivot = implant.mesh, implant.pivot
    vertices = (mesh.vertices.double() - pivot) @ planes[0].mT + pivot
    flipped = Mesh(
        vertices.to(mesh.vertices), mesh.faces.flip(1), name=mesh.name, material=mesh.material, doubts=mesh.doubts
    )
    return MirrorImage(Implant(flipped, implant.material), planes)


class SideFit(NamedTuple):
    """Correlations along the outline of the mesh as it was given and mirrored, at one scale."""

    given: float
    mirrored: float


def compare_sides(
    targets: tuple[RimTarget, ...], implant: Implant, mirror: MirrorImage, poses: Tensor, settings: ImplantFit
) -> SideFit:
    """Fit the mesh from where it was found, and its mirror image from where that shows about the same.

    Args:
        targets: V views at one scale; a coarse one will do.
        implant: As it was given.
        mirror: Its mirror image.
        poses: Camera to mesh, where it was found, (V, 4, 4).
        settings: How to climb; the final reach decides.
    """
    starts = mirror.starts(implant, poses)
    return SideFit(_fit(targets, implant, poses[None], settings), _fit(targets, mirror.implant, starts, settings))


def _fit(targets: tuple[RimTarget, ...], implant: Implant, starts: Tensor, settings: ImplantFit) -> float:
    """The best correlation that a climb from the starts (S, V, 4, 4) reaches."""
    outline = outline_for(implant, targets)
    if len(starts) > KEPT:
        first = climb(targets, outline, starts, replace(settings, iterations=FIRST))
        starts = first.poses[first.at.value.argsort(descending=True)[:KEPT]]
    near = climb(targets, outline, starts, settings)
    best = near.poses[near.at.value.argmax()][None]
    return float(climb(targets, outline, best, replace(settings, reach=settings.last_reach)).at.value.max())


def side_doubts(
    targets: tuple[RimTarget, ...], implant: Implant, poses: Float[Tensor, "views 4 4"], settings: ImplantFit
) -> list[str]:
    """What is said where the mirrored mesh fits clearly better; nothing in one view, which hardly tells the sides.

    Under parallel beams a mesh and its mirror image turned in depth throw one shadow; what the divergence of real beams
    leaves between them is 0.03 to -0.01 of correlation on real knees, too little to speak of.
    """
    mirror = mirror_image(implant) if len(targets) > 1 else None
    if mirror is None:
        return []
    fit = compare_sides(targets, implant, mirror, poses, settings)
    if fit.mirrored < fit.given + CLEARLY:
        return []
    return [
        f"{implant.name}: mirrored it fits clearly better ({fit.mirrored:.2f}, as given {fit.given:.2f}): this may be "
        "the implant of the other side; give its mesh."
    ]
