"""Rotations and poses for tests: random ones, special ones, and hypothesis strategies."""

import math

import torch
from hypothesis import strategies as st

PI = math.pi

# Rotation vectors where a formula divides nothing by nothing, or changes its branch.
SPECIAL_VECTORS = {
    "identity": (0.0, 0.0, 0.0),
    "almost identity": (1e-9, -2e-9, 0.0),
    "tiny": (1e-4, 0.0, 2e-4),
    "quarter turn x": (PI / 2, 0.0, 0.0),
    "quarter turn y": (0.0, -PI / 2, 0.0),
    "third of a turn": (2 * PI / 3**1.5, 2 * PI / 3**1.5, 2 * PI / 3**1.5),
    "half turn x": (PI, 0.0, 0.0),
    "half turn y": (0.0, PI, 0.0),
    "half turn z": (0.0, 0.0, PI),
    "half turn xy": (PI / 2**0.5, PI / 2**0.5, 0.0),
    "almost half turn": (0.0, PI - 1e-5, 0.0),
    "past half turn": (0.0, 0.0, PI + 1e-3),
    "full turn": (0.0, 2 * PI, 0.0),
}

coordinates = st.floats(-1.0, 1.0, allow_nan=False, width=32)
vectors = st.tuples(coordinates, coordinates, coordinates)


def random_rotations(count: int, *, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    """Uniformly distributed rotations by QR, so by none of the formulas under test."""
    generator = torch.Generator().manual_seed(seed)
    q, r = torch.linalg.qr(torch.randn(count, 3, 3, generator=generator, dtype=torch.float64))
    q = q * r.diagonal(dim1=-2, dim2=-1).sign()[:, None, :]
    q[:, :, 0] *= torch.linalg.det(q)[:, None]
    return q.to(dtype)


def random_poses(count: int, *, dtype: torch.dtype = torch.float64, seed: int = 0) -> torch.Tensor:
    """Random rigid motions with translations of some hundred mm."""
    pose = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    pose[:, :3, :3] = random_rotations(count, seed=seed)
    generator = torch.Generator().manual_seed(seed + 1)
    pose[:, :3, 3] = 200 * torch.randn(count, 3, generator=generator, dtype=torch.float64)
    return pose.to(dtype)
