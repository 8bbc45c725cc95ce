"""CONFIG.yaml: a data set's configuration on disk, with the tables and keys of `DatasetConfig`."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import yaml

from ...errors import FileError, InputError
from ...storage.settings_file import read_table
from ...storage.typed_settings import from_plain, to_plain
from .config import DatasetConfig


def read_dataset_config(path: str | Path, *, beside: Collection[str] = ()) -> DatasetConfig:
    """The configuration in a YAML file (or TOML, or JSON); what it leaves out has the defaults of `DatasetConfig`.

    Args:
        path: The file.
        beside: Tables of the file that are somebody else's.

    Raises:
        FileError: No such file, not well-formed, an unknown key or view or region, or an illegal value; the message
            names the place.
    """
    path = Path(path)
    table = {key: value for key, value in read_table(path).items() if key not in beside}
    if table.get("physics") == "drr":
        table["physics"] = {"model": "drr"}
    try:
        return from_plain(DatasetConfig, table, what="the file", folder=path.parent)
    except InputError as error:
        raise FileError(f"{path}: {error}") from error


def config_text(config: DatasetConfig) -> str:
    """The file that says all of it, every default filled in."""
    return yaml.safe_dump(to_plain(config), sort_keys=False, allow_unicode=True, width=120)
