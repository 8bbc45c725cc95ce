"""What a data set shall hold: patients, views, tools, physics, images, splits. Every default is stated here."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from ...errors import InputError
from ...materials.materials import find_material
from ...meshes.instruments import INSTRUMENTS
from ...patient.body.regions import REGIONS
from ...views.catalogue import STANDARD_VIEWS
from ...views.pose_ranges import POSE_RANGES
from ...volumes.label_names import match_names
from ...volumes.totalsegmentator import TABLES

Range = tuple[float, float]
Names = tuple[str, ...] | Literal["all"]
Lines = Literal["none", "float16", "float32"]
OnError = Literal["skip", "stop"]

_SPLIT_NAME = re.compile(r"[a-z0-9_]{1,40}")


def _frozen(**values: float) -> Mapping[str, float]:
    return MappingProxyType(values)


@dataclass(frozen=True)
class ProceduralPatients:
    """Patients that `generate_patient` makes.

    Args:
        count: How many.
        regions: {region: weight}; each region gets its share of `count`, rounded to whole patients. Empty: all
            regions alike.
        size: Voxels along the longest side of the volume.
    """

    count: int = 0
    regions: Mapping[str, float] = field(default_factory=_frozen)
    size: int = 160


@dataclass(frozen=True)
class CTPatients:
    """Patients that are CT volumes in a folder.

    Args:
        folder: Where they are; None for no CTs.
        volumes: File name pattern of the volumes, with / for subfolders ("*/ct.nii.gz"); a DICOM series is a folder.
        labels: Path of a volume's label map from the folder; {name} is the volume's file name without its suffix,
            {parent} the subfolder it lies in. None for no labels.
        label_names: A table of names ("totalsegmentator_v2"); None takes the names in the label file.
    """

    folder: Path | None = None
    volumes: str = "*.nii.gz"
    labels: str | None = None
    label_names: str | None = None


@dataclass(frozen=True)
class PatientSources:
    """Where patients come from.

    Args:
        procedural: Generated patients.
        ct: Patients from files; they are numbered after the generated ones.
    """

    procedural: ProceduralPatients = field(default_factory=ProceduralPatients)
    ct: CTPatients = field(default_factory=CTPatients)


@dataclass(frozen=True)
class ViewSettings:
    """How each patient is looked at.

    Args:
        per_patient: Images of each patient; they share the cost of making it.
        standard: Names of standard views, of which each image takes one that its patient can show, or "all".
        random: Share of images from random directions.
        ranges: {pose range preset: share of images}.
    """

    per_patient: int = 20
    standard: Names = "all"
    random: float = 0.25
    ranges: Mapping[str, float] = field(default_factory=_frozen)


@dataclass(frozen=True)
class ToolSettings:
    """Tools that are laid into the field of view, at any place of the body and any direction.

    Args:
        share: Share of images with tools.
        count: Fewest and most tools in such an image.
        instruments: Built-in ones to choose from, or "all".
        library: Folder with a tool library to choose from as well.
    """

    share: float = 0.3
    count: tuple[int, int] = (1, 3)
    instruments: Names = "all"
    library: Path | None = None

    @property
    def instrument_names(self) -> tuple[str, ...]:
        """The built-in instruments to choose from."""
        return INSTRUMENTS if self.instruments == "all" else self.instruments


@dataclass(frozen=True)
class PhysicsSettings:
    """How the images come about. Each pair is the least and greatest value; images are spread evenly between them.

    Args:
        model: "xray" for the whole chain; "drr" for exp(-line integral) at `energy_kev` alone, without spectrum,
            scatter, noise, blur and collimator.
        energy_kev: Photon energy of "drr" [keV].
        kvp: Tube voltage [kV], 40 to 150.
        filtration: {material: range of thickness [mm]}.
        photons_per_pixel: Dose, photons per pixel on the central ray in air; spread evenly in its logarithm. One in
            a thousand to ten thousand passes a trunk. (0, 0) is no noise.
        readout_quanta: Standard deviation of the electronics' noise [quanta].
        scatter_to_primary: Mean scatter over mean primary behind the object. Thin edges dominate that mean: 0.05 can
            be a ratio of 2 or 3 in the middle of a trunk (see `estimate_scatter`).
        mtf50: Frequency at which the detector's blur halves the contrast [1/mm].
        collimation: Share of images with a collimator, half of them round.
        opening: Width of its opening, relative to the image.
        samples: Samples per ray.
    """

    model: Literal["xray", "drr"] = "xray"
    energy_kev: float = 70.0
    kvp: Range = (60.0, 120.0)
    filtration: Mapping[str, Range] = field(
        default_factory=lambda: MappingProxyType({"aluminium": (2.5, 4.0), "copper": (0.0, 0.2)})
    )
    photons_per_pixel: Range = (50_000.0, 5_000_000.0)
    readout_quanta: Range = (0.0, 5.0)
    scatter_to_primary: Range = (0.0, 0.05)
    mtf50: Range = (1.0, 3.0)
    collimation: float = 0.3
    opening: Range = (0.6, 0.95)
    samples: int = 300


@dataclass(frozen=True)
class ImageSettings:
    """What is kept of each image.

    Args:
        size: Rows and columns.
        line_integrals: Keep -ln of the primary intensity with each image ("float16", "float32"), or not ("none").
    """

    size: tuple[int, int] = (256, 256)
    line_integrals: Lines = "none"


@dataclass(frozen=True)
class DatasetConfig:
    """A data set, down to the last bit; the file has the same tables and keys.

    Args:
        seed: Everything random follows from it.
        patients: Where patients come from; generated ones or CTs are needed.
        views: How they are looked at.
        tools: What lies in them.
        physics: How the images come about.
        labels: Which organs get masks: names, groups ("ribs_left") or patterns ("vertebrae_L?"), or "all".
            Tools always do.
        image: What is kept of each image.
        split: {name: weight}; whole patients are shared out in this proportion.
        images_per_shard: About how many; a shard holds whole patients, at least one.
        on_error: A patient that cannot be read or rendered: leave it out and report it ("skip"), or "stop" the job.

    Raises:
        InputError: A value out of range; the message names it as in the file.
    """

    seed: int = 0
    patients: PatientSources = field(default_factory=PatientSources)
    views: ViewSettings = field(default_factory=ViewSettings)
    tools: ToolSettings = field(default_factory=ToolSettings)
    physics: PhysicsSettings = field(default_factory=PhysicsSettings)
    labels: Names = "all"
    image: ImageSettings = field(default_factory=ImageSettings)
    split: Mapping[str, float] = field(default_factory=lambda: _frozen(train=0.8, val=0.1, test=0.1))
    images_per_shard: int = 100
    on_error: OnError = "skip"

    def __post_init__(self) -> None:
        _demand(0 <= self.seed < 2**63, "seed", "a whole number from 0 up", self.seed)
        _check_patients(self.patients.procedural, self.patients.ct)
        _check_views(self.views)
        _check_tools(self.tools)
        _check_labels(self.labels, self.patients.ct)
        _check_physics(self.physics)
        size = self.image.size
        _demand(min(size) >= 8 and max(size) <= 4096, "image.size", "8 to 4096 pixels", size)
        names = [name for name in self.split if not _SPLIT_NAME.fullmatch(name)]
        _demand(not names, "split", "names of small letters, digits and _", names)
        _check_weights("split", self.split)
        _demand(bool(self.split), "split", "at least one name", "none")
        _demand(self.images_per_shard >= 1, "images_per_shard", "1 or more", self.images_per_shard)


def _check_patients(procedural: ProceduralPatients, ct: CTPatients) -> None:
    if procedural.count == 0 and ct.folder is None:
        raise InputError("patients needs procedural.count or ct.folder, got neither; say where patients come from.")
    _demand(0 <= procedural.count <= 999_999, "patients.procedural.count", "0 to 999999", procedural.count)
    _demand(bool(ct.volumes), "patients.ct.volumes", "a pattern of file names", "an empty text")
    _demand(32 <= procedural.size <= 512, "patients.procedural.size", "32 to 512 voxels", procedural.size)
    _check_weights("patients.procedural.regions", procedural.regions)
    _check_names("patients.procedural.regions", procedural.regions, REGIONS)


def _check_views(views: ViewSettings) -> None:
    _check_some("views.standard", views.standard)
    _check_names("views.standard", () if views.standard == "all" else views.standard, STANDARD_VIEWS)
    _check_names("views.ranges", views.ranges, POSE_RANGES)
    _demand(1 <= views.per_patient <= 9_999, "views.per_patient", "1 to 9999", views.per_patient)
    shares = {"random": views.random, **views.ranges}
    _demand(all(_is_share(value) for value in shares.values()), "views", "shares from 0 to 1", shares)
    _demand(sum(shares.values()) <= 1 + 1e-9, "views", "shares (random and ranges) that add up to 1 at most", shares)


def _check_tools(tools: ToolSettings) -> None:
    _demand(_is_share(tools.share), "tools.share", "a share from 0 to 1", tools.share)
    low, high = tools.count
    _demand(1 <= low <= high <= 50, "tools.count", "two whole numbers, 1 to 50, the smaller first", tools.count)
    _check_names("tools.instruments", tools.instrument_names, INSTRUMENTS)
    has_any = bool(tools.instrument_names) or tools.library is not None
    _demand(has_any or tools.share == 0, "tools", "instruments or a library to choose from", "none; set share: 0")


def _check_labels(labels: Names, ct: CTPatients) -> None:
    """Organs of generated patients and of published tables are known; a CT may bring names of its own."""
    _check_some("labels", labels)
    known = dict(enumerate(sorted({name for table in TABLES.values() for name in table.values()})))
    for name in labels if ct.labels is None and labels != "all" else ():
        _demand(bool(match_names(known, name)), "labels", "names, groups or patterns of organs", repr(name))


def _check_physics(physics: PhysicsSettings) -> None:
    limits = {"kvp": (40, 150), "readout_quanta": (0, 1e6), "scatter_to_primary": (0, 20), "opening": (0.05, 1)}
    for name, (least, most) in limits.items():
        _check_range(f"physics.{name}", getattr(physics, name), least, most)
    _check_range("physics.mtf50", physics.mtf50, 1e-3, 1e3)
    _check_range("physics.photons_per_pixel", physics.photons_per_pixel, 0, 1e12)
    low, high = physics.photons_per_pixel
    _demand((low > 0) == (high > 0), "physics.photons_per_pixel", "both above 0, or [0, 0] for no noise", (low, high))
    quiet = high > 0 or physics.readout_quanta[1] == 0
    _demand(quiet, "physics.readout_quanta", "[0, 0] where there are no photons to refer to", physics.readout_quanta)
    for material, thickness in physics.filtration.items():
        find_material(material)
        _check_range(f"physics.filtration.{material}", thickness, 0, 100)
    _demand(10 <= physics.energy_kev <= 150, "physics.energy_kev", "10 to 150 keV", physics.energy_kev)
    _demand(_is_share(physics.collimation), "physics.collimation", "a share from 0 to 1", physics.collimation)
    _demand(1 <= physics.samples <= 10_000, "physics.samples", "1 to 10000", physics.samples)


def _check_range(name: str, pair: Range, least: float, most: float) -> None:
    low, high = pair
    fits = math.isfinite(low) and math.isfinite(high) and least <= low <= high <= most
    _demand(fits, name, f"two numbers from {least:g} to {most:g}, the smaller first", pair)


def _check_some(name: str, names: Names) -> None:
    _demand(bool(names), name, 'a list of at least one name, or "all"', "none")


def _check_weights(name: str, weights: Mapping[str, float]) -> None:
    fine = all(math.isfinite(value) and value >= 0 for value in weights.values())
    _demand(fine and (not weights or sum(weights.values()) > 0), name, "weights of 0 or more, not all 0", dict(weights))


def _check_names(place: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"choose among {', '.join(list(known)[:12])}, and so on."
            raise InputError(f"{place} knows no {name!r}; {hint}")


def _is_share(value: float) -> bool:
    return 0.0 <= value <= 1.0


def _demand(fits: bool, name: str, expected: str, got: object) -> None:
    if not fits:
        raise InputError(f"{name} must be {expected}, got {got}.")
