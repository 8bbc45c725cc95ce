"""CONFIG.yaml: a data set's configuration, read key by key and written back with every default filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml

from ...meshes.instruments import INSTRUMENTS
from ...storage.yaml_table import Table, read_table
from .config import (
    CTPatients,
    DatasetConfig,
    Lines,
    OnError,
    PhysicsSettings,
    ProceduralPatients,
    Range,
    ToolSettings,
    ViewSettings,
)

KEYS: Mapping[str, tuple[str, ...]] = {
    "": ("seed", "patients", "views", "tools", "physics", "labels", "image", "split", "images_per_shard", "on_error"),
    "patients": ("procedural", "ct"),
    "patients.procedural": ("count", "regions", "size"),
    "patients.ct": ("folder", "volumes", "labels", "label_names"),
    "views": ("per_patient", "standard", "random", "ranges"),
    "tools": ("share", "count", "instruments", "library"),
    "physics": (
        *("model", "energy_kev", "kvp", "filtration", "photons_per_pixel", "readout_quanta"),
        *("scatter_to_primary", "mtf50", "collimation", "opening", "samples"),
    ),
    "image": ("size", "line_integrals"),
}
"""Every key that the file may have, by the table that holds it."""


def read_dataset_config(path: str | Path) -> DatasetConfig:
    """The configuration in a YAML file; what it leaves out has the defaults of `DatasetConfig`.

    Raises:
        FileError: No such file, no well-formed YAML, an unknown key or view or region, or an illegal value; the
            message names the place.
    """
    table = read_table(path, KEYS[""], what="the file")
    default = DatasetConfig(procedural=ProceduralPatients(count=1))
    patients = _table(table, "patients")
    image = _table(table, "image")
    with table.naming():
        return DatasetConfig(
            seed=table.whole("seed", default.seed),
            procedural=_procedural(_table(patients, "procedural")),
            ct=_ct(_table(patients, "ct")),
            views=_views(_table(table, "views")),
            tools=_tools(_table(table, "tools")),
            physics=_physics(table),
            labels=_names(table, "labels", default.labels, every=()),
            size=_wholes(image, "size", default.size),
            line_integrals=_choice(image, "line_integrals", default.line_integrals, get_args(Lines)),
            split=table.scalars("split") or default.split,
            images_per_shard=table.whole("images_per_shard", default.images_per_shard),
            on_error=_choice(table, "on_error", default.on_error, get_args(OnError)),
        )


def config_record(config: DatasetConfig) -> dict[str, Any]:
    """The configuration as the tables of the file, nothing left out; `read_dataset_config` reads them back."""
    return {
        "seed": config.seed,
        "patients": {
            "procedural": {key: _plain(getattr(config.procedural, key)) for key in KEYS["patients.procedural"]},
            "ct": {key: _plain(getattr(config.ct, key)) for key in KEYS["patients.ct"]},
        },
        "views": {key: _plain(getattr(config.views, key)) for key in KEYS["views"]}
        | {"standard": list(config.views.standard) or "all"},
        "tools": {key: _plain(getattr(config.tools, key)) for key in KEYS["tools"]},
        "physics": {key: _plain(getattr(config.physics, key)) for key in KEYS["physics"]},
        "labels": list(config.labels) or "all",
        "image": {"size": list(config.size), "line_integrals": config.line_integrals},
        "split": dict(config.split),
        "images_per_shard": config.images_per_shard,
        "on_error": config.on_error,
    }


def config_text(config: DatasetConfig) -> str:
    """The file that says all of it."""
    return yaml.safe_dump(config_record(config), sort_keys=False, allow_unicode=True, width=120)


def _procedural(table: Table) -> ProceduralPatients:
    default = ProceduralPatients()
    regions = table.scalars("regions")
    with table.naming("regions"):
        return ProceduralPatients(
            count=table.whole("count", default.count), regions=regions, size=table.whole("size", default.size)
        )


def _ct(table: Table) -> CTPatients:
    default = CTPatients()
    return CTPatients(
        folder=table.path("folder"),
        volumes=table.text("volumes", default.volumes) or default.volumes,
        labels=table.text("labels"),
        label_names=table.text("label_names"),
    )


def _views(table: Table) -> ViewSettings:
    default = ViewSettings()
    return ViewSettings(
        per_patient=table.whole("per_patient", default.per_patient),
        standard=_names(table, "standard", default.standard, every=()),
        random=table.number("random", default.random),
        ranges=table.scalars("ranges"),
    )


def _tools(table: Table) -> ToolSettings:
    default = ToolSettings()
    return ToolSettings(
        share=table.number("share", default.share),
        count=_wholes(table, "count", default.count),
        instruments=_names(table, "instruments", default.instruments, every=INSTRUMENTS),
        library=table.path("library"),
    )


def _physics(parent: Table) -> PhysicsSettings:
    if parent.content.get("physics") == "drr":
        return PhysicsSettings(model="drr")
    table, default = _table(parent, "physics"), PhysicsSettings()
    pairs = ("kvp", "photons_per_pixel", "readout_quanta", "scatter_to_primary", "mtf50", "opening")
    filtration = default.filtration
    if "filtration" in table:
        filters = table.table("filtration", list(table.content["filtration"] or ()))
        filtration = {str(name): _pair(filters, name, (0.0, 0.0)) for name in filters.content}
    return PhysicsSettings(
        model=_choice(table, "model", default.model, ("xray", "drr")),
        energy_kev=table.number("energy_kev", default.energy_kev),
        filtration=filtration,
        collimation=table.number("collimation", default.collimation),
        samples=table.whole("samples", default.samples),
        **{key: _pair(table, key, getattr(default, key)) for key in pairs},
    )


def _table(parent: Table, key: str) -> Table:
    return parent.table(key, KEYS[f"{parent.where}.{key}" if parent.where else key])


def _pair(table: Table, key: str, default: Range) -> Range:
    low, high = table.numbers(key, 2, default) or default
    return low, high


def _wholes(table: Table, key: str, default: tuple[int, int]) -> tuple[int, int]:
    low, high = table.numbers(key, 2, default) or default
    if low != int(low) or high != int(high):
        raise table.error(f"must be two whole numbers, got [{low:g}, {high:g}]", key)
    return int(low), int(high)


def _names(table: Table, key: str, default: Sequence[str], *, every: Sequence[str]) -> tuple[str, ...]:
    """A list of names, or the word "all"."""
    value = table.content.get(key)
    if value is None:
        return tuple(default)
    if value == "all":
        return tuple(every)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise table.error(f'must be a list of names or "all", got {value!r}', key)
    return tuple(value)


def _choice(table: Table, key: str, default: str, among: Sequence[str]) -> Any:
    return table.text(key, default, among=among)


def _plain(value: Any) -> Any:
    """Containers and paths as YAML knows them."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, Path) else value
