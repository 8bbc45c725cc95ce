"""What can be chosen when an image is rendered; free of torch, so that command lines can offer it."""

from __future__ import annotations

from typing import Literal

Method = Literal["siddon", "trilinear", "joseph"]
"""How a ray is integrated: one function of `projectors` each, entered in `march.PROJECTORS`."""
Backend = Literal["auto", "torch", "numba", "triton"]
"""Which implementation runs; auto takes the fastest that can."""

DEFAULT_SAMPLES = 500
"""Samples of a ray inside the volume, of the method trilinear."""
DEFAULT_SDD = 1020.0
"""Source to detector of a camera that nobody described [mm]: a mobile C-arm's."""

KERNELS: dict[str, tuple[Method, ...]] = {
    "numba": ("trilinear", "siddon", "joseph"),
    "triton": ("trilinear", "siddon", "joseph"),
}
"""The methods that each package of kernels has; the others run on torch."""
