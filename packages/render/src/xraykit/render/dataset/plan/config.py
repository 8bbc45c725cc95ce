"""What a data set shall hold: patients, views, tools, physics, images, splits. Every default is stated here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from ...meshes.instruments import INSTRUMENTS
from ...storage.typed_settings import Range
from .config_checks import (
    check_labels,
    check_patients,
    check_physics,
    check_tools,
    check_views,
    check_weights,
    demand,
)

Names = tuple[str, ...] | Literal["all"]
Lines = Literal["none", "float16", "float32"]
OnError = Literal["skip", "stop"]

MOST_CELLS = 256
"""Along a side of the grid of tissue."""

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
        findings: {finding: probability}, of fracture, crushed_vertebra, scoliosis, osteophytes, contrast and implant;
            what is not named keeps the default of `FindingSettings`.
    """

    count: int = 0
    regions: Mapping[str, float] = field(default_factory=_frozen)
    size: int = 160
    findings: Mapping[str, float] = field(default_factory=_frozen)


@dataclass(frozen=True)
class CTPatients:
    """Patients that are CT volumes in a folder.

    Args:
        folder: Where they are; None for no CTs.
        volumes: File name pattern of the volumes, with / for subfolders ("*/ct.nii.gz"); a DICOM series is a folder.
        labels: Path of a volume's label map from the folder; {name} is the volume's file name without its suffix,
            {parent} the subfolder it lies in. None for no labels.
        label_names: A table of names ("totalsegmentator_v2"); None takes the names in the label file.
        series: Which volume of DICOM folders that hold several, as a number in the list of the error.
        modality: "CT" reads volumes as CT that say otherwise.
        resample_slices: Interpolate DICOM slices of uneven steps along the stack.
        voxel_spacing: Of TIFF stacks along columns, rows and pages [mm]; None takes what ImageJ wrote.
    """

    folder: Path | None = None
    volumes: str = "*.nii.gz"
    labels: str | None = None
    label_names: str | None = None
    series: str | int | None = None
    modality: Literal["CT"] | None = None
    resample_slices: bool = False
    voxel_spacing: tuple[float, float, float] | None = None

    @property
    def reading(self) -> dict[str, Any]:
        """The keywords of `Volume.from_file` for this, labels apart."""
        return {
            "series": None if self.series is None else str(self.series),
            "modality": self.modality,
            "resample_slices": self.resample_slices,
            "voxel_spacing": self.voxel_spacing,
        }


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
        orbit: Share of images from anywhere around the long axis of the body, see `orbit_view`.
        in_turn: Image n of a patient takes the n-th of its standard views, and begins again after the last, so that
            each patient is seen in each of them; otherwise each image draws one.
        zoom: Least and greatest narrowing of the standard views' fields; 2 shows half the width of the view's own field
            around its target, so that a joint fills the image.
    """

    per_patient: int = 20
    standard: Names = "all"
    random: float = 0.25
    ranges: Mapping[str, float] = field(default_factory=_frozen)
    orbit: float = 0.0
    in_turn: bool = False
    zoom: Range = (1.0, 1.0)


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
        tissue: Cells along the longest side of the grid of air, tissue and bone that is kept with each image, see
            `TissueGrid`; 0 keeps none.
    """

    size: tuple[int, int] = (256, 256)
    line_integrals: Lines = "none"
    tissue: int = 0


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
        demand(0 <= self.seed < 2**63, "seed", "a whole number from 0 up", self.seed)
        check_patients(self.patients.procedural, self.patients.ct)
        check_views(self.views)
        check_tools(self.tools)
        check_labels(self.labels, self.patients.ct)
        check_physics(self.physics)
        size = self.image.size
        demand(min(size) >= 8 and max(size) <= 4096, "image.size", "8 to 4096 pixels", size)
        tissue = self.image.tissue
        demand(tissue == 0 or 8 <= tissue <= MOST_CELLS, "image.tissue", f"0, or 8 to {MOST_CELLS} cells", tissue)
        names = [name for name in self.split if not _SPLIT_NAME.fullmatch(name)]
        demand(not names, "split", "names of small letters, digits and _", names)
        check_weights("split", self.split)
        demand(bool(self.split), "split", "at least one name", "none")
        demand(self.images_per_shard >= 1, "images_per_shard", "1 or more", self.images_per_shard)
