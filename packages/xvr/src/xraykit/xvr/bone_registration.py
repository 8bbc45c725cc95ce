"""Registration of bones that have a CT of their own each: placed one by one, refined and judged together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor

from .procedure import XrayRegistration, register_xrays
from .procedure_settings import ProcedureSettings
from .refine.pyramid import scales_showing
from .refine.registration import RefinementStep
from .refine.settings import RefinementSettings
from .refine.structure import NamedStructures
from .start.bones import find_bone_starts
from .start.given import GivenStarts
from .xray.input_files import InputFiles
from .xray.shot import Shot


def register_bones(
    shots: Sequence[Shot],
    bones: NamedStructures,
    settings: ProcedureSettings | None = None,
    *,
    starts: Tensor | GivenStarts | None = None,
    files: InputFiles | None = None,
    report: Callable[[RefinementStep], None] | None = None,
) -> XrayRegistration:
    """Find the pose of each of several bones in X-rays of one moment, by `register_xrays`.

    The sum of the bones' line integrals is compared with the X-rays, so that bones in front of each other do no harm.
    What the X-rays show besides, soft tissue and other bones, is not modelled: it moves a view by itself along its beam
    by more than noise tells, so that stated geometry is not checked here.

    Args:
        shots: The V X-rays, calibrated if there are several.
        bones: By their names; the world of each is its own CT's.
        settings: How; the scales are fitted to the bones, see `scaled_to_bones`. None is all defaults.
        starts: Candidates, (S, K, V, 4, 4) camera to the CT of each bone; None takes what the settings name, an earlier
            result, a pose or landmarks for each bone.
        files: As the user named them.
        report: Called after every step of the refinements.

    Returns:
        The record, whose poses are (K, V, 4, 4), and the refinement behind it.

    Raises:
        InputError: A start that does not fit.
        FileError: A start that cannot be read.
    """
    shots, how, notes = tuple(shots), settings or ProcedureSettings(), ()
    if starts is None:
        paths = () if files is None else files.xrays
        starts, notes = find_bone_starts(how.start, bones, shots, paths=paths, reading=how.xray)
    given = starts if isinstance(starts, GivenStarts) else GivenStarts(starts)
    refinement = scaled_to_bones(how.refinement, bones, shots, given.poses[0])
    if refinement.scales != how.refinement.scales:
        notes = (*notes, f"scales {', '.join(map(str, refinement.scales))} px, by the size of the bones")
    first, how = bones.bodies[0].volume, replace(how, refinement=replace(refinement, check_geometry=False))
    found = register_xrays(shots, first, how, structures=bones, starts=given, files=files, report=report)
    return replace(found, record=replace(found.record, notes=(*found.record.notes, *notes)))


def scaled_to_bones(
    refinement: RefinementSettings, bones: NamedStructures, shots: Sequence[Shot], poses: Tensor
) -> RefinementSettings:
    """The refinement at scales that show the smallest bone at poses (K, V, 4, 4), unless scales were stated."""
    if refinement.scales != RefinementSettings().scales:
        return refinement
    volumes = [body.volume for body in bones.bodies]
    each = [scales_showing(shot.camera, poses[:, v], volumes) for v, shot in enumerate(shots)]
    return replace(refinement, scales=max(each))
