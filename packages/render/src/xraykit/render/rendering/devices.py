"""Devices by name, refused with a sentence where this machine lacks them."""

from __future__ import annotations

from ..errors import InputError


def usable_device(name: str) -> str:
    """The device name, if torch can use it.

    Args:
        name: "cpu", "cuda" or "cuda:N".

    Raises:
        InputError: No device is called so, or this machine does not have it.
    """
    import torch

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"--device must be cpu, cuda or cuda:N, got {name!r}.") from error
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"--device must be cpu, cuda or cuda:N, got {name!r}.")
    if device.type == "cuda" and not torch.cuda.is_available():
        kind = "GPU" if device.index is None else "CUDA device"
        raise InputError(f"--device {name} needs a {kind} that torch sees, got none; use --device cpu.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"--device {name} must be one of {torch.cuda.device_count()} CUDA devices, counted from 0.")
    return name
