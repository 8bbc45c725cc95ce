"""Rigid alignment of a patient's CT to a template: mutual information, from coarse to fine, from several starts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from xraykit.render import InputError, Volume
from xraykit.render.geometry import box_corners, check_pose, full_precision, rigid_inverse

from .executables import run_executable
from .itk_images import BodyImage, body_image, coarser, rigid_motion, rigid_transform
from .settings import AlignmentSettings

if TYPE_CHECKING:
    import SimpleITK

LEVELS = (4, 2, 1)  # voxel sizes in units of the working spacing
SAMPLES, SEED = 40_000, 1
STEP = 40.0  # mm between starts along the body


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where a CT lies in a template.

    Attributes:
        warp: Template RAS to patient RAS [mm], (4, 4) float64, rigid: what `frame="template"` networks need.
        similarity: Mutual information of the two, over the CT's body [nats]; more is better.
        before: The same for the start that led there.
        overlap: Share of the CT's box that lies inside the template's, 0 to 1.
        method: What aligned.
    """

    warp: Tensor
    similarity: float
    before: float
    overlap: float
    method: str


@full_precision
def align_to_template(
    ct: Volume,
    template: Volume,
    settings: AlignmentSettings | None = None,
    *,
    start: Tensor | None = None,
    report: Callable[[str], object] | None = None,
) -> Alignment:
    """Find the rigid motion from the template's world to the CT's.

    Without a `start`, the bodies' centroids, the middles of the two grids, and steps along the body where the CT
    covers a part of the template are tried; the best few are refined.

    Args:
        ct: The patient's CT (or MR).
        template: The template image in its own world.
        settings: Method and effort; None for the defaults.
        start: A warp to begin with, (4, 4), template RAS to patient RAS.
        report: Called with one line per stage.

    Raises:
        InputError: Images that show nothing or too little, a start at which they do not meet.
        GeometryError: Sheared voxel axes, or a start that is not rigid.
        BackendUnavailableError: An executable that is not on the PATH.
    """
    settings = settings or AlignmentSettings()
    say = report or (lambda line: None)
    fixed = body_image(ct, spacing=settings.spacing, name="the CT")
    moving = body_image(template, spacing=settings.spacing, name="the template")
    ranked = _ranked_starts(ct, template, fixed, moving, start, settings)
    say(f"{len(ranked)} starts, mutual information {ranked[0][0]:.3f} at the best")
    tries = [(start, start) for _, start in ranked[: settings.starts]]  # where a try began, and where it is
    if settings.method == "simpleitk":
        for factor in LEVELS:
            pair = coarser(fixed, factor), coarser(moving, factor)
            found = [(*_optimise(*pair, motion, settings), origin) for origin, motion in tries]
            similarity, motion, origin = max(found, key=lambda item: item[0])
            tries = [(origin, motion)]
            say(f"voxels of {factor * settings.spacing:g} mm: mutual information {similarity:.3f}")
    origin, motion = tries[0]
    warp = rigid_inverse(motion)
    if settings.method != "simpleitk":
        warp = run_executable(ct, template, settings.method, start=warp)
    before, similarity = (_similarity(fixed, moving, m, settings) for m in (origin, rigid_inverse(warp)))
    if before is None or similarity is None:
        raise InputError("the alignment left the CT outside the template; check that both show the same anatomy.")
    return Alignment(warp, similarity, before, _overlap(ct, template, rigid_inverse(warp)), settings.method)


def _ranked_starts(
    ct: Volume,
    template: Volume,
    fixed: BodyImage,
    moving: BodyImage,
    start: Tensor | None,
    settings: AlignmentSettings,
) -> list[tuple[float, Tensor]]:
    """Starts as motions of the CT into the template, best first, each with its mutual information."""
    if start is not None:
        motions = [rigid_inverse(check_pose(start.double().reshape(1, 4, 4), name="start")[0])]
    else:
        motions = [_shift(offset) for offset in _offsets(ct, template, fixed, moving)]
    pair = coarser(fixed, LEVELS[0]), coarser(moving, LEVELS[0])
    scored = [(_similarity(*pair, motion, settings), motion) for motion in motions]
    ranked = sorted(((score, motion) for score, motion in scored if score is not None), key=lambda item: -item[0])
    if not ranked:
        raise InputError("the CT must meet the template somewhere, got none at the start; give another start.")
    return ranked


def _offsets(ct: Volume, template: Volume, fixed: BodyImage, moving: BodyImage) -> list[Tensor]:
    """Translations to try [mm RAS]: centroid on centroid, grid on grid, and steps along the body."""
    centroid, grid = moving.centroid - fixed.centroid, template.center - ct.center
    (low, high), (first, last) = (box_corners(v.shape, v.affine)[:, 2].aminmax() for v in (ct, template))
    slack = float((last - first) - (high - low))
    offsets = [centroid, grid, torch.stack([centroid[0], centroid[1], grid[2]])]
    steps = int(slack // (2 * STEP))
    for step in range(-steps, steps + 1):
        offsets.append(torch.stack([centroid[0], centroid[1], grid[2] + step * STEP]))
    return offsets


def _shift(offset: Tensor) -> Tensor:
    motion = torch.eye(4, dtype=torch.float64)
    motion[:3, 3] = offset
    return motion


def _method(fixed: BodyImage, settings: AlignmentSettings) -> SimpleITK.ImageRegistrationMethod:
    """Mattes' mutual information over a sample of the CT's body."""
    import SimpleITK

    method = SimpleITK.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(settings.bins)
    method.SetMetricFixedMask(fixed.mask)
    share = min(1.0, SAMPLES / fixed.image.GetNumberOfPixels())
    if share < 1:
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(share, SEED)
    method.SetInterpolator(SimpleITK.sitkLinear)
    return method


def _similarity(fixed: BodyImage, moving: BodyImage, motion: Tensor, settings: AlignmentSettings) -> float | None:
    """Mutual information where the CT, moved, meets the template; None where it does not."""
    method = _method(fixed, settings)
    method.SetInitialTransform(rigid_transform(motion, fixed.centroid))
    try:
        return -method.MetricEvaluate(fixed.image, moving.image)
    except RuntimeError:  # ITK's word for "no sample of the CT falls into the template"
        return None


def _optimise(fixed: BodyImage, moving: BodyImage, motion: Tensor, settings: AlignmentSettings) -> tuple[float, Tensor]:
    """Climb the mutual information at one resolution."""
    method = _method(fixed, settings)
    transform = rigid_transform(motion, fixed.centroid)
    method.SetInitialTransform(transform, True)
    voxel = max(fixed.image.GetSpacing())
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=voxel, minStep=voxel / 200, numberOfIterations=settings.iterations, relaxationFactor=0.6
    )
    method.SetOptimizerScalesFromPhysicalShift()
    try:
        method.Execute(fixed.image, moving.image)
    except RuntimeError:  # the CT was moved out of the template: this try has failed
        return -math.inf, motion
    return -method.GetMetricValue(), rigid_motion(transform)


def _overlap(ct: Volume, template: Volume, motion: Tensor) -> float:
    """Share of points spread over the CT's box that fall into the template's."""
    even = torch.linspace(0.05, 0.95, 10, dtype=torch.float64)
    index = torch.cartesian_prod(even, even, even) * torch.tensor(ct.shape[::-1], dtype=torch.float64) - 0.5
    total = torch.linalg.inv(template.affine) @ motion @ ct.affine
    landed = index @ total[:3, :3].T + total[:3, 3]
    inside = (landed > -0.5) & (landed < torch.tensor(template.shape[::-1], dtype=torch.float64) - 0.5)
    return float(inside.all(-1).double().mean())
