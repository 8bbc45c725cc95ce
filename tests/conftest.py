"""What every test may count on."""

import hashlib
import locale
import os
import sys
from pathlib import Path

import pytest

SPOKEN = locale.setlocale(locale.LC_ALL)
STATUS = pytest.StashKey[int]()
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


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End without tearing the interpreter down where ITK is loaded: its SWIG modules crash there, after all is said.

    The exit status is the one that pytest has reached.
    """
    status = config.stash.get(STATUS, None)
    if "itk" in sys.modules and status is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(status))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how the run ended, for `pytest_unconfigure`."""
    session.config.stash[STATUS] = exitstatus
