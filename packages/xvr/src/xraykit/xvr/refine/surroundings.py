"""Chosen structures among the rest of the CT, which the X-ray shows as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from xraykit.render import Volume
from xraykit.render.geometry import full_precision

from ..xray.shot import Shot
from .climb_settings import RegistrationSettings
from .registration import RefinementStep, Registration, register_structures
from .structure import NamedStructures, Structure, Surroundings, structure_of

DENSE = 0.01  # 1/mm: half of water, so that air and lung do not count as soft tissue
LEAST_REST = 0.05  # of the CT's attenuation: what is left has to matter
DENSER = 0.1  # of a structure's attenuation that must exceed soft tissue's, or it is taken whole


@full_precision
def structures_among(
    volume: Volume, chosen: Mapping[str, Sequence[int]], isocenter: Tensor | None = None
) -> NamedStructures:
    r"""Rigid structures by their labels, and what lies around them.

    An X-ray of a pelvis shows belly, spine and thighs too; the pelvis alone resembles it little. So the CT is split,

        mu = sum_k e_k + rest,    e_k = max(mu - soft, 0) inside structure k, 0 elsewhere,

    with `soft` the median of what attenuates around the structures: where a bone moves it leaves soft tissue behind,
    not a hole. A structure that is hardly denser than that is taken whole.

    Args:
        volume: The CT with its label map.
        chosen: The labels of each structure by its name.
        isocenter: See `NamedStructures`.

    Returns:
        The structures e_k with their surroundings; without, and unsplit, where hardly anything is left around them.

    Raises:
        InputError: No label map, or labels that do not occur.
    """
    whole = {name: structure_of(volume, tuple(labels)) for name, labels in chosen.items()}
    mu = volume.mu.float() * volume.mu_scale
    inside = torch.zeros_like(mu, dtype=torch.bool)
    for body in whole.values():
        inside |= body.mu != 0
    around = mu[~inside & (mu > DENSE)]
    if float(around.sum()) < LEAST_REST * float(mu.clamp_min(0).sum()):
        return NamedStructures({name: Structure.of(body) for name, body in whole.items()}, isocenter)
    soft, rest, found = float(around[:: max(1, len(around) // 100_000)].median()), mu, {}
    for name, body in whole.items():
        own = torch.where(body.mu != 0, mu, torch.zeros(()))
        excess = torch.where(body.mu != 0, (mu - soft).clamp_min(0), torch.zeros(()))
        part = excess if float(excess.sum()) > DENSER * float(own.sum()) else own
        rest, found[name] = rest - part, Structure.of(Volume(part, volume.affine))
    surroundings = Surroundings(Structure.of(volume), Structure.of(Volume(rest, volume.affine)))
    return NamedStructures(found, isocenter, surroundings)


def register_among(
    shots: Sequence[Shot],
    named: NamedStructures,
    starts: Tensor,
    settings: RegistrationSettings,
    *,
    report: Callable[[RefinementStep], None] | None = None,
) -> Registration:
    """Find the poses of structures, and of what lies around them if that is known, which comes last.

    The whole CT shows the way: it moves as one at all scales but the last. From where it ends, and from the starts as
    they were given, the structures and the rest then move each by itself, at all scales but the first.

    Args:
        shots: The V X-rays.
        named: The K structures.
        starts: Camera to world, (S, V, 4, 4).
        settings: How to climb.
        report: As for `register_structures`.

    Returns:
        The registration of `named.rendered`, K or K + 1 bodies.

    Raises:
        InputError: As for `register_structures`.
        GeometryError: A start is no rigid motion.
    """
    around = named.surroundings
    if around is None:
        return register_structures(shots, named.bodies, starts, settings, report=report)
    coarse = replace(settings.part(slice(None, -1)), intrinsics=())
    together = register_structures(shots, around.whole, starts, coarse, report=report)
    ends = [one.poses[0] for one in together.candidates if one.scale == coarse.scales[-1]]
    unmoved = starts.double() if len(starts) <= settings.keep else together.start[None]
    given = torch.cat([torch.stack(ends), unmoved])
    apart = register_structures(shots, named.rendered, given, settings.part(slice(1, None)), report=report)
    is_unmoved = bool((unmoved == apart.start).flatten(1).all(1).any())
    before = () if is_unmoved else together.history
    return replace(
        apart,
        start=apart.start if is_unmoved else together.start,
        history=(*(replace(s, poses=s.poses.expand_as(apart.poses)) for s in before), *apart.history),
        seconds=together.seconds + apart.seconds,
    )


def first_structures(registration: Registration, count: int) -> Registration:
    """The registration as far as it tells of the first structures."""
    return replace(
        registration,
        poses=registration.poses[:count],
        covariance=registration.covariance[:count],
        view_covariance=None if registration.view_covariance is None else registration.view_covariance[:, :count],
        pivot=registration.pivot[:count],
        candidates=tuple(replace(one, poses=one.poses[:count]) for one in registration.candidates),
        history=tuple(replace(step, poses=step.poses[:count]) for step in registration.history),
    )
