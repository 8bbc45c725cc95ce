"""Which cells of a patient hold tissue and which bone, two bits each, read back without trusting them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...errors import FileError
from ...geometry.checks import are_independent
from ..plan.config import MOST_CELLS

AIR, TISSUE_CELL, BONE_CELL = 0, 1, 2
TISSUE_HU, BONE_HU = -300.0, 150.0


@dataclass(frozen=True, eq=False)
class TissueGrid:
    """A patient in isotropic cells, coarse enough to lie beside each image.

    Args:
        classes: 0 air, 1 tissue (area-averaged HU above -300), 2 bone (above 150), (K, J, I) uint8. Bone is tissue
            as well: `classes > 0` is all that is not air.
        affine: Cell (i, j, k) to the world position of its centre, RAS [mm], (4, 4) float64.
    """

    classes: Tensor
    affine: Tensor


def encode_tissue(grid: TissueGrid) -> tuple[bytes, dict[str, Any]]:
    """The member and its entry in the record: zlib of four cells a byte, the first lowest, i fastest; shape, affine."""
    flat = grid.classes.reshape(-1).numpy()
    quads = np.pad(flat, (0, -len(flat) % 4)).reshape(-1, 4)
    packed = (quads << np.array([0, 2, 4, 6], dtype=np.uint8)).sum(axis=1, dtype=np.uint8)
    return zlib.compress(packed.tobytes(), 9), {"shape": list(grid.classes.shape), "affine": grid.affine.tolist()}


def decode_tissue(content: bytes, entry: Mapping[str, Any], name: str) -> TissueGrid:
    """The grid that `encode_tissue` packed.

    Args:
        content: The member.
        entry: What the record says of it.
        name: Of the member, for messages.

    Raises:
        FileError: Shape or affine are none, or the member does not hold what they say; no memory is taken before that
            is known.
    """
    shape, affine = _shape(entry.get("shape"), name), _affine(entry.get("affine"), name)
    cells = shape[0] * shape[1] * shape[2]
    size, unpacker = -(-cells // 4), zlib.decompressobj()
    try:
        packed = unpacker.decompress(content, size + 1)
    except zlib.error as error:
        raise FileError(f"{name} must be packed by zlib, got something else ({error}); make it again.") from error
    if len(packed) != size or not unpacker.eof or unpacker.unused_data:
        raise FileError(f"{name} must hold {cells} cells in {size} bytes, got another number; make it again.")
    quads = np.frombuffer(packed, dtype=np.uint8)[:, None] >> np.array([0, 2, 4, 6], dtype=np.uint8) & 3
    flat = quads.reshape(-1)
    if (flat[:cells] > BONE_CELL).any() or flat[cells:].any():
        raise FileError(f"{name} must hold the classes 0, 1 and 2, got others; make it again.")
    return TissueGrid(torch.from_numpy(flat[:cells].reshape(shape)), affine)


def _shape(value: Any, name: str) -> tuple[int, int, int]:
    if not isinstance(value, list) or len(value) != 3 or any(type(n) is not int for n in value):
        raise FileError(f"{name} must have a shape of three whole numbers, got {str(value)[:60]}; make it again.")
    if min(value) < 1 or max(value) > MOST_CELLS:
        raise FileError(f"{name} must have 1 to {MOST_CELLS} cells along each side, got {value}; make it again.")
    return value[0], value[1], value[2]


def _affine(value: Any, name: str) -> Tensor:
    wrong = f"{name} must have an affine that is finite and invertible and ends in 0 0 0 1, got {str(value)[:80]}."
    try:
        affine = torch.tensor(value, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise FileError(wrong) from error
    if affine.shape != (4, 4) or not bool(torch.isfinite(affine).all()) or affine[3].tolist() != [0.0, 0.0, 0.0, 1.0]:
        raise FileError(wrong)
    if not are_independent(affine[:3, :3]):
        raise FileError(wrong)
    return affine
