"""Settings that several commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..files.series_digest import kept_series
from ..rendering.options import DEFAULT_SAMPLES, DEFAULT_SDD, Backend, Method

MeshUnits = Literal["mm", "cm", "m", "inch"]
"""What a mesh file may be measured in."""


@dataclass(frozen=True)
class VolumeSettings:
    """How the CT is read."""

    series: str | None = None
    """Which volume of a DICOM folder that holds several: its number in the list of the error, or its
    SeriesInstanceUID, which is kept as a digest (sha256:...) that is taken here too."""
    modality: Literal["CT", "MR"] | None = None
    """What the voxels are; default: as the file says, else CT."""
    resample_slices: bool = False
    """Interpolate DICOM slices of uneven steps along the stack."""
    voxel_spacing: tuple[float, float, float] | None = None
    """Of a TIFF with a page for each slice: along columns, rows and pages [mm]."""

    def __post_init__(self) -> None:
        if self.series is not None:  # or every saved record would hold the UID
            object.__setattr__(self, "series", kept_series(self.series))

    @property
    def reading(self) -> dict[str, Any]:
        """The keywords of `Volume.from_file` for this."""
        return {
            "series": self.series,
            "modality": self.modality,
            "resample_slices": self.resample_slices,
            "voxel_spacing": self.voxel_spacing,
        }


@dataclass(frozen=True)
class LabelSettings(VolumeSettings):
    """How the CT is read, and its labels."""

    labels: Path | None = None
    """Label map on the grid of the CT, which says where the anatomy is."""
    label_names: str | None = None
    """Name table of the label values, e.g. totalsegmentator_v2; default: the names in the label file, if any."""

    @property
    def reading(self) -> dict[str, Any]:
        """The keywords of `Volume.from_file` for this."""
        return {**super().reading, "labels": self.labels, "label_names": self.label_names}


@dataclass(frozen=True)
class CameraSettings:
    """The camera."""

    sdd: float = DEFAULT_SDD
    """Source to detector [mm]."""
    size: tuple[int, int] = (512, 512)
    """Detector rows and columns [px]."""
    pixel_spacing: float | tuple[float, float] = 0.9
    """Pixel pitch on the detector [mm]; two numbers are down a column and along a row."""


@dataclass(frozen=True)
class ProjectorSettings:
    """How rays are integrated."""

    method: Method = "trilinear"
    """Projector: trilinear samples, siddon is exact for constant voxels, joseph goes slice by slice."""
    samples: int = DEFAULT_SAMPLES
    """Samples per ray inside the volume (trilinear only)."""


@dataclass(frozen=True)
class ComputeSettings:
    """What it runs on."""

    backend: Backend = "auto"
    """Implementation; auto takes the fastest that runs here."""
    device: str = "cpu"
    """cpu, cuda or cuda:N."""
