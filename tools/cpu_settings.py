"""Run the tests as CPUs of other types would: one setting after another, each with other code of the libraries.

uv run python tools/cpu_settings.py                              # every setting, the whole suite
uv run python tools/cpu_settings.py --only numba torch -- -n 0 tests/render/physics     # what follows -- is pytest's

Libraries choose their code by the instruction set they find, and sums are split by threads, so the last bits of a
result differ between machines. These variables make one machine choose as others do. A test that fails under one of
them asks for equality where no bits are promised.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import numpy

Environment = dict[str, str]


def numpy_sets() -> str:
    """The instruction sets, above those it was built for, that numpy found here and can be told to leave alone."""
    return " ".join(numpy.show_config(mode="dicts")["SIMD Extensions"].get("found", ()))


def threads(number: int) -> Environment:
    """A number of threads for torch, BLAS and numba, which also holds in the workers of pytest."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    return dict.fromkeys(names, str(number))


TORCH = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"}
NUMBA = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}
NUMPY = {"NPY_DISABLE_CPU_FEATURES": numpy_sets()}
SETTINGS: dict[str, Environment] = {
    "one-thread": threads(1),
    "two-threads": threads(2),
    "numpy": NUMPY,
    "blas-haswell": {"OPENBLAS_CORETYPE": "Haswell"},
    "blas-nehalem": {"OPENBLAS_CORETYPE": "Nehalem"},
    "torch": TORCH,
    "torch-avx2": {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2"},
    "numba": NUMBA,
    "plainest": {**threads(1), **NUMPY, **TORCH, **NUMBA, "OPENBLAS_CORETYPE": "Prescott"},
}


def main() -> None:
    """Run pytest under every setting, print how each ended, and fail if one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SETTINGS, default=list(SETTINGS), help="settings to run")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest, after --")
    asked = parser.parse_args()
    codes = {}
    for name in asked.only:
        said = " ".join(f"{key}={value!r}" for key, value in SETTINGS[name].items())
        print(f"\n== {name}: {said}", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *asked.pytest]
        codes[name] = subprocess.run(command, env={**os.environ, **SETTINGS[name]}, check=False).returncode
    print("\n" + "\n".join(f"{name:<14}{'ok' if code == 0 else f'failed ({code})'}" for name, code in codes.items()))
    sys.exit(any(codes.values()))


if __name__ == "__main__":
    main()
