"""Devices by name, refused with a sentence where this machine lacks them."""

from __future__ import annotations

from ..errors import BackendUnavailableError, InputError


def usable_device(name: str) -> str:
    """The device name, if torch can use it.

    Raises:
        InputError: No device is called so.
        BackendUnavailableError: This machine does not have it.
    """
    import torch

    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"--device must be cpu, cuda or cuda:N, got {name!r}.") from error
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"--device must be cpu, cuda or cuda:N, got {name!r}.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BackendUnavailableError(f"--device {name} needs a CUDA device that torch sees; use --device cpu.")
    return name
