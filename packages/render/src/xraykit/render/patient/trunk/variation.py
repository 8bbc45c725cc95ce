"""How one person's trunk differs from another's: chest, heart, spine, pelvis, signs of age."""

from __future__ import annotations

import numpy as np

from ..body.figure import Figure
from ..body.physique import Physique
from ..body.trunk_shape import TrunkShape


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
    draw = rng.normal(0, 1, 18).clip(-2, 2)
    stout, old = (person.bmi - 25) / 10, max(person.age - 30, 0) / 60
    swell = _growth_at(figure, 180.0)
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
        liver=_liver(person) * (1 + 0.07 * draw[16]) / swell,
        spleen=float(np.clip((165.0 if woman else 205.0) * np.exp(0.22 * draw[17]), 110, 290)) / swell,
        rind=float(np.clip((person.age - 25) / 80 + 0.15 * draw[14], 0, 1)),
        plaque=float(np.clip((person.age - 50) / 45 + 0.2 * draw[15], 0, 1)) if person.age > 45 else 0.0,
    )


def _liver(person: Physique) -> float:
    """Mean volume of a liver [ml]: 1267 BSA - 794 (Vauthey et al., Liver Transpl 8, 2002), BSA after Mosteller [m2]."""
    surface = np.sqrt(person.height / 10 * person.mass / 3600)
    return float(np.clip(1267 * surface - 794, 1280, 1950))


def _growth_at(figure: Figure, z: float) -> float:
    """World millilitres per millilitre of the atlas at a height."""
    trunk = figure.skeleton.trunk
    steps = np.array([(0, 0, z), (1, 0, z), (0, 1, z), (0, 0, z + 1)], dtype=np.float64)
    origin, *moved = trunk.to_world(steps)
    return float(np.linalg.det(np.array(moved) - origin))
