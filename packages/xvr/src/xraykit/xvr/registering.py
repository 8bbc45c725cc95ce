"""Registration of whatever has a pose of its own: volumes by their DRRs, implants by their outlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from torch import Tensor

from xraykit.render import InputError, Volume

from .implants.answers import ImplantRegistration
from .implants.implant import Implant
from .implants.registration import register_implants
from .implants.settings import ImplantSettings
from .refine.climb_settings import RegistrationSettings
from .refine.registration import RefinementStep, Registration, register_structures
from .refine.structure import Structure
from .xray.shot import Shot


@overload
def register(
    shots: Shot | Sequence[Shot],
    structures: Volume | Structure | Sequence[Volume | Structure],
    starts: Tensor,
    settings: RegistrationSettings | None = ...,
    *,
    report: Callable[[RefinementStep], None] | None = ...,
) -> Registration: ...
@overload
def register(
    shots: Shot | Sequence[Shot],
    structures: Implant | Sequence[Implant],
    starts: Tensor | None = ...,
    settings: ImplantSettings | None = ...,
    *,
    cameras: Tensor | None = ...,
) -> ImplantRegistration: ...
def register(
    shots: Shot | Sequence[Shot],
    structures: Volume | Structure | Implant | Sequence[Volume | Structure | Implant],
    starts: Tensor | None = None,
    settings: RegistrationSettings | ImplantSettings | None = None,
    *,
    report: Callable[[RefinementStep], None] | None = None,
    cameras: Tensor | None = None,
) -> Registration | ImplantRegistration:
    """Find the pose of X-rays relative to a volume, to several rigid structures, or to implants.

    Volumes and structures are compared by the sum of their line integrals, see `register_structures` of `.refine`;
    implants each by its outline and shadow, see `register_implants`.

    Args:
        shots: V X-rays of one moment.
        structures: Volumes and structures, or implants; one alone will do.
        starts: Camera to world, (S, V, 4, 4), for volumes; camera to mesh, (S, K, V, 4, 4), for K implants, which are
            searched for without.
        settings: `RegistrationSettings` for volumes, `ImplantSettings` for implants; None is all defaults.
        report: For volumes, called after every step.
        cameras: For implants, camera to world of the X-rays, (V, 4, 4), where several are searched without starts.

    Returns:
        `Registration`, or `ImplantRegistration`.

    Raises:
        InputError: Volumes beside implants, settings of the other kind, volumes without starts, or what the functions
            named above refuse.
        GeometryError: A start is no rigid motion.
    """
    given = tuple(structures) if isinstance(structures, Sequence) else (structures,)
    implants = [body for body in given if isinstance(body, Implant)]
    bodies = [body for body in given if isinstance(body, Volume | Structure)]
    if len(bodies) not in (0, len(given)) or len(implants) + len(bodies) < len(given):
        kinds = ", ".join(sorted({type(body).__name__ for body in given}))
        raise InputError(f"register volumes and structures, or implants, in one call, got {kinds}.")
    if implants:
        if report is not None or isinstance(settings, RegistrationSettings):
            raise InputError("implants take ImplantSettings and report no steps, got what volumes take.")
        return register_implants(shots, implants, starts, settings, cameras=cameras)
    if isinstance(settings, ImplantSettings) or cameras is not None:
        raise InputError("volumes take RegistrationSettings and no cameras, got what implants take.")
    if starts is None:
        raise InputError("volumes need starts, got none; starts_from_search and its like make them.")
    return register_structures(shots, bodies, starts, settings, report=report)
