"""How one person's trunk differs from another's: chest, heart, spine, pelvis, signs of age."""

from __future__ import annotations

import numpy as np

from ..torso_shape import TrunkShape
from .figure import Figure


def sample_trunk(figure: Figure, seed: int) -> TrunkShape:
    """The trunk of a person.

    Women have smaller vertebrae for their height and steeper ribs (Bellemare et al., J Appl Physiol 95, 2003), a wider
    inlet and subpubic arch; calcium gathers in costal cartilages from 25 and in the aorta from 50 years on. The
    diaphragm moves 5 cm between full expiration and full inspiration (Boussuges et al., Chest 135, 2009) and ribs
    swing up by a sixth of their fall; obesity lifts the diaphragm and lays the heart over.
    """
    rng = figure.rng(seed, "trunk")
    person, breath = figure.physique, figure.skeleton.posture.breathing
    woman = person.sex == "female"
    draw = rng.normal(0, 1, 16).clip(-2, 2)
    stout, old = (person.bmi - 25) / 10, max(person.age - 30, 0) / 60
    diaphragm = 50 * (0.5 - breath) + 6 * stout + 5 * draw[0]
    return TrunkShape(
        chest_width=(0.965 if woman else 1.0) * (1 + 0.025 * draw[1]),
        chest_depth=(0.955 if woman else 1.0) * (1 + 0.045 * draw[2] + 0.05 * old),
        rib_slope=(1.03 if woman else 1.0) * (1 + 0.16 * (0.5 - breath) + 0.03 * draw[3]),
        diaphragm=float(np.clip(diaphragm, -34, 38)),
        heart=float(np.clip((0.96 if woman else 1.0) + 0.045 * draw[4] + 0.07 * old + 0.03 * stout, 0.87, 1.2)),
        heart_turn=float(np.clip(4 * draw[5] + 0.25 * diaphragm + 3 * stout, -12, 16)),
        vertebra=(0.96 if woman else 1.0) * (1 + 0.025 * draw[6]),
        spinous=1 + 0.07 * draw[7],
        lips=float(rng.uniform(-1, 1)),
        flare=2.5 * draw[8] + (1.5 if woman else 0.0),
        brim=1.2 * draw[9] + (3.0 if woman else 0.0),
        arch=1.6 * draw[10] + (8.0 if woman else 0.0),
        sacrum=4.0 * draw[11] + (3.0 if woman else 0.0),
        waist=(9.0 if woman else 0.0) + 2 * draw[12],
        breast=float(np.clip(33 + 8 * draw[13] + 16 * stout, 14, 66)) if woman else 0.0,
        rind=float(np.clip((person.age - 25) / 80 + 0.15 * draw[14], 0, 1)),
        plaque=float(np.clip((person.age - 50) / 45 + 0.2 * draw[15], 0, 1)) if person.age > 45 else 0.0,
    )
