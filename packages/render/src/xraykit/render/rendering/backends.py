"""Which implementation runs: the torch truth, the numba kernels on the CPU, or the triton kernels on CUDA."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import get_args

import torch

from ..errors import BackendUnavailableError
from ..geometry.checks import check_choice
from .options import KERNELS, Backend, Method

KERNEL_STORAGE = (torch.float32, torch.float16, torch.bfloat16, torch.int16)
_DEVICE = {"numba": "cpu", "triton": "cuda"}
_INSTALL = {
    "numba": "install it with `pip install numba`",
    "triton": "install it with `pip install xraykit-render[triton]`",
}

_log = logging.getLogger(__name__)


def choose_backend(
    backend: Backend, *, device: torch.device, dtype: torch.dtype, voxels: int, method: Method | None = None
) -> str:
    """The backend that will run for voxels of this device, type and count; for meshes (float32) by their faces.

    Args:
        backend: "auto" takes the fast kernels of the device when they apply, otherwise torch; a name insists on it.
        device: Where the volume lives.
        dtype: How its attenuation is stored.
        voxels: How many voxels it has.
        method: The projector that is asked for; None where the kernels are others (meshes, label bits).

    Raises:
        InputError: No backend or method has this name.
        BackendUnavailableError: The named backend cannot run here, with the reason.
    """
    check_choice(backend, "backend", get_args(Backend))
    if method is not None:
        check_choice(method, "method", get_args(Method))
    if backend == "torch":
        return backend
    name = backend if backend != "auto" else next((n for n, d in _DEVICE.items() if d == device.type), "torch")
    reason = why_not(name, device=device, dtype=dtype, voxels=voxels, method=method)
    if reason is None:
        return name
    if backend != "auto":
        raise BackendUnavailableError(f"backend={backend!r} cannot run: {reason}; or use backend='auto'.")
    _log.info("backend 'auto' uses torch: %s", reason)
    return "torch"


def why_not(
    name: str, *, device: torch.device, dtype: torch.dtype, voxels: int, method: Method | None = None
) -> str | None:
    """The reason why a backend cannot run on these voxels, or None if it can."""
    if name == "torch":
        return None
    if method is not None and method not in KERNELS[name]:
        return f"{name} has no kernel for method={method!r}"
    interpreted = name == "triton" and _triton_is_interpreted()
    if device.type != _DEVICE[name] and not interpreted:
        return f"{name} needs volumes and meshes on {_DEVICE[name]}, got {device.type} (move them with .to(...))"
    if find_spec(name) is None:
        return f"the package {name} is not installed; {_INSTALL[name]}"
    if dtype not in KERNEL_STORAGE:
        legal = ", ".join(str(t).removeprefix("torch.") for t in KERNEL_STORAGE)
        return f"{name} reads {legal}, got {str(dtype).removeprefix('torch.')}"
    if voxels >= 2**31:
        return f"{name} counts voxels in 32 bits, got {voxels}"
    return None


def explain_backend(*, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> str:
    """One line per backend: whether it runs on voxels of this device and type, and which one "auto" takes.

    Meshes are answered for by float32, whatever the type of their vertices.
    """
    device = torch.device(device)
    chosen = choose_backend("auto", device=device, dtype=dtype, voxels=1)
    lines = [f"auto -> {chosen} for {str(dtype).removeprefix('torch.')} voxels on {device}"]
    for name in ("torch", *_DEVICE):
        reason = why_not(name, device=device, dtype=dtype, voxels=1)
        lines.append(f"{name}: {'available' if reason is None else reason}")
    return "\n".join(lines)


def _triton_is_interpreted() -> bool:
    """Triton's interpreter runs the CUDA kernels on CPU tensors (a test tool, chosen before triton is imported)."""
    if find_spec("triton") is None:
        return False
    from triton import knobs

    return bool(knobs.runtime.interpret)
