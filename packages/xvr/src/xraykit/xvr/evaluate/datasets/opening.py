"""Open a published data set by name."""

from __future__ import annotations

from pathlib import Path

from xraykit.render import FileError, InputError
from xraykit.render.storage import kind_at

from .common import Dataset
from .deepfluoro_hdf5 import DeepFluoroHDF5
from .ljubljana_hdf5 import LjubljanaHDF5
from .names import DATASET_NAMES, DatasetName
from .remixed import Remixed


def open_dataset(name: DatasetName, path: str | Path) -> Dataset:
    """The adapter for a data set: a folder is the remixed layout, a file the original HDF5.

    Args:
        name: Which data set.
        path: Where it is.

    Raises:
        InputError: An unknown name, or Femur as HDF5. FileError: there is nothing at the path.
    """
    path = Path(path)
    if name not in DATASET_NAMES:
        raise InputError(f"a data set must be deepfluoro, ljubljana or femur, got {name!r}.")
    kind = kind_at(path)
    if kind == "folder":
        return Remixed(path, name)
    if kind is None:
        raise FileError(f"{path} must be the folder or HDF5 file of {name}, there is nothing by that name.")
    if name == "deepfluoro":
        return DeepFluoroHDF5(path)
    if name == "ljubljana":
        return LjubljanaHDF5(path)
    raise InputError("femur exists in the remixed layout only, got a file; name the folder with subject01, ...")
