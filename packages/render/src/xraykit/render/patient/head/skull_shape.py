"""How one head differs from another: size and proportions by craniometry, marks of sex, age and the individual."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..body.figure import Figure
from ..body.physique import Physique
from ..canvas import Array, Chart, Frame

HINGE = (0.0, 16.0, 10.0)
"""Axis of the temporomandibular joints in the skull's coordinates."""

# Standard deviations over means of cranial length (185, 6 mm), breadth (142, 5), basion-bregma height (133, 5) and of
# the height of the face below (nasion-gnathion 118, 6): adult men, after Howells, Cranial Variation in Man, 1973.
# Women differ by size, which the frame's scale has, and by the marks below (Buikstra and Ubelaker, Standards, 1994).
_SPREAD = {"length": 0.025, "breadth": 0.03, "height": 0.025, "face": 0.04, "jaw": 0.025}


@dataclass(frozen=True)
class HeadShape:
    """Individual shape of a head on the reference skull; factors are 1 in the reference man.

    Args:
        length, breadth, height: Factors on the skull along y, x and, above the condyles, z.
        face: Factor on z below the condyles.
        jaw: Factor on the breadth between the angles of the mandible.
        thickness: Factor on the thickness of the vault.
        brow: Prominence of glabella and superciliary arches, 0 smooth to 2 heavy.
        mastoid: Factor on the mastoid processes.
        chin: Factor on the mental protuberance.
        sinuses: Factor on the size of frontal and maxillary sinuses; a frontal one below 0.5 is absent.
        sutures: Width of the sutures [mm]; they close with age.
        serration: Phases of the sutures' teeth [radians].
        calcification: Share of the larynx that has ossified, 0 to 1.
        teeth: Which of the 32 teeth are there, upper right, upper left, lower right, lower left, from the midline.
    """

    length: float = 1.0
    breadth: float = 1.0
    height: float = 1.0
    face: float = 1.0
    jaw: float = 1.0
    thickness: float = 1.0
    brow: float = 1.0
    mastoid: float = 1.0
    chin: float = 1.0
    sinuses: tuple[float, float] = (1.0, 1.0)
    sutures: float = 1.2
    serration: tuple[float, float, float] = (0.0, 1.0, 2.0)
    calcification: float = 0.2
    teeth: tuple[bool, ...] = (True,) * 32

    def on(self, chart: Chart) -> Chart:
        """A chart of the skull's frame in the coordinates of the reference skull."""
        return Chart(chart.canvas, GrownFrame(chart.frame, (self.breadth, self.length), (self.height, self.face)))


@dataclass(frozen=True, eq=False)
class GrownFrame:
    """A frame with x and y stretched, and z by one factor above 0 and by another below."""

    frame: Frame
    across: tuple[float, float]
    upright: tuple[float, float]

    @property
    def scale(self) -> float:
        """That of the frame; the stretches, a few percent, are left out."""
        return self.frame.scale

    def to_world(self, points: ArrayLike) -> NDArray[np.float64]:
        """World positions of local points (..., 3)."""
        p = np.asarray(points, dtype=np.float64)
        z = p[..., 2] * np.where(p[..., 2] > 0, *self.upright)
        return self.frame.to_world(np.stack([p[..., 0] * self.across[0], p[..., 1] * self.across[1], z], axis=-1))

    def to_local(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """Local coordinates of world positions."""
        x, y, z = self.frame.to_local(x, y, z)
        up, down = (np.float32(1 / factor) for factor in self.upright)
        return x * np.float32(1 / self.across[0]), y * np.float32(1 / self.across[1]), z * np.where(z > 0, up, down)


def head_shape(figure: Figure, seed: int) -> HeadShape:
    """The shape of a patient's head, equal wherever it is asked for."""
    return sample_head(figure.physique, figure.rng(seed, "head"))


def sample_head(physique: Physique, rng: np.random.Generator) -> HeadShape:
    """A random head for a person; men's brows, mastoids and chins are larger, old people's sutures closed."""
    male, age = physique.sex == "male", physique.age
    sizes = {name: float(np.clip(rng.normal(1, s), 1 - 2.2 * s, 1 + 2.2 * s)) for name, s in _SPREAD.items()}
    sizes["jaw"] *= 1.0 if male else 0.97

    def mark(man: float, woman: float, spread: float) -> float:
        mean = man if male else woman
        return float(np.clip(rng.normal(mean, spread), mean - 2 * spread, mean + 2 * spread))

    return HeadShape(
        **sizes,
        thickness=mark(1.0, 1.04, 0.1),
        brow=max(mark(1.0, 0.25, 0.3), 0.0),
        mastoid=mark(1.0, 0.85, 0.07),
        chin=mark(1.0, 0.75, 0.15),
        sinuses=(mark(1.0, 0.85, 0.28), mark(1.0, 0.97, 0.05)),
        sutures=float(np.interp(age, (25, 90), (1.5, 0.5)) * rng.uniform(0.8, 1.2)),
        serration=tuple(rng.uniform(0, 2 * np.pi, 3)),
        calcification=float(np.clip((age - 25) / 55 + rng.normal(0, 0.15), 0, 1)),
        teeth=tuple((rng.random(32) >= 0.004 * max(age - 30, 0)).tolist()),
    )
