"""The distance from source to detector set free at the end of a registration."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch.nn import functional as F

from xraykit.render import InputError
from xraykit.render.geometry import differentiating

from ..xray.shot import Shot
from .climb_settings import RegistrationSettings
from .covariance import block_sums
from .levenberg_marquardt import maximise
from .registration import Registration
from .sdd_valley import BLOCKS, along_valley, look_over, settled, valley_objective
from .structure import Structure

AFAR, AFAR_STEPS, AFAR_SIZE = (-0.3, -0.15, 0.0, 0.15, 0.3), 4, 128  # of the SDD, refined for so many steps, px
BEYOND = 0.03  # a top farther than that is looked for once more, from there
FARTHEST = 0.08  # or from there, where it is farther still
LOOKS = 5  # at most
ENOUGH = 256  # px: finer images tell the SDD no better
SURE = 3.0  # deviations of what is gained: then something else than the stated SDD it is, whatever the valley's bend
SLIGHT = 0.005  # of the SDD: what is gained with less is gained by the pose
EDGES = (0.0, 0.0, 1.0)  # the gradient NCC alone


def freed_sdd(
    found: Registration, shots: Sequence[Shot], structures: Sequence[Structure], settings: RegistrationSettings
) -> Registration:
    r"""The answer with the distance from source to detector that fits best, moved by the same [mm] for all views.

    SDD and distance of the patient lie in a valley so flat that the grain of voxels and pixels makes it rough, and
    steps end in its next dip. So the valley is looked over: the SDD is made wrong by each of `OFFSETS`, and what fits
    best is the top of a parabola through the similarities there and their slopes (see `look_over`). If that is far
    beyond the offsets, the valley is looked over again from there. The first look is from where it is highest of what
    is seen from `AFAR`: far from its top (pixels counted at the patient, say) a valley may be flat. How well an SDD is
    known that is far from the stated one is also how surely it is more alike (see `gain_between`), and where that is
    beyond `SURE` deviations it alone counts: the stated answer may lie in a dip of its own, about which the bend tells
    nothing.

    At the first scale of at least 256 pixels, or the last one: finer ones tell it no better, and cost four times more.
    By edges alone: what lies outside a CT that ends within the patient changes greys, and with them the distance that
    fits best, by several standard deviations; edges it leaves where they are. Those that the answer shows otherwise
    than the X-rays count less. Similarity "mind" is taken as it is.

    Args:
        found: The answer for K structures in V views.
        shots: The X-rays.
        structures: All that was rendered.
        settings: How the answer was found.

    Returns:
        The answer with other poses, cameras and scatter; its `lens_covariance` (1, 1) is the variance of the SDD
        [mm^2], infinite where no SDD fits better than those around it; its `seconds` are those of this. The rest is as
        it was.
    """
    begun = time.perf_counter()
    at = next((n for n, scale in enumerate(settings.scales) if scale >= ENOUGH), len(settings.scales) - 1)
    one = replace(settings.part(slice(at, at + 1)), weights=EDGES)
    freed, variance = _from_afar(found, shots, structures, one), math.inf
    for _ in range(LOOKS):
        valley = look_over(freed, shots, structures, one)
        move = min(max(valley.top, -FARTHEST), FARTHEST) * freed.cameras[0].sdd_mm
        variance = valley.variance * freed.cameras[0].sdd_mm ** 2
        cameras = tuple(replace(camera, sdd=camera.sdd_mm + move) for camera in freed.cameras)
        there = valley.answer(replace(freed, cameras=cameras), move / freed.cameras[0].sdd_mm)
        freed = settled(there, shots, structures, one)
        if abs(valley.top) <= BEYOND:
            break
    moved = freed.cameras[0].sdd_mm - found.cameras[0].sdd_mm
    share = abs(moved) / found.cameras[0].sdd_mm
    if share > SLIGHT:
        gain = gain_between(found, freed, shots, structures, one)
        if gain > SURE:
            variance = (moved / gain) ** 2
        elif share > BEYOND:
            freed, variance = (freed, max(_finite(variance), (moved / gain) ** 2)) if gain > 0 else (found, math.inf)
    known = torch.tensor([[variance]], dtype=torch.float64)
    return replace(freed, lens_covariance=known, seconds=time.perf_counter() - begun)


def _finite(number: float) -> float:
    return number if math.isfinite(number) else 0.0


@differentiating
def _from_afar(
    found: Registration, shots: Sequence[Shot], structures: Sequence[Structure], settings: RegistrationSettings
) -> Registration:
    """The answer, settled, with the SDD wrong by that of `AFAR` which fits best."""
    small = replace(settings, scales=(min(AFAR_SIZE, settings.scales[-1]),))
    motion = along_valley(found, AFAR)
    try:
        objective = valley_objective(found, along_valley(found, (0.0,)), shots, structures, small)
    except InputError:  # a narrow field, of which only finer pixels show enough
        return found
    ended, at, _ = maximise(objective, motion, iterations=AFAR_STEPS, settings=settings.levenberg_marquardt)
    best = int(at.value.argmax())
    if AFAR[best] == 0.0:
        return found
    cameras = tuple(replace(one, sdd=one.sdd_mm + AFAR[best] * found.cameras[0].sdd_mm) for one in found.cameras)
    there = replace(found, poses=ended.poses[best], cameras=cameras, scatter=torch.exp(-ended.ceilings[best]))
    return settled(there, shots, structures, settings)


@differentiating
def gain_between(
    found: Registration,
    freed: Registration,
    shots: Sequence[Shot],
    structures: Sequence[Structure],
    settings: RegistrationSettings,
) -> float:
    r"""By how many standard deviations edges are more alike with another SDD than with the stated one.

        sum_b d_b / sqrt(n / (n - 1) sum_b (d_b - mean d)^2)

    over n squares of a sixth of the window in all views, d_b being what trusted edges in it gain in similarity.
    """
    motion = along_valley(found, (0.0,)).with_more(along_valley(freed, (0.0,)))
    sdds = [one.cameras[0].sdd_mm - found.cameras[0].sdd_mm for one in (found, freed)]
    motion = replace(motion, lens=F.pad(motion.lens.new_tensor(sdds)[:, None], (0, 2)))
    objective = valley_objective(found, motion[:1], shots, structures, settings)
    gains = []
    for view, target in enumerate(objective.targets):
        shown = objective.edges(view, motion)
        edges = target.terms[2].trusting(shown)
        local = edges.value(shown)[1].local
        gain = (edges.weight * (local[1:] - local[:1])).sum(1)
        gains.append(block_sums(gain.double(), -(-max(gain.shape[1:]) // BLOCKS))[0])
    each = torch.cat(gains)
    each = each[each != 0]
    spread = float(each.std()) * math.sqrt(len(each)) if len(each) > 1 else 0.0
    return float(each.sum()) / spread if spread else 0.0
