"""The regions of the body that a patient can be generated for: where each lies and what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .skeleton import Side, Skeleton

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class BodyRegion:
    """A box of the body.

    Args:
        name: What it is called.
        frame: Frame of its centre, "trunk", "skull" or a limb's bone without its side.
        center: Its centre in that frame, of the right side [local mm].
        half: Half its edges along the world's axes in the reference adult [mm].
        parts: What is painted: "trunk", "head", "arm", "leg".
        sided: It is a region of one side.
    """

    name: str
    frame: str
    center: Triple
    half: Triple
    parts: tuple[str, ...]
    sided: bool = False

    def box(self, skeleton: Skeleton, side: Side) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lowest and highest corner of the region in the world [mm]."""
        if self.frame == "trunk":
            mirror = -1.0 if self.sided and side == "left" else 1.0
            middle = skeleton.point("trunk", np.array(self.center) * (mirror, 1, 1))
        else:
            middle = skeleton.point(f"{self.frame}_{side}" if self.sided else self.frame, self.center)
        half = np.array(self.half) * skeleton.physique.size
        half[:2] *= max(1.0, (skeleton.physique.bmi / 25) ** 0.5) if "trunk" in self.parts else 1.0
        return middle - half, middle + half


REGIONS: Mapping[str, BodyRegion] = MappingProxyType(
    {
        region.name: region
        for region in (
            BodyRegion("skull", "skull", (0, 22, 32), (98, 130, 132), ("head", "trunk")),
            BodyRegion("cervical_spine", "trunk", (0, -5, 540), (105, 115, 112), ("trunk", "head", "arm")),
            BodyRegion("thoracic_spine", "trunk", (0, -12, 335), (190, 150, 190), ("trunk", "arm")),
            BodyRegion("lumbar_spine", "trunk", (0, 0, 85), (190, 148, 155), ("trunk", "leg")),
            BodyRegion("thorax", "trunk", (0, 0, 335), (215, 150, 205), ("trunk", "arm", "head")),
            BodyRegion("abdomen_pelvis", "trunk", (0, -5, 45), (200, 150, 225), ("trunk", "leg")),
            BodyRegion("hip", "trunk", (95, -5, -95), (120, 135, 150), ("trunk", "leg"), sided=True),
            BodyRegion("knee", "femur", (0, 0, -430), (88, 100, 130), ("leg",), sided=True),
            BodyRegion("ankle_foot", "foot", (0, 68, -10), (78, 162, 100), ("leg",), sided=True),
            BodyRegion("shoulder", "trunk", (135, -20, 425), (125, 130, 130), ("trunk", "arm", "head"), sided=True),
            BodyRegion("elbow", "forearm", (0, 0, -8), (85, 95, 125), ("arm",), sided=True),
            BodyRegion("wrist_hand", "hand", (0, 0, -62), (98, 70, 145), ("arm",), sided=True),
            BodyRegion("whole_body", "trunk", (0, 35, -115), (330, 225, 905), ("trunk", "head", "arm", "leg")),
        )
    }
)
"""Every region by name."""


def find_region(name: str) -> BodyRegion:
    """The region of that name.

    Raises:
        InputError: There is none.
    """
    if name not in REGIONS:
        raise InputError(f"region must be one of {', '.join(REGIONS)}, got {name!r}.")
    return REGIONS[name]
