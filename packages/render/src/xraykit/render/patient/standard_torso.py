"""A procedural patient: a torso made of implicit solids, for demos, tests and first steps without data."""

from __future__ import annotations

import numpy as np
import torch

from ..errors import InputError
from ..volumes.label_names import label_table
from ..volumes.volume import Volume
from .body.figure import Figure
from .body.joint_angles import Posture
from .body.physique import Physique
from .body.skeleton import Skeleton
from .canvas import Canvas
from .trunk.bones import paint_bones
from .trunk.chest import paint_chest
from .trunk.flesh import paint_body
from .trunk.limbs import paint_limb_stumps
from .trunk.organs import paint_abdomen

LOW = (-250.0, -150.0, -190.0)
HIGH = (250.0, 140.0, 560.0)


def torso(*, spacing: float = 2.5, seed: int = 0) -> Volume:
    """An adult torso from neck to thighs, arms raised, with TotalSegmentator labels and names.

    RAS mm with z = 0 at the sacral promontory and x = 0 in the midline; heart, stomach and spleen lie left (-x), the
    liver right (+x); 12 thoracic and 5 lumbar vertebrae, 12 ribs a side. A body that shares a voxel with others gives
    it the mixed HU, so surfaces look smooth in an X-ray. Not for training that must transfer to patients.

    Args:
        spacing: Voxel edge [mm], 1 to 8.
        seed: Of the branching lung vessels, the only random part.

    Returns:
        Volume with hu, mu, uint8 labels and label_names.

    Raises:
        InputError: spacing is out of range.
    """
    if not 1.0 <= spacing <= 8.0:
        raise InputError(f"spacing must be 1 to 8 mm, got spacing={spacing}.")
    canvas = Canvas(LOW, HIGH, spacing)
    names = label_table("totalsegmentator_v2")
    ids = {name: value for value, name in names.items()}
    paint_body(canvas)
    paint_chest(canvas, ids, np.random.default_rng(seed))
    paint_abdomen(canvas, ids)
    figure = Figure(canvas, Skeleton(Physique(), Posture()), ids)
    paint_bones(figure)
    paint_limb_stumps(figure)
    affine = torch.diag(torch.tensor([spacing, spacing, spacing, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor(LOW, dtype=torch.float64)
    present = {int(v) for v in np.unique(canvas.labels)} - {0}
    return Volume.from_hu(
        torch.from_numpy(canvas.hu),
        affine,
        labels=torch.from_numpy(canvas.labels),
        label_names={value: name for value, name in names.items() if value in present},
    )
