"""Find the C-arm without a network: small DRRs from all over a stated range, each slid over the X-ray by FFT."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from xraykit.render import Camera, InputError, Volume, carm_pose, render
from xraykit.render.geometry import box_corners, carm_angles, crop_camera, full_precision, rigid_matrix, rotation_about
from xraykit.render.storage import Range

from ..refine.pyramid import blocks_within, footprint, samples_through, shrunk_shot, shrunk_volume
from ..refine.similarity import gradient_ncc, mncc
from ..xray.shot import Shot
from .candidates import distinct_starts
from .sliding_match import SearchImages, Template, best_places, turned_template

BATCH = 16
FINE = 3  # how many of the best places the second pass looks around
DEPTH_STEP = 0.1  # between neighbouring sod of the first pass, as a logarithm
FRONT = (135.0, 225.0)  # LAO/RAO of AP views, give or take 45 degrees; PA lies opposite
APART = 25.0  # [mm] between the volume's corners, as two different candidates see them


@dataclass(frozen=True)
class SearchSettings:
    """Where to look for the C-arm.

    Args:
        lao_rao: Primary angle, from and to [degrees]; 180 is AP, so (135, 225) is AP give or take 45. None is AP and
            PA, each give or take 45.
        cra_cau: Secondary angle [degrees].
        roll: Turn about the beam [degrees].
        sod: Source to the volume's centre [mm]; None is 0.6 to 0.85 sdd.
        offset: How far the volume's centre may lie off the central ray [mm].
        step: Between neighbouring angles of the first pass [degrees]; the second halves it.
        size: Longer side of the X-ray as the first pass compares it [px]; the second takes 4/3 of it.
        candidates: How many starts to return at most.
    """

    lao_rao: Range | None = None
    cra_cau: Range = (-30.0, 30.0)
    roll: Range = (-15.0, 15.0)
    sod: Range | None = None
    offset: float = 100.0
    step: float = 10.0
    size: int = 48
    candidates: int = 5

    def __post_init__(self) -> None:
        for name in ("lao_rao", "cra_cau", "roll", "sod"):
            bounds = getattr(self, name)
            if bounds is None:
                continue
            if len(bounds) != 2 or not all(map(math.isfinite, bounds)) or bounds[0] > bounds[1]:
                raise InputError(f"{name} must be a range from low to high, got {bounds}.")
        if self.sod is not None and self.sod[0] <= 0:
            raise InputError(f"sod must be positive, got {self.sod} mm.")
        if not (self.step > 0 and self.offset >= 0 and 32 <= self.size <= 256 and self.candidates >= 1):
            raise InputError(
                "a search needs step > 0, offset >= 0, size in 32 to 256 and candidates >= 1, got "
                f"step={self.step}, offset={self.offset}, size={self.size}, candidates={self.candidates}."
            )


@full_precision
def starts_from_search(
    shot: Shot,
    volume: Volume,
    settings: SearchSettings | None = None,
    *,
    isocenter: Tensor | None = None,
    report: Callable[[int, int], None] | None = None,
) -> Tensor:
    r"""The most similar of all C-arm poses in a range, best first.

    The source is placed on a grid of directions and distances around the isocentre; from each place one wide DRR is
    rendered. A camera that turns about its source sees the same rays, so all its viewing directions are windows of
    that DRR, and the best window for each roll comes from normalised cross-correlation by FFT (see sliding_match.py).
    From PA the patient looks much like the mirror image of AP, but for how the beam diverges, so where both are
    searched the mirrored X-ray is slid over the same DRRs, and what is found so is rendered by itself in the second
    pass. That one looks with half the step around the best of either side; `mncc` and `gradient_ncc` of a DRR at the
    pose itself rank what is left.

    Args:
        shot: The X-ray.
        volume: The patient.
        settings: The range; None is AP and PA, each give or take 45 degrees.
        isocenter: (3,) world RAS [mm]; None is the volume's centre.
        report: Called with the number of DRRs done and to do.

    Returns:
        (S, 1, 4, 4) float64, camera to world, S <= settings.candidates, all different (see `distinct_starts`).

    Raises:
        InputError: sod reaches beyond the detector, or nothing in the range resembles the X-ray at all.
    """
    settings = settings or SearchSettings()
    sdd = float(shot.camera.tensors(dtype=torch.float64, device="cpu")[0][0])
    near, far = settings.sod or (0.6 * sdd, 0.85 * sdd)
    if far >= sdd:
        raise InputError(f"sod must be smaller than sdd = {sdd:g} mm, got a range up to {far:g} mm.")
    centre = (volume.center if isocenter is None else torch.as_tensor(isocenter)).detach().cpu().double()
    lao_rao = settings.lao_rao or FRONT
    aside = math.degrees(math.atan(settings.offset / near))  # how far directions to the source leave the stated range
    grid = _grid(
        _between(lao_rao[0] - aside, lao_rao[1] + aside, settings.step),
        _between(max(-90, settings.cra_cau[0] - aside), min(90, settings.cra_cau[1] + aside), settings.step),
        [math.exp(x) for x in _between(math.log(near), math.log(far), DEPTH_STEP)],
    )
    sides = (False, True) if settings.lao_rao is None else (False,)
    total = len(grid) + FINE * 27 * len(sides)
    tell = report or (lambda done, total: None)
    first = _Search(shot, volume, centre, settings, aside, size=settings.size)
    rolls = _between(*settings.roll, settings.step)
    poses, scores = first.scan(grid, rolls, lambda done: tell(done, total), sides)

    second = _Search(shot, volume, centre, settings, aside, size=round(settings.size * 4 / 3))
    found = [(poses, scores)]
    promising = [first.best(*first.of_side(poses, scores, side), FINE) for side in sides]
    for index, pose in enumerate(torch.cat(promising)):
        sources, rolls = second.around(pose, settings.step / 2)
        found.append(second.scan(sources, rolls, lambda done, n=index: tell(len(grid) + 27 * n + done, total)))
    poses, scores = (torch.cat(parts) for parts in zip(*found, strict=True))
    if len(poses) == 0:
        raise InputError(f"{shot.name} resembles the volume nowhere in the range; widen it, or check that they belong.")
    starts = second.best(poses, scores, 4 * settings.candidates)
    order = second.similarity(starts).argsort(descending=True)
    return starts[order][: settings.candidates, None]


class _Search:
    """An X-ray and a volume, both reduced to one scale."""

    def __init__(
        self, shot: Shot, volume: Volume, centre: Tensor, settings: SearchSettings, aside: float, *, size: int
    ) -> None:
        self.image, self.valid, self.camera = shrunk_shot(shot, size)
        pose = carm_pose(sod=0.7 * torch.as_tensor(shot.camera.sdd, dtype=torch.float64), isocenter=centre)
        pixel = footprint(self.camera, pose, centre)
        self.volume = shrunk_volume(volume, blocks_within(volume, pixel))
        self.centre, self.settings, self.lao_rao = centre, settings, settings.lao_rao or FRONT
        sdd, spacing, _ = self.camera.tensors(dtype=torch.float64, device="cpu")
        self.margin = math.ceil(math.tan(math.radians(aside)) * float(sdd[0]) / float(spacing.min())) + 1

    def scan(
        self,
        sources: Tensor,
        rolls: Sequence[float],
        report: Callable[[int], None],
        sides: Sequence[bool] = (False,),
    ) -> tuple[Tensor, Tensor]:
        """Poses (N, 4, 4) and scores (N,): the best place in the window of each source (lao, cra, sod) for each roll.

        Of `sides`, True is the opposite one, by the mirrored X-ray. Poses outside the stated range are left out.
        """
        templates = [(roll, side, self._template(roll, side)) for side in sides for roll in rolls]
        wide = self._wide_camera(max(template.values.shape[-1] for _, _, template in templates))
        samples = samples_through(self.volume)
        poses, scores = [], []
        for first in range(0, len(sources), BATCH):
            lao, cra, sod = sources[first : first + BATCH].unbind(-1)
            pose = carm_pose(lao_rao=lao, cra_cau=cra, sod=sod, isocenter=self.centre)
            images = SearchImages(render(self.volume, wide, pose, method="trilinear", samples=samples))
            for roll, is_opposite, template in templates:
                score, shift = best_places(images, template)
                poses.append(self._turned(pose, shift, roll, wide, template, is_opposite))
                scores.append(score)
            report(min(first + BATCH, len(sources)))
        return self._within(torch.cat(poses), torch.cat(scores))

    def around(self, pose: Tensor, half: float) -> tuple[Tensor, list[float]]:
        """Sources half a step to all sides of that of a pose, and rolls half a step from its own."""
        away = self.centre - pose[:3, 3]
        sod = float(away.norm())
        beam = away / sod
        lao, cra = torch.atan2(-beam[0], beam[1]).rad2deg(), torch.asin(beam[2]).rad2deg()
        lao, cra = float(lao), float(cra)
        roll = float(carm_angles(pose[None]).roll)
        sources = _grid(
            [lao - half, lao, lao + half],
            [max(-90.0, cra - half), cra, min(90.0, cra + half)],
            [sod * math.exp(n * DEPTH_STEP / 2) for n in (-1, 0, 1)],
        )
        return sources, [roll - half, roll, roll + half]

    def best(self, poses: Tensor, scores: Tensor, most: int) -> Tensor:
        """The best `most` poses that differ from each other."""
        order = scores.argsort(descending=True)[:1000]
        corners = box_corners(self.volume.shape, self.volume.affine).double()
        return distinct_starts(poses[order][:, None], corners, tolerance=APART, most=most)[:, 0]

    def of_side(self, poses: Tensor, scores: Tensor, is_opposite: bool) -> tuple[Tensor, Tensor]:
        """Those of the poses (N, 4, 4), with their scores (N,), that look from the stated range's side, or opposite."""
        own = self._off(carm_angles(poses).lao_rao, self.lao_rao).abs() <= 90
        chosen = ~own if is_opposite else own
        return poses[chosen], scores[chosen]

    def similarity(self, poses: Tensor) -> Tensor:
        """Mean of `mncc` and `gradient_ncc` of the X-ray and a DRR at each pose (N, 4, 4), (N,)."""
        drr = render(self.volume, self.camera, poses, method="trilinear", samples=samples_through(self.volume)).cpu()
        target = self.image[None, None]
        return (mncc(drr, target, valid=self.valid) + gradient_ncc(drr, target, valid=self.valid)) / 2

    def _wide_camera(self, side: int) -> Camera:
        """The camera of the window over which a template of `side` pixels slides: its centre on the central ray."""
        _, _, centre = self.camera.tensors(dtype=torch.float64, device="cpu")
        size = _fft_size(side + 2 * self.margin)
        left, top = (round(float(c) - size / 2) for c in centre[0])
        return crop_camera(self.camera, top=top, left=left, height=size, width=size)

    def _template(self, roll: float, is_opposite: bool) -> Template:
        """What the DRRs are searched for: the X-ray turned back by its roll, or its mirror image."""
        if not is_opposite:
            return turned_template(self.image, self.valid, self.camera, roll)
        _, _, centre = self.camera.tensors(dtype=torch.float64, device="cpu")
        x, y = centre[0].tolist()
        mirrored = replace(self.camera, principal_point=(self.camera.width - x, y))
        return turned_template(self.image.flip(-1), self.valid.flip(-1), mirrored, -roll)

    def _opposite(self, pose: Tensor) -> Tensor:
        """The poses (N, 4, 4) turned by half a turn about the upright axis of their image through the centre."""
        half = torch.diag(torch.tensor([-1.0, 1.0, -1.0, 1.0], dtype=torch.float64))
        turned = pose @ half
        turned[:, :3, 3] = 2 * self.centre - pose[:, :3, 3]
        return turned

    def _turned(
        self, pose: Tensor, shift: Tensor, roll: float, wide: Camera, template: Template, is_opposite: bool
    ) -> Tensor:
        """The poses turned about their sources so that the template's principal point looks where it fits."""
        sdd, spacing, centre = wide.tensors(dtype=torch.float64, device="cpu")
        seen = shift.double() + torch.tensor(template.principal_point, dtype=torch.float64)
        across, down = ((seen - centre) * spacing.flip(-1)).unbind(-1)
        if is_opposite:  # what was seen is the mirror image
            pose, across = self._opposite(pose), -across
        yaw, pitch = torch.atan2(across, sdd), torch.atan2(-down, torch.hypot(across, sdd))
        turn = rotation_about("Y", yaw) @ rotation_about("X", pitch)
        turn = turn @ rotation_about("Z", torch.tensor(math.radians(roll), dtype=torch.float64))
        return pose @ rigid_matrix(turn, torch.zeros(3, dtype=torch.float64))

    def _within(self, poses: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Those in the stated range, with a step to spare."""
        angles = carm_angles(poses)
        fits = torch.isfinite(scores)
        for name in ("lao_rao", "cra_cau", "roll"):
            low, high = bounds = getattr(self.settings, name) or FRONT
            off = self._off(getattr(angles, name), bounds).abs()
            if self.settings.lao_rao is None and name == "lao_rao":
                off = torch.minimum(off, 180 - off)
            fits &= off <= (high - low) / 2 + self.settings.step
        return poses[fits], scores[fits]

    @staticmethod
    def _off(angles: Tensor, bounds: Range) -> Tensor:
        """How far angles lie from the middle of a range, -180 to 180 [degrees]."""
        return (angles - sum(bounds) / 2 + 180) % 360 - 180


def _grid(*axes: Sequence[float]) -> Tensor:
    return torch.cartesian_prod(*(torch.tensor(axis, dtype=torch.float64) for axis in axes))


def _between(low: float, high: float, step: float) -> list[float]:
    """Evenly from low to high, no more than `step` apart; the middle alone if they coincide."""
    count = math.ceil((high - low) / step - 1e-9) + 1
    return torch.linspace(low, high, count, dtype=torch.float64).tolist()


def _fft_size(least: int) -> int:
    """The smallest length from `least` up that FFTs like: factors 2, 3 and 5 only."""
    size = least
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 1
