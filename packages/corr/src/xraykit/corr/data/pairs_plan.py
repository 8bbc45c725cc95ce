"""What `xraykit corr pairs` computes, and the file that says so: a data set's, with a table of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xraykit.render import FileError, InputError
from xraykit.render.storage import from_plain, read_table

from .settings import TissueClass, TruthMode

if TYPE_CHECKING:
    from xraykit.render.dataset import DatasetConfig

TABLE = "pairs"


@dataclass(frozen=True)
class StoredPairSettings:
    """Which pairs of views are stored with their correspondence, and how.

    Raises:
        InputError: A value outside its range.
    """

    mode: TruthMode = "share"
    """How much two patches correspond: the largest share of a cell that both see, 0 or 1, or the shared volume"""
    grid: int = 16
    """Patches along an edge of an image"""
    tissue: TissueClass = "tissue"
    """What must lie in the beams of two patches for them to correspond"""
    per_patient: int = 8
    """Pairs of each patient, or as many as it has"""
    angles: tuple[float, float] = (30.0, 150.0)
    """Least and greatest angle between the beams of two views [degrees]"""
    storage: Literal["bits", "uint8"] = "uint8"
    """One bit for each entry (more than one half), or its 255ths"""
    patients_per_shard: int = 50
    """Patients whose pairs share a file"""

    def __post_init__(self) -> None:
        if not 1 <= self.grid <= 128:
            raise InputError(f"grid must be 1 to 128 patches, got {self.grid}.")
        low, high = self.angles
        if not 0 <= low <= high <= 180:
            raise InputError(f"angles must be two ascending angles from 0 to 180 degrees, got {self.angles}.")
        if min(self.per_patient, self.patients_per_shard) < 1:
            raise InputError(
                f"per_patient and patients_per_shard must be 1 or more, got {self.per_patient}, "
                f"{self.patients_per_shard}."
            )


def read_pairs_plan(path: str | Path) -> tuple[DatasetConfig, StoredPairSettings]:
    """The data set and the pairs that a file asks for: a data set's configuration with a table `pairs`.

    Raises:
        FileError: No such file, an unknown key, an illegal value, a data set without tissue, or with one view of each
            patient.
    """
    from xraykit.render.dataset import read_dataset_config

    path = Path(path)
    config = read_dataset_config(path, beside=(TABLE,))
    try:
        settings = from_plain(StoredPairSettings, read_table(path).get(TABLE) or {}, place=TABLE)
    except InputError as error:
        raise FileError(f"{path}: {error}") from error
    if config.image.tissue == 0:
        raise FileError(f"{path}: image.tissue must be set for pairs, such as 64, got 0.")
    if config.views.per_patient < 2:
        raise FileError(f"{path}: views.per_patient must be 2 or more for pairs, got {config.views.per_patient}.")
    return config, settings
