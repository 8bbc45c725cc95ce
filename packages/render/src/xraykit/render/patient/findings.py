"""What is wrong with a patient: fractures, scoliosis, wear, contrast agent, implants; and its ground truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .body.figure import Figure, Fracture
from .body.frames import Matrix
from .body.physique import Physique
from .body.regions import BodyRegion
from .body.skeleton import Side
from .body.trunk_shape import levels
from .fracture_sites import crush, resected_neck, sites_of
from .knee_replacement import KneeComponents, cut_bones, fit_components

_SPINE = {
    "thoracic_spine": ("T8", "T11", "T12"),
    "lumbar_spine": ("T12", "L1", "L2", "L3"),
    "thorax": ("T7", "T8", "T12"),
}
_IMPLANTS = {
    "hip": ("hip_stem", "cannulated_screws"),
    "abdomen_pelvis": ("hip_stem", "pedicle_screws"),
    "lumbar_spine": ("pedicle_screws",),
    "thoracic_spine": ("pedicle_screws",),
    "knee": ("plate",),
    "ankle_foot": ("plate", "k_wires"),
    "shoulder": ("plate",),
    "elbow": ("k_wires",),
    "wrist_hand": ("k_wires", "plate"),
}
_KNEE_REPLACEMENT = 0.5  # share of the implants of a knee


@dataclass(frozen=True)
class FindingSettings:
    """How often each finding occurs, as probabilities from 0 to 1, in regions that can show it."""

    fracture: float = 0.15
    crushed_vertebra: float = 0.1
    scoliosis: float = 0.15
    osteophytes: float = 0.4
    contrast: float = 0.05
    implant: float = 0.1

    def __post_init__(self) -> None:
        for f in fields(self):
            if not 0 <= getattr(self, f.name) <= 1:
                raise InputError(f"{f.name} must be a probability from 0 to 1, got {getattr(self, f.name)}.")


@dataclass(frozen=True, eq=False)
class Findings:
    """The findings of one patient.

    Args:
        fractures: Breaks by bone.
        sites: Name of each break, and where its middle is in the bone's frame: {bone: (name, frame, point)}.
        displaced: Motion of fragments that carry the rest of a limb, by frame.
        deformed: Affine deformation of whole bones in their frames: crushed vertebrae.
        scoliosis: Cobb angle [degrees].
        osteophytes: Degree of wear, 0 to 1.
        contrast: HU added to vessels.
        implant: Kind of implant, "" none.
        components: What a knee replacement is made of; the bones are cut to fit.
    """

    fractures: Mapping[str, Fracture] = field(default_factory=lambda: MappingProxyType({}))
    sites: Mapping[str, tuple[str, str, tuple[float, float, float]]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    displaced: Mapping[str, Matrix] = field(default_factory=lambda: MappingProxyType({}))
    deformed: Mapping[str, Matrix] = field(default_factory=lambda: MappingProxyType({}))
    scoliosis: float = 0.0
    osteophytes: float = 0.0
    contrast: float = 0.0
    implant: str = ""
    components: KneeComponents | None = None

    def record(self) -> dict[str, Any]:
        """The ground truth as JSON-able values; a fragment's motion is in its bone's local frame, (4, 4) [mm]."""
        breaks = [
            {
                "bone": bone,
                "name": name,
                "frame": frame,
                "point": list(point),
                "motion": np.asarray(self.fractures[bone].motion).tolist(),
            }
            for bone, (name, frame, point) in self.sites.items()
        ]
        crushed = {bone: round(float(m[2, 2]), 3) for bone, m in self.deformed.items()}
        return {
            "fractures": breaks,
            "crushed_vertebrae": crushed,
            "scoliosis": self.scoliosis,
            "osteophytes": self.osteophytes,
            "contrast": self.contrast,
            "implant": self.implant or None,
        }

    def landmarks(self, figure: Figure) -> dict[str, NDArray[np.float64]]:
        """The middle of every break, world RAS mm, {"fracture_femur_right": point}."""
        return {f"fracture_{bone}": figure.landmark(frame, point) for bone, (_, frame, point) in self.sites.items()}


def sample_findings(
    rng: np.random.Generator, settings: FindingSettings, region: BodyRegion, side: Side, physique: Physique
) -> Findings:
    """Random findings of a region; wear and crushed vertebrae come with age and thin bone."""
    dice = {f.name: rng.random() < getattr(settings, f.name) for f in fields(FindingSettings)}
    old = float(np.clip((physique.age - 35) / 45, 0.1, 1))
    found: dict[str, Any] = {"fractures": {}, "sites": {}, "displaced": {}, "deformed": {}}
    sites = sites_of(region.name)
    if dice["fracture"] and sites:
        site = sites[int(rng.integers(len(sites)))]
        bone = f"{site.bone}_{side}"
        found["fractures"][bone] = site.draw(rng)
        found["sites"][bone] = (site.name, f"{site.frame}_{side}", site.point)
        if site.carries:
            found["displaced"][f"{site.frame}_{side}"] = found["fractures"][bone].motion
    spine = _SPINE.get(region.name, ())
    if dice["crushed_vertebra"] and spine and rng.random() < old / physique.bone_density:
        name = spine[int(rng.integers(len(spine)))]
        found["deformed"][f"vertebrae_{name}"] = crush(levels()[name].center, float(rng.uniform(0.55, 0.8)))
    kinds = _IMPLANTS.get(region.name, ())
    implant = kinds[int(rng.integers(len(kinds)))] if dice["implant"] and kinds else ""
    if implant == "hip_stem":  # the head and its fracture are gone
        for table in ("fractures", "sites"):
            found[table].pop(f"femur_{side}", None)
        found["displaced"].clear()
        found["fractures"][f"femur_{side}"] = resected_neck()
    scoliosis = round(float(rng.choice([-1, 1]) * (8 + rng.gamma(2.0, 7.0))), 1) if dice["scoliosis"] else 0.0
    osteophytes = round(old * float(rng.uniform(0.2, 1)), 3) if dice["osteophytes"] else 0.0
    contrast = round(float(rng.uniform(120, 350)), 1) if dice["contrast"] else 0.0
    components = None  # drawn last, so that what was drawn above is the same with and without them
    if implant and region.name == "knee" and rng.random() < _KNEE_REPLACEMENT:
        implant, components = "knee_replacement", fit_components(rng, physique)
        _cut_knee(found, side, components, physique)
    return Findings(
        **{name: MappingProxyType(value) for name, value in found.items()},
        scoliosis=scoliosis,
        osteophytes=osteophytes,
        contrast=contrast,
        implant=implant,
        components=components,
    )


def _cut_knee(found: dict[str, Any], side: Side, components: KneeComponents, physique: Physique) -> None:
    """Femur and tibia cut for the components, and without the fractures they had."""
    for bone, cut in cut_bones(components, physique).items():
        for table in ("sites", "displaced"):
            found[table].pop(f"{bone}_{side}", None)
        found["fractures"][f"{bone}_{side}"] = cut
