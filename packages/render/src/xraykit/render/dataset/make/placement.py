"""Tools at random places in the field of view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...geometry.camera import Camera
from ...geometry.projection import project
from ...meshes.instruments import instrument
from ...meshes.mesh import Mesh
from ...scenes.tool_library import ToolLibrary, read_tool_library
from ...simulation.scene import PlacedTool, tool_pose
from ..plan.config import ToolSettings

_SEEDS = 1 << 16


def place_tools(
    settings: ToolSettings,
    camera: Camera,
    pose: Tensor,
    places: Tensor,
    rng: np.random.Generator,
    taken: Sequence[str] = (),
) -> tuple[PlacedTool, ...]:
    """None, or some tools: each with its middle at a random point of the body that the detector sees, turned at random.

    Args:
        settings: How often, how many, and of which.
        camera: Intrinsics.
        pose: Camera to world, (1, 4, 4).
        places: Points inside the body [mm, world RAS], (N, 3); without one in view there is no tool.
        rng: Decides.
        taken: Names that the scene's tools have already.

    Raises:
        FileError: A mesh of the library is missing or damaged.
    """
    wanted = int(rng.integers(settings.count[0], settings.count[1] + 1)) if rng.random() < settings.share else 0
    seen = places[project(places, camera, pose).visible[0]] if wanted and len(places) else places[:0]
    if not len(seen):
        return ()
    library = _library(settings.library)
    kinds = [*settings.instrument_names, *library]
    names, tools = set(taken), []
    for _ in range(wanted):
        kind = kinds[int(rng.integers(len(kinds)))]
        mesh_seed = int(rng.integers(_SEEDS))
        mesh = library[kind] if kind in library else instrument(kind, seed=mesh_seed)
        name = next(name for name in (kind, *(f"{kind}_{n}" for n in range(2, 1000))) if name not in names)
        names.add(name)
        tools.append(PlacedTool(mesh, _random_pose(mesh, seen[int(rng.integers(len(seen)))], rng), name=name))
    return tuple(tools)


def _random_pose(mesh: Mesh, middle: Tensor, rng: np.random.Generator) -> Tensor:
    """Mesh to world (4, 4): the middle of the mesh's box at a point, all directions and turns alike."""
    direction = rng.normal(size=3)
    pose = tool_pose((0.0, 0.0, 0.0), direction=direction.tolist(), turn=float(rng.uniform(0, 360)))
    low, high = torch.aminmax(mesh.vertices.double(), dim=0)
    pose[:3, 3] = middle - pose[:3, :3] @ ((low + high) / 2)
    return pose


@lru_cache(maxsize=1)
def _opened(folder: Path) -> ToolLibrary:
    return read_tool_library(folder)


def _library(folder: Path | None) -> Mapping[str, Mesh]:
    return {} if folder is None else _opened(folder)
