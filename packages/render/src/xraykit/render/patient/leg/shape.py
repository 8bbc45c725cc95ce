"""How one person's leg differs from another's: angles of the femur, girths, lengths of toes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..body.figure import Figure


@dataclass(frozen=True)
class LegShape:
    """Factors on the reference adult and angles [degrees], the same for both legs of a person.

    Args:
        neck_shaft: Angle between femoral neck and shaft.
        anteversion: Angle of the femoral neck to the front of the condyles' line.
        head: Radius of the femoral head [mm].
        girth: Factor on the thickness of shafts.
        knee: Factor on the breadth of the knee.
        trochanter: Factor on the trochanters' size.
        tuberosity: How far the tibial tuberosity stands out beyond the mean [mm].
        spines: Height of the tibial spines [mm].
        hallux: Hallux valgus angle.
        second_toe: Length of the second metatarsal beyond the mean [mm].
        arch: Height of the medial arch beyond the mean [mm].
    """

    neck_shaft: float = 128.0
    anteversion: float = 11.0
    head: float = 24.0
    girth: float = 1.0
    knee: float = 1.0
    trochanter: float = 1.0
    tuberosity: float = 0.0
    spines: float = 8.0
    hallux: float = 10.0
    second_toe: float = 0.0
    arch: float = 0.0


def sample_leg(figure: Figure, seed: int) -> LegShape:
    """The leg of a person.

    Neck-shaft angle about 128 and anteversion about 11 degrees, women 2 degrees more (129 and 10: Toogood et al., Clin
    Orthop Relat Res 467, 2009); femoral head 49 (3) mm wide in men, 44 (3) in women (Mall et al., Forensic Sci Int 113,
    2000), of which stature explains most; hallux valgus angle 10 (4) degrees, women 3 more.
    """
    rng = figure.rng(seed, "leg")
    woman = figure.physique.sex == "female"
    draw = rng.normal(0, 1, 11).clip(-2, 2)
    return LegShape(
        neck_shaft=128.0 + 2.5 * draw[0] + (0.5 if woman else 0.0),
        anteversion=11.0 + 5 * draw[1] + (2.0 if woman else 0.0),
        head=(23.6 if woman else 24.0) + 0.35 * draw[2],
        girth=(0.97 if woman else 1.0) * (1 + 0.035 * draw[3]),
        knee=(0.98 if woman else 1.0) * (1 + 0.02 * draw[4]),
        trochanter=1 + 0.06 * draw[5],
        tuberosity=1.2 * draw[6],
        spines=8 + 1.2 * draw[7],
        hallux=float(np.clip(10 + 4 * draw[8] + (3.0 if woman else 0.0), 3, 35)),
        second_toe=2.0 * draw[9],
        arch=2.0 * draw[10],
    )
