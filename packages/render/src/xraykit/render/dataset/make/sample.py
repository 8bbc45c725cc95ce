"""The samples of one patient: every view drawn, simulated, and put into members of a shard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from ...radiographs.save import geometry_record
from ...seeds import seed_for, stream
from ...simulation.simulation import Simulation, simulate
from ...storage.versions import installed_version
from ...volumes.label_names import match_names
from ..format.tissue_grid import encode_tissue
from ..plan.config import DatasetConfig, Names
from ..plan.plan import PatientPlan
from .encode import SCALE, array_bytes, image_bytes, json_bytes, landmark_records, mask_records, tool_records
from .patients import PreparedPatient, make_subject
from .physics_choice import choose_physics
from .placement import place_tools
from .shard import Member
from .tissue import tissue_grid_of
from .view_choice import ChosenView, choose_view, standard_names

_PROGRAMS = ("xraykit-render", "torch", "numpy", "numba")


@dataclass(frozen=True)
class Sample:
    """One image with all that belongs to it.

    Args:
        key: In the shard.
        members: In the order of their names.
        as_read: What was assumed of the patient's file, and what is doubtful about it.
    """

    key: str
    members: tuple[Member, ...]
    as_read: Mapping[str, Sequence[str]] = field(default_factory=dict)


def make_samples(plan: PatientPlan, config: DatasetConfig, split: str) -> tuple[Sample, ...]:
    """The samples of a patient; the patient is made once.

    Every view is simulated by itself from random numbers of its own, so its bytes depend on the configuration, the
    patient and the view alone.

    Raises:
        XraykitError: The patient cannot be read, made or seen.
    """
    with torch.inference_mode():
        subject = make_subject(plan, config)
        names = standard_names(subject, config.views)
        tissue = encode_tissue(tissue_grid_of(subject.volume, config.image.tissue)) if config.image.tissue else None
        views = range(config.views.per_patient)
        return tuple(_sample(subject, names, tissue, plan, view, config, split) for view in views)


@lru_cache(maxsize=1)
def program_versions() -> Mapping[str, str]:
    """The versions of the programs that have a say in the bytes."""
    return {name: installed_version(name) for name in _PROGRAMS}


def _sample(
    subject: PreparedPatient,
    names: tuple[str, ...],
    tissue: tuple[bytes, dict[str, Any]] | None,
    plan: PatientPlan,
    view: int,
    config: DatasetConfig,
    split: str,
) -> Sample:
    numbers = (plan.number, view)
    chosen = choose_view(subject, names, config, stream(config.seed, "view", *numbers), view)
    settings, physics = choose_physics(config, stream(config.seed, "physics", *numbers))
    taken = [tool.name for tool in subject.implants]
    tools = place_tools(
        config.tools, chosen.camera, chosen.pose, subject.places, stream(config.seed, "tools", *numbers), taken
    )
    scene = replace(subject.scene, tools=(*subject.implants, *tools))
    noise = seed_for(config.seed, "noise", *numbers)
    simulation = simulate(scene, chosen.camera, chosen.pose, settings, seed=noise)
    key = f"{plan.number:06d}_{view:04d}"
    annotations, runs = _masks(simulation, config)
    record = {
        "key": key,
        "split": split,
        "patient": plan.number,
        "view": chosen.record,
        "camera": _geometry(chosen),
        "image": {"polarity": "intensity", "bits": 16, "scale": SCALE},
        "labels": [entry["name"] for entry in annotations if entry["kind"] == "organ"],
        "annotations": annotations,
        "landmarks": landmark_records(simulation.landmarks),
        "description": dict(subject.description),
        "tools": tool_records(scene.tools, chosen.camera, chosen.pose),
        "physics": physics,
        "seed": noise,
        "versions": program_versions(),
    }
    members = {"image.tiff": image_bytes(simulation.intensity[0, 0].numpy())}
    if tissue is not None:
        members["tissue.bin"], record["tissue"] = tissue
    members["json"] = json_bytes(record)
    if config.image.line_integrals != "none":
        members["lines.npy"] = array_bytes(simulation.line_integrals[0, 0].numpy().astype(config.image.line_integrals))
    members["masks.json"] = json_bytes(runs)
    named = tuple((f"{key}.{name}", members[name]) for name in sorted(members))
    return Sample(key, named, subject.description.get("as_read", {}))


def _masks(simulation: Simulation, config: DatasetConfig) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    masks = simulation.masks
    if masks is None:
        return [], []
    keep = [entry.kind == "tool" or _is_wanted(entry.name, config.labels) for entry in masks.entries]
    return mask_records(masks, keep)


@lru_cache(maxsize=4096)
def _is_wanted(name: str, labels: Names) -> bool:
    return labels == "all" or any(match_names({0: name}, wanted) for wanted in labels)


def _geometry(chosen: ChosenView) -> dict[str, Any]:
    record = geometry_record(chosen.camera, chosen.pose)
    return record | {"camera_to_world": np.asarray(chosen.pose.double())[0].tolist()}
