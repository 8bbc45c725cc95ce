"""What is another in two answers of one function, down to types, shapes and nested values."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest
import torch
from torch import Tensor


def off(wanted: Any, got: Any) -> str:
    """What is another, or nothing."""
    if type(wanted) is not type(got):
        return f"{type(wanted).__name__} became {type(got).__name__}"
    if isinstance(wanted, Tensor):
        if wanted.dtype != got.dtype or wanted.shape != got.shape:
            return f"{wanted.dtype} {tuple(wanted.shape)} became {got.dtype} {tuple(got.shape)}"
        far = (wanted.detach().double() - got.detach().double()).abs().max() if wanted.numel() else torch.zeros(())
        size = wanted.detach().double().abs().max() if wanted.numel() else torch.zeros(())
        return "" if float(far) <= 1e-5 * max(1.0, float(size)) else f"off by {float(far):.3g} of {float(size):.3g}"
    if isinstance(wanted, dict):
        return "; ".join(filter(None, (off(wanted[key], got[key]) for key in wanted)))
    if isinstance(wanted, tuple | list):
        return "; ".join(filter(None, map(off, wanted, got)))
    if is_dataclass(wanted):
        return "; ".join(filter(None, (off(getattr(wanted, f.name), getattr(got, f.name)) for f in fields(wanted))))
    if isinstance(wanted, float):
        return "" if wanted == pytest.approx(got, rel=1e-5, abs=1e-5) else f"{wanted} became {got}"
    return "" if wanted == got else f"{wanted} became {got}"
