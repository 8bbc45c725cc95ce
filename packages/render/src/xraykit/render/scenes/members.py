"""Bodies and tools of a scene file: built in or read from files, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from ..files.meshes import read_mesh
from ..files.series_digest import kept_series
from ..geometry.rigid import check_pose
from ..materials.materials import MATERIALS
from ..meshes.instruments import INSTRUMENTS, instrument
from ..meshes.mesh import Mesh
from ..patient.standard_torso import torso
from ..simulation.scene import Body, PlacedTool, tool_pose
from ..volumes.label_names import match_names
from ..volumes.landmarks import label_centroids
from ..volumes.volume import Volume
from .scene_table import Table

BODY = (
    "name",
    "torso",
    "file",
    "labels",
    "label_names",
    "series",
    "resample_slices",
    "density_scale",
    "label_materials",
)
TOOL = (
    *("name", "instrument", "seed", "file", "scale", "material", "density", "displaces"),
    *("position", "at", "offset", "direction", "turn", "mesh_to_world"),
)
Record = dict[str, Any]


def body_from(table: Table, number: int) -> tuple[Body, Record]:
    """A body of a scene file, and the entry that makes it again.

    Raises:
        FileError: A key or value is not legal, or a file is missing or damaged.
    """
    if ("torso" in table) == ("file" in table):
        raise table.error("needs either torso or file, the built-in patient or a CT of yours")
    name = table.text("name", "patient" if number == 0 else f"body_{number + 1}")
    record: Record = {"name": name}
    with table.naming():
        volume = _torso(table, record) if "torso" in table else _volume(table, record)
    scales = table.scalars("density_scale")
    materials = table.content.get("label_materials") or {}
    if not isinstance(materials, dict) or not all(isinstance(material, str) for material in materials.values()):
        raise table.error(f"must be a table of labels and materials, got {materials!r}", "label_materials")
    record |= {"density_scale": scales, "label_materials": dict(materials)}
    with table.naming():
        body = Body.from_volume(volume, name=str(name), density_scale=scales, label_materials=materials)
    return body, record


def tool_from(table: Table, bodies: Sequence[Body], *, mesh_scale: float | None = None) -> tuple[PlacedTool, Record]:
    """A tool of a scene file, and the entry that makes it again; `mesh_scale` is for meshes without a scale.

    Raises:
        FileError: As for `body_from`.
    """
    if ("instrument" in table) == ("file" in table):
        raise table.error("needs either instrument or file, a built-in one or a mesh of yours")
    record: Record = {"name": table.text("name")}
    with table.naming():
        mesh = _instrument(table, record) if "instrument" in table else _mesh(table, record, mesh_scale)
    record["name"] = record["name"] or mesh.name
    record["material"] = table.text("material", mesh.material, among=tuple(MATERIALS))
    record["density"] = table.positive("density", None)
    record["displaces"] = table.flag("displaces", True)
    with table.naming():
        pose = _pose(table, bodies)
        record["mesh_to_world"] = pose.tolist()
        tool = PlacedTool(
            mesh,
            pose,
            name=record["name"],
            material=record["material"],
            density=record["density"],
            displaces=record["displaces"],
        )
    return tool, record


def place(table: Table, key: str, bodies: Sequence[Body]) -> Tensor | None:
    """Three coordinates [mm, RAS], or the centroid of the label or group that the key names, (3,) float64."""
    value = table.content.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        return torch.tensor(table.numbers(key, 3), dtype=torch.float64)
    for body in bodies:
        if body.volume.labels is not None and match_names(body.volume.label_names, value):
            centroids = label_centroids(body.volume, [value])
            if value in centroids:
                return centroids[value]
    raise table.error(f"must be three coordinates or a label that fills a voxel of a body, got {value!r}", key)


def matrix(table: Table, key: str) -> Tensor:
    """A rigid motion, (4, 4) float64."""
    pose = torch.tensor(table.rows(key, 4, 4), dtype=torch.float64)
    with table.naming(key):
        return check_pose(pose[None], name=key)[0]


def _torso(table: Table, record: Record) -> Volume:
    options = table.table("torso", ("spacing", "seed"))
    spacing, seed = options.positive("spacing", 2.5), options.whole("seed", 0)
    record["torso"] = {"spacing": spacing, "seed": seed}
    for key in ("labels", "label_names", "series", "resample_slices"):
        if key in table:
            raise table.error(f"belongs to a file, and the torso brings its own; leave {key} out", key)
    with options.naming():
        return torso(spacing=spacing, seed=seed)


def _volume(table: Table, record: Record) -> Volume:
    file, labels = table.path("file"), table.path("labels")
    names, resample, series = (
        table.text("label_names"),
        table.flag("resample_slices", False),
        table.content.get("series"),
    )
    series = str(series) if type(series) is int else table.text("series")
    if file is None:
        raise InputError("file must name a CT, got none.")
    volume = Volume.from_file(file, labels=labels, label_names=names, series=series, resample_slices=resample)
    if volume.hu is None:
        raise InputError(f"{file} must be a CT with Hounsfield numbers, got none.")
    record |= {"file": str(file), "labels": None if labels is None else str(labels)}
    record |= {"label_names": names, "series": None if series is None else kept_series(series)} | (
        {"resample_slices": True} if resample else {}
    )
    return volume


def _instrument(table: Table, record: Record) -> Mesh:
    name, seed = table.text("instrument", among=INSTRUMENTS), table.whole("seed", 0)
    if "scale" in table:
        raise table.error("belongs to a file; built-in instruments are in mm", "scale")
    record |= {"instrument": name, "seed": seed}
    return instrument(str(name), seed=seed)


def _mesh(table: Table, record: Record, mesh_scale: float | None) -> Mesh:
    file, scale = table.path("file"), table.positive("scale", mesh_scale)
    if "seed" in table:
        raise table.error("belongs to an instrument; a file has one shape", "seed")
    if file is None:
        raise InputError("file must name a mesh, got none.")
    record |= {"file": str(file), "scale": scale}
    return read_mesh(file, scale=scale, name=record["name"])


def _pose(table: Table, bodies: Sequence[Body]) -> Tensor:
    if "mesh_to_world" in table:
        also = [key for key in ("position", "at", "offset", "direction", "turn") if key in table]
        if also:
            raise table.error(f"is set by mesh_to_world, got also {also[0]}; leave one out")
        return matrix(table, "mesh_to_world")
    if "position" in table and "at" in table:
        raise table.error("is placed by position or at, got both; leave one out")
    where = place(table, "at" if "at" in table else "position", bodies)
    where = torch.zeros(3, dtype=torch.float64) if where is None else where
    offset = torch.tensor(table.numbers("offset", 3, (0.0, 0.0, 0.0)), dtype=torch.float64)
    turn = table.number("turn", 0.0)
    direction = table.numbers("direction", 3, (0.0, 0.0, 1.0)) or [0.0, 0.0, 1.0]
    return tool_pose(where + offset, direction=direction, turn=turn)
