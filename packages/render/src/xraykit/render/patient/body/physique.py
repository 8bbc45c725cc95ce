"""What a person is like: age, sex, size, build and bone, drawn from adult distributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from ...errors import InputError

Sex = Literal["female", "male"]
REFERENCE_HEIGHT = 1750.0
SEGMENTS = ("trunk", "head", "arm", "forearm", "hand", "thigh", "shank", "foot")

# Mean and standard deviation of adult height [mm]: NCHS, Vital and Health Statistics 3(46), 2021, tables 9 and 11.
_HEIGHT = {"female": (1613.0, 70.0), "male": (1753.0, 76.0)}
_BMI = (26.5, 0.17)  # median and log standard deviation, cut to 17-42
_RANGE = {"age": (18, 95), "height": (1400.0, 2050.0), "bmi": (15.0, 50.0)}


@dataclass(frozen=True)
class Physique:
    """An adult's build. Every factor is 1 for the reference adult, a man of 1.75 m and 75 kg aged 30.

    Args:
        sex: Female or male.
        age: Years, 18 to 95.
        height: Stature [mm], 1400 to 2050.
        bmi: Body mass index [kg/m2], 15 to 50.
        bone_density: Factor on the density of spongy bone; falls with age, sooner in women.
        cortex: Factor on cortical thickness.
        muscle: Factor on the thickness of muscles.
        segments: Factor on the length of each segment of `SEGMENTS`, beyond what height explains.
        hip_width: Factor on the breadth of the pelvis relative to height.
        shoulder_width: Factor on the breadth of the shoulder girdle relative to height.

    Raises:
        InputError: A value out of its range.
    """

    sex: Sex = "male"
    age: int = 30
    height: float = REFERENCE_HEIGHT
    bmi: float = 24.5
    bone_density: float = 1.0
    cortex: float = 1.0
    muscle: float = 1.0
    segments: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    hip_width: float = 1.0
    shoulder_width: float = 1.0

    def __post_init__(self) -> None:
        if self.sex not in ("female", "male"):
            raise InputError(f"sex must be 'female' or 'male', got {self.sex!r}.")
        for name, (low, high) in _RANGE.items():
            if not low <= getattr(self, name) <= high:
                raise InputError(f"{name} must be {low:g} to {high:g}, got {getattr(self, name)}.")
        for name in ("bone_density", "cortex", "muscle", "hip_width", "shoulder_width"):
            if not 0.2 <= getattr(self, name) <= 2.0:
                raise InputError(f"{name} must be a factor of 0.2 to 2, got {getattr(self, name)}.")
        unknown = sorted(set(self.segments) - set(SEGMENTS))
        if unknown:
            raise InputError(f"segments must name some of {', '.join(SEGMENTS)}, got {', '.join(unknown)}.")
        object.__setattr__(self, "segments", MappingProxyType(dict(self.segments)))

    @property
    def size(self) -> float:
        """Height over the reference height."""
        return self.height / REFERENCE_HEIGHT

    @property
    def mass(self) -> float:
        """Body mass [kg]."""
        return self.bmi * (self.height / 1000) ** 2

    @property
    def fat(self) -> float:
        """Thickness of subcutaneous fat relative to the reference adult's; women have about a third more.

        Follows body fat percentage, 1.2 BMI + 0.23 age - 10.8 male - 5.4 (Deurenberg et al., Br J Nutr 65, 1991).
        """
        share = 1.2 * self.bmi + 0.23 * self.age - (10.8 if self.sex == "male" else 0.0) - 5.4
        return float(np.clip(share / 20.1, 0.25, 3.0))

    def length(self, segment: str) -> float:
        """Factor on the length of a segment: height times its own variation."""
        return self.size * self.segments.get(segment, 1.0)

    def record(self) -> dict[str, Any]:
        """Everything as JSON-able numbers and texts."""
        plain = {name: value for name, value in vars(self).items() if name != "segments"}
        return {**plain, "segments": dict(self.segments), "mass": round(self.mass, 1)}


def sample_physique(rng: np.random.Generator, *, sex: Sex | None = None, age: int | None = None) -> Physique:
    """A random adult.

    Height follows the sex (NCHS 2021), body mass index is lognormal about 26.5, segments vary by 2.5 %. Spongy bone
    loses 0.4 % a year from 30 in men, and 0.5 % a year plus 10 % around the menopause in women, with a spread of 12 %
    (the shape of the curves of Riggs et al., J Bone Miner Res 19, 2004).
    """
    sex = sex or ("female" if rng.random() < 0.5 else "male")
    age = int(rng.integers(18, 91)) if age is None else age
    mean, spread = _HEIGHT[sex]
    height = float(np.clip(rng.normal(mean, spread), 1430, 2020)) - max(age - 50, 0) * 0.8
    bmi = float(np.clip(_BMI[0] * np.exp(_BMI[1] * rng.normal()), 17, 42))
    loss = 0.004 * max(age - 30, 0) if sex == "male" else 0.005 * max(age - 30, 0) + 0.10 / (1 + np.exp(51 - age))
    density = float(np.clip((1 - loss) * np.exp(0.12 * rng.normal()), 0.45, 1.5))
    cortex = float(np.clip((1 - 0.6 * loss) * np.exp(0.08 * rng.normal()), 0.5, 1.4))
    muscle = (1.0 if sex == "male" else 0.84) * (1 - 0.004 * max(age - 40, 0)) * np.exp(0.08 * rng.normal())
    return Physique(
        sex=sex,
        age=age,
        height=round(max(height, 1400.0), 1),
        bmi=round(bmi, 2),
        bone_density=round(density, 4),
        cortex=round(cortex, 4),
        muscle=round(float(np.clip(muscle, 0.5, 1.4)), 4),
        segments={name: round(float(np.clip(rng.normal(1, 0.025), 0.92, 1.08)), 4) for name in SEGMENTS},
        hip_width=round(float(np.clip(rng.normal(1.0 if sex == "male" else 1.07, 0.04), 0.88, 1.2)), 4),
        shoulder_width=round(float(np.clip(rng.normal(1.0 if sex == "male" else 0.95, 0.035), 0.85, 1.12)), 4),
    )
