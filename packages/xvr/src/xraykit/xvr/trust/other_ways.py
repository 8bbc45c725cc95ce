"""Whether a failed registration succeeds with the picture the other way: mirrored, or with bone and air exchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from xraykit.render import Camera

from ..refine.climb_settings import FINE, RegistrationSettings
from ..refine.registration import register_structures
from ..refine.structure import Structure
from ..xray.shot import Shot
from .judge_registration import judge
from .judgement import percent

LIKELY = 0.5  # chance of success that explains a failure


def other_ways(
    shots: Sequence[Shot], structures: Sequence[Structure], starts: Tensor, settings: RegistrationSettings
) -> tuple[str, ...]:
    """A sentence for each way in which the X-rays, turned that way, are registered from the same starts.

    Tags and stated angles hold for the picture as it should be, so the same starts serve. Scales up to 128 pixels are
    enough to see whether anything fits.

    Args:
        shots: The V X-rays of a registration that failed.
        structures: What was registered, all as one with one motion.
        starts: Camera to world, (S, V, 4, 4).
        settings: How it was registered.
    """
    coarse = replace(settings.part(slice(0, max(1, sum(scale <= FINE for scale in settings.scales)))), intrinsics=())
    found = []
    for turned, sentence in WAYS.items():
        seen = [turned(shot) for shot in shots]
        trust = judge(register_structures(seen, structures, starts, coarse), seen, structures)
        if trust.success_probability >= LIKELY:
            found.append(sentence.format(chance=percent(trust.success_probability)))
    return tuple(found)


def mirrored(shot: Shot) -> Shot:
    """The X-ray with left and right exchanged, and the principal point with them."""
    camera = shot.camera
    if camera.principal_point is not None:
        point = torch.as_tensor(camera.principal_point, dtype=torch.float64)
        across = torch.stack([camera.width - point[..., 0], point[..., 1]], dim=-1)
        camera = Camera(camera.sdd, camera.height, camera.width, camera.pixel_spacing, across)
    valid = None if shot.valid is None else shot.valid.flip(-1)
    return replace(shot, image=shot.image.flip(-1), valid=valid, camera=camera)


def inverted(shot: Shot) -> Shot:
    """The X-ray with bone dark where it was bright."""
    return replace(shot, image=-shot.image)


WAYS: Mapping[Callable[[Shot], Shot], str] = {
    mirrored: "mirrored left to right the picture fits (chance of success {chance}): the file is probably stored "
    "mirrored, or not mirrored where it was said to be; see --mirror and --no-mirror",
    inverted: "with bone and air exchanged the picture fits (chance of success {chance}): its polarity is probably the "
    "other one; see --polarity",
}
