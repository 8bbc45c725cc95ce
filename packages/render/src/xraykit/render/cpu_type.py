"""The type of CPU that a process computes on, as far as it decides the last bits of a result."""

from __future__ import annotations

import hashlib
import os
import platform
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from importlib.util import find_spec

UNKNOWN = "unknown"


@lru_cache(maxsize=1)
def cpu_type() -> str:
    """Instruction set, and the code that torch, numpy and numba choose for it; nothing that names this machine.

    Two processes of one type run the same vector code and so give the same bits; on different types a sum or a
    logarithm may differ in its last bits. Variables that force another choice (ATEN_CPU_CAPABILITY,
    NPY_DISABLE_CPU_FEATURES, NUMBA_CPU_NAME, NUMBA_CPU_FEATURES) are seen too.

    Returns:
        For instance "x86_64, torch AVX2, numpy X86_V3, numba haswell".
    """
    import torch

    parts = [platform.machine(), f"torch {torch.backends.cpu.get_cpu_capability()}", f"numpy {_numpy_code()}"]
    return ", ".join([*parts, f"numba {_numba_code()}"])


def several_cpu_types(types: Iterable[str]) -> str | None:
    """One sentence that counts the types of CPU that shards were made on; None where it is one.

    Args:
        types: For each shard what `cpu_type` said when it was made.
    """
    counts = Counter(types)
    if len(counts) < 2:
        return None
    listed = "; ".join(f"{count} on {name}" for name, count in counts.most_common())
    return (
        f"{sum(counts.values())} shards were made on {len(counts)} types of CPU ({listed}); images agree to rounding, "
        "but not to the bit with those of one type."
    )


def made_elsewhere(types: Iterable[str]) -> str | None:
    """One sentence that counts what was made on another type of CPU than this process has; None where nothing was.

    Args:
        types: For each finished shard what `cpu_type` said when it was made.
    """
    types = list(types)
    others = Counter(name for name in types if name != cpu_type())
    if not others:
        return None
    listed = "; ".join(f"{count} on {name}" for name, count in others.most_common())
    return (
        f"{others.total()} of {len(types)} finished shards were made on another type of CPU ({listed}) than this one "
        f"({cpu_type()}), so the last bits of the rest may differ; go on where they were made, or delete them to make "
        "all on one type."
    )


def _numpy_code() -> str:
    """The highest of the instruction sets that numpy has code for and this CPU runs."""
    import numpy

    sets = numpy.show_config(mode="dicts")["SIMD Extensions"]  # pyright: ignore[reportOptionalSubscript]
    return ([*sets.get("baseline", ()), *sets.get("found", ())] or ["plain"])[-1]


def _numba_code() -> str:
    """The CPU that numba compiles for, and a digest of its features where they were chosen by hand."""
    if find_spec("numba") is None:
        return "none"
    from llvmlite.binding import get_host_cpu_name

    name = os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name()
    features = os.environ.get("NUMBA_CPU_FEATURES")
    return name if features is None else f"{name} {hashlib.sha256(features.encode()).hexdigest()[:8]}"
