"""What every test may count on."""

import hashlib
import locale
import os
from pathlib import Path

SPOKEN = locale.setlocale(locale.LC_ALL)
KERNELS = Path(__file__).parents[1] / "packages/render/src/xraykit/render/kernels/numba_cpu"


def pytest_configure() -> None:
    """Give compiled kernels a cache named after all their sources.

    numba recompiles a kernel when its own file changes, not when a file that it calls into does; so a stale one could
    pass the tests of an edit.
    """
    sources = b"".join(path.read_bytes() for path in sorted(KERNELS.glob("*.py")))
    folder = Path(__file__).parents[1] / ".pytest_cache" / f"numba-{hashlib.sha256(sources).hexdigest()[:16]}"
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder))


def pytest_runtest_teardown() -> None:
    """Undo what SimpleITK's DICOM writer does: it leaves the process in the C locale, where text is ASCII."""
    locale.setlocale(locale.LC_ALL, SPOKEN)
