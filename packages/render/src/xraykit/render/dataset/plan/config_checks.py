"""What a data set's configuration must fulfil; messages name the place in the file."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ...errors import InputError
from ...files.tiff_stack import VOXEL_SPACING
from ...materials.materials import find_material
from ...meshes.instruments import INSTRUMENTS
from ...patient.body.regions import REGIONS
from ...patient.findings import FindingSettings
from ...views.catalogue import STANDARD_VIEWS
from ...views.pose_ranges import POSE_RANGES
from ...volumes.label_names import match_names
from ...volumes.totalsegmentator import TABLES

if TYPE_CHECKING:
    from ...storage.typed_settings import Range
    from .config import CTPatients, Names, PhysicsSettings, ProceduralPatients, ToolSettings, ViewSettings


MOST_WEIGHT = 1e9  # more has no share to tell from it, and products of it may overflow


def check_patients(procedural: ProceduralPatients, ct: CTPatients) -> None:
    """Patients come from somewhere, in numbers and sizes that can be made."""
    if procedural.count == 0 and ct.folder is None:
        raise InputError("patients needs procedural.count or ct.folder, got neither; say where patients come from.")
    demand(0 <= procedural.count <= 999_999, "patients.procedural.count", "0 to 999999", procedural.count)
    demand(bool(ct.volumes), "patients.ct.volumes", "a pattern of file names", "an empty text")
    listed = ct.series is None or (str(ct.series).isdecimal() and int(ct.series) >= 1)
    demand(listed, "patients.ct.series", "a number from 1 up (UIDs differ from patient to patient)", "another text")
    least, most = VOXEL_SPACING
    steps = ct.voxel_spacing or ()
    legal = f"three lengths from {least:g} to {most:g} mm"
    demand(all(least <= step <= most for step in steps), "patients.ct.voxel_spacing", legal, list(steps))
    demand(32 <= procedural.size <= 512, "patients.procedural.size", "32 to 512 voxels", procedural.size)
    check_weights("patients.procedural.regions", procedural.regions)
    _check_names("patients.procedural.regions", procedural.regions, REGIONS)
    _check_names("patients.procedural.findings", procedural.findings, [part.name for part in fields(FindingSettings)])
    odds = all(_is_share(value) for value in procedural.findings.values())
    demand(odds, "patients.procedural.findings", "probabilities from 0 to 1", dict(procedural.findings))


def check_views(views: ViewSettings) -> None:
    """Views and ranges exist, and their shares add up."""
    _check_some("views.standard", views.standard)
    _check_names("views.standard", () if views.standard == "all" else views.standard, STANDARD_VIEWS)
    _check_names("views.ranges", views.ranges, POSE_RANGES)
    _check_range("views.zoom", views.zoom, 0.1, 20)
    demand(1 <= views.per_patient <= 9_999, "views.per_patient", "1 to 9999", views.per_patient)
    shares = {"random": views.random, "orbit": views.orbit, **views.ranges}
    demand(all(_is_share(value) for value in shares.values()), "views", "shares from 0 to 1", shares)
    demand(
        sum(shares.values()) <= 1 + 1e-9, "views", "shares (random, orbit and ranges) that add up to 1 at most", shares
    )


def check_tools(tools: ToolSettings) -> None:
    """Instruments exist, and there are some to choose from."""
    demand(_is_share(tools.share), "tools.share", "a share from 0 to 1", tools.share)
    low, high = tools.count
    demand(1 <= low <= high <= 50, "tools.count", "two whole numbers, 1 to 50, the smaller first", tools.count)
    _check_names("tools.instruments", tools.instrument_names, INSTRUMENTS)
    has_any = bool(tools.instrument_names) or tools.library is not None
    demand(has_any or tools.share == 0, "tools", "instruments or a library to choose from", "none; set share: 0")


def check_labels(labels: Names, ct: CTPatients) -> None:
    """Organs of generated patients and of published tables are known; a CT may bring names of its own."""
    _check_some("labels", labels)
    known = dict(enumerate(sorted({name for table in TABLES.values() for name in table.values()})))
    for name in labels if ct.labels is None and labels != "all" else ():
        demand(bool(match_names(known, name)), "labels", "names, groups or patterns of organs", repr(name))


def check_physics(physics: PhysicsSettings) -> None:
    """Every range lies within what the simulation knows."""
    limits = {"kvp": (40, 150), "readout_quanta": (0, 1e6), "scatter_to_primary": (0, 20), "opening": (0.05, 1)}
    for name, (least, most) in limits.items():
        _check_range(f"physics.{name}", getattr(physics, name), least, most)
    _check_range("physics.mtf50", physics.mtf50, 1e-3, 1e3)
    _check_range("physics.photons_per_pixel", physics.photons_per_pixel, 0, 1e12)
    low, high = physics.photons_per_pixel
    demand((low > 0) == (high > 0), "physics.photons_per_pixel", "both above 0, or [0, 0] for no noise", (low, high))
    quiet = high > 0 or physics.readout_quanta[1] == 0
    demand(quiet, "physics.readout_quanta", "[0, 0] where there are no photons to refer to", physics.readout_quanta)
    for material, thickness in physics.filtration.items():
        find_material(material)
        _check_range(f"physics.filtration.{material}", thickness, 0, 100)
    demand(10 <= physics.energy_kev <= 150, "physics.energy_kev", "10 to 150 keV", physics.energy_kev)
    demand(_is_share(physics.collimation), "physics.collimation", "a share from 0 to 1", physics.collimation)
    demand(1 <= physics.samples <= 10_000, "physics.samples", "1 to 10000", physics.samples)


def _check_range(name: str, pair: Range, least: float, most: float) -> None:
    low, high = pair
    fits = math.isfinite(low) and math.isfinite(high) and least <= low <= high <= most
    demand(fits, name, f"two numbers from {least:g} to {most:g}, the smaller first", pair)


def _check_some(name: str, names: Names) -> None:
    demand(bool(names), name, 'a list of at least one name, or "all"', "none")


def check_weights(name: str, weights: Mapping[str, float]) -> None:
    """Weights of 0 or more, not all 0."""
    fine = all(0 <= value <= MOST_WEIGHT for value in weights.values())
    wanted = f"weights from 0 to {MOST_WEIGHT:g}, not all 0"
    demand(fine and (not weights or sum(weights.values()) > 0), name, wanted, dict(weights))


def _check_names(place: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"choose among {', '.join(list(known)[:12])}, and so on."
            raise InputError(f"{place} knows no {name!r}; {hint}")


def _is_share(value: float) -> bool:
    return 0.0 <= value <= 1.0


def demand(fits: bool, name: str, expected: str, got: object) -> None:
    """Raise InputError unless a value fits."""
    if not fits:
        raise InputError(f"{name} must be {expected}, got {got}.")
