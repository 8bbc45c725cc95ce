"""What registration says of implants: poses, the rivals of each, and what is doubtful about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from xraykit.render.geometry import rigid_inverse

from .implant import Implant, mesh_doubts
from .symmetry import likely_symmetries

RIVAL = 0.05  # correlation by which another answer must be worse to be out of the question
SEEN = 0.4  # share of the outline inside the field: what little is seen of less does not tell by itself
SYMMETRIC = 0.03  # of the radius: an implant that maps onto itself up to this is called symmetric


@dataclass(frozen=True, eq=False)
class ImplantAnswer:
    """One place where an implant may be: poses (V, 4, 4), camera to mesh, and the correlation along its outline."""

    poses: Tensor
    score: float


@dataclass(frozen=True, eq=False)
class ImplantRegistration:
    """What was found of K implants in V views.

    Args:
        poses: (K, V, 4, 4) float64, camera to mesh k for view v, of the best answers.
        answers: For each implant the answers that differ, the best first.
        score: (K,) mean correlation along the outline, -1 to 1.
        seen: (K,) share of the outline inside the field.
        covariance: (K, 6, 6) of the left twist (w [rad], v [mm]) about pivot[k], from what the outline leaves open.
        pivot: (K, 3) in the mesh's frame [mm].
        converged: (K,) whether the last scale came to rest.
        doubts: One sentence each.
        seconds: Wall-clock time.
    """

    poses: Tensor
    answers: tuple[tuple[ImplantAnswer, ...], ...]
    score: Tensor
    seen: Tensor
    covariance: Tensor
    pivot: Tensor
    converged: Tensor
    doubts: tuple[str, ...]
    seconds: float

    @property
    def fit(self) -> Float[Tensor, " implants"]:
        """Mean correlation along what is seen of each outline, -1 to 1; less than 0.4 of it counts as 0.4."""
        return self.score / self.seen.clamp_min(SEEN)

    @property
    def mesh_to_camera(self) -> Float[Tensor, "implants views 4 4"]:
        """Where each mesh lies in the frame of each camera [mm]."""
        return rigid_inverse(self.poses)


def doubts_of(implant: Implant, answers: Sequence[ImplantAnswer], seen: float) -> list[str]:
    """What speaks against the first answer, one sentence each."""
    found = list(mesh_doubts([implant]))
    if seen < 0.7:
        found.append(f"{implant.name}: {seen:.0%} of its outline lies inside the field, the rest is not seen.")
    rivals = [answer for answer in answers[1:] if answer.score > answers[0].score - RIVAL]
    if rivals:
        away = float(likely_symmetries(implant)[1][0])
        why = f", it is nearly symmetric (to {away:.1f} mm)" if away < SYMMETRIC * implant.radius else ""
        scores = ", ".join(f"{answer.score:.2f}" for answer in rivals)
        found.append(
            f"{implant.name}: {len(rivals) + 1} answers fit about as well ({answers[0].score:.2f} and {scores}){why}; "
            "look at all of them, a second view would decide."
        )
    return found
