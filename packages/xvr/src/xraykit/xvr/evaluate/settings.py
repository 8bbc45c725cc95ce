"""What is evaluated, and what counts as success: the options of `xraykit xvr evaluate`, without torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from xraykit.render.commands import VolumeSettings

from ..refine.settings import Optimizer, RefinementSettings
from .datasets.names import DatasetName
from .study import RegistrationStudy


@dataclass(frozen=True)
class TruthSettings:
    """X-rays with true poses."""

    dataset: DatasetName | None = None
    """Whose true poses count."""
    data: Path | None = None
    """Where the data set is: the original HDF5 file, or the folder of the remixed set."""
    simulate: Path | None = None
    """A CT whose X-rays are simulated with noise, scatter and collimation, in place of a data set."""
    label_map: Path | None = None
    """Label map of the CT to simulate from."""
    volume: VolumeSettings = field(default_factory=VolumeSettings)
    size: int = 256
    """Rows and columns of simulated X-rays."""


@dataclass(frozen=True)
class EvaluateSettings:
    """Measure how well registrations succeed."""

    output: Path = field(metadata={"short": "-o"})
    """Folder for poses.json, errors.csv, summary.json, summary.md and the figures; made if need be."""
    results: tuple[Path, ...] = field(default=(), metadata={"positional": True})
    """Folders of `xraykit xvr register`, one for each method, named after it; below each a folder per subject."""
    success: float = 1.0
    """A true TRE below this is a success [mm]."""
    optimizers: tuple[Optimizer, ...] = (RefinementSettings.optimizer,)
    """Without results: the methods that register, each from the same starts."""
    truth: TruthSettings = field(default_factory=TruthSettings)
    """What is registered."""
    study: RegistrationStudy = field(default_factory=RegistrationStudy)
    """Which X-rays are registered, and from where."""
