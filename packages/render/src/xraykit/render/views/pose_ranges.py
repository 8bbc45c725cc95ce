"""The pose ranges that networks for X-ray to CT registration were trained on, as named presets to sample from.

Source: Gopalakrishnan et al., Rapid patient-specific neural networks for intraoperative X-ray to volume registration,
table S2. Where the authors' scripts differ (Femur tz 0 to 100, Ljubljana alpha up to 105) the table is followed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from ..converters.diffdrr import diffdrr_extrinsic, from_diffdrr
from ..errors import InputError
from ..geometry.camera import Camera
from ..geometry.checks import check_choice
from ..geometry.frames import Vector
from ..storage.typed_settings import Range


@dataclass(frozen=True)
class PoseRange:
    """A box of pose parameters in the convention of DiffDRR and xvr (AP orientation, about the isocentre).

    E = [R | R t] with R = Rz(alpha) Rx(beta) Ry(gamma); t = (tx, ty, tz) counts in the turned mount, ty from the
    isocentre to the source. alpha = 0 is AP: as C-arm angles, lao_rao = 180 + alpha.

    Args:
        name: Of the preset.
        alpha: About the patient's axis [degrees].
        beta: Cranio-caudal [degrees].
        gamma: In the image plane [degrees].
        tx, ty, tz: [mm].
        sdd: Source to detector [mm]; None where none is published.
        delx: Pixel pitch [mm] of a 128 x 128 image; None where none is published.
    """

    name: str
    alpha: Range
    beta: Range
    gamma: Range
    tx: Range
    ty: Range
    tz: Range
    sdd: float | None = None
    delx: float | None = None

    def camera(self, size: int = 128) -> Camera:
        """The square detector of `size` pixels that covers the published field.

        Raises:
            InputError: Distance and pitch of this preset are not published.
        """
        if self.sdd is None or self.delx is None:
            raise InputError(f"no camera is published for {self.name!r}; make one with Camera(sdd=..., ...).")
        return Camera(sdd=self.sdd, height=size, width=size, pixel_spacing=self.delx * 128 / size)


POSE_RANGES: Mapping[str, PoseRange] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            PoseRange("foundation", (-180, 180), (-60, 60), (-30, 30), (-150, 150), (450, 1000), (-150, 150)),
            PoseRange(
                *("deepfluoro", (135, 225), (-45, 45), (-15, 15), (-150, 150), (450, 1000), (-150, 150)),
                sdd=1020.0,
                delx=2.1764375,
            ),
            PoseRange(
                *("femur", (75, 270), (-20, 20), (-20, 20), (-75, 75), (650, 950), (-100, 100)),
                sdd=1150.0,
                delx=2.31796875,
            ),
            PoseRange(
                *("ljubljana", (-45, 90), (-5, 5), (-5, 5), (-25, 25), (700, 800), (-25, 25)), sdd=1250.0, delx=2.31
            ),
            PoseRange("brigham", (55, 305), (-45, 45), (-15, 15), (-200, 200), (500, 1000), (-200, 200)),
        )
    }
)
"""The presets by name: foundation, deepfluoro, femur, ljubljana, brigham."""


def sample_pose(preset: str | PoseRange, isocenter: Vector, rng: np.random.Generator, n: int = 1) -> Tensor:
    """Poses drawn uniformly from a preset's box of parameters.

    Args:
        preset: A name in `POSE_RANGES`, or a range of your own.
        isocenter: The point that the parameters count from [mm, world RAS]; for networks trained like xvr's,
            `volume.center`.
        rng: Where the randomness comes from.
        n: How many, at least 1.

    Returns:
        camera_to_world, (n, 4, 4) float64, proper rigid motions.

    Raises:
        InputError: No preset has this name, or n is less than 1.
    """
    if isinstance(preset, str):
        preset = POSE_RANGES[check_choice(preset, "preset", POSE_RANGES)]
    if n < 1:
        raise InputError(f"n must be at least 1, got {n}.")
    bounds = np.array([preset.alpha, preset.beta, preset.gamma, preset.tx, preset.ty, preset.tz], dtype=np.float64)
    drawn = torch.from_numpy(rng.uniform(bounds[:, 0], bounds[:, 1], (n, 6)))
    extrinsic = diffdrr_extrinsic(drawn[:, :3].deg2rad(), drawn[:, 3:])
    # The pose does not depend on the detector, whose numbers are placeholders here.
    view = from_diffdrr(
        extrinsic, orientation="AP", reverse_x_axis=True, sdd=1.0, height=1, width=1, delx=1.0, center=isocenter
    )
    return view.pose
