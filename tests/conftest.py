"""What every test may count on."""

import gc
import hashlib
import locale
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from support.processes import keep_bytecode, look_for_commands_once, one_thread_per_worker, wait_for_no_disk

keep_bytecode()
one_thread_per_worker()
look_for_commands_once()
wait_for_no_disk()

from hypothesis import settings  # noqa: E402
from support.shape_checks import install  # noqa: E402
from support.shared_kernels import share_kernels  # noqa: E402
from support.skips import PLACES, allowed, reason_of, unlisted  # noqa: E402

install("xraykit.render", "xraykit.xvr", "xraykit.dax", "xraykit.corr", "xraykit.fluorosam")

# No test is timed. CI tries the same examples every time; elsewhere they are new, and so find what nobody thought of.
settings.register_profile("xraykit", deadline=None, derandomize=os.environ.get("CI") == "true", print_blob=True)
settings.load_profile("xraykit")

SPOKEN = locale.setlocale(locale.LC_ALL)
STATUS = pytest.StashKey[int]()
KERNELS = Path(__file__).parents[1] / "packages/render/src/xraykit/render/kernels/numba_cpu"

MOST_WORKERS = 4  # each holds torch, the compiled kernels and its patients: 2 GB


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--skips`: where the run takes place, and so which reasons for a skip are accepted."""
    default = "workspace" if os.environ.get("CI") == "true" else "anywhere"
    text = "anywhere: tests may skip; workspace, alone: for reasons that tests/support/allowed_skips.txt lists only"
    parser.addoption("--skips", choices=PLACES, default=default, help=text)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A worker for each CPU; this process alone where one file or one test is asked for."""
    asked = getattr(config.option, "file_or_dir", [])  # which `pytest --help` has not read
    if len(asked) == 1 and ".py" in asked[0]:
        return 0
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cpus, MOST_WORKERS) if cpus > 1 else 0


def pytest_configure() -> None:
    """A cache of compiled kernels that is named after all their sources.

    numba recompiles a kernel when its own file changes, not when a file that it calls into does; so a stale one could
    pass the tests of an edit. A run in the background of a script (`pytest &`) has inherited deafness to Ctrl-C, which
    commands that tests start would inherit in turn; they are to hear it.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sources = b"".join(path.read_bytes() for path in sorted(KERNELS.glob("*.py")))
    folder = Path(__file__).parents[1] / ".pytest_cache" / f"numba-{hashlib.sha256(sources).hexdigest()[:16]}"
    os.environ.setdefault("NUMBA_CACHE_DIR", str(folder))
    if "PYTEST_XDIST_WORKER" in os.environ:
        share_kernels(Path(os.environ["NUMBA_CACHE_DIR"]))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, pytest.CollectReport, object]:
    """Every second worker collects from the end: of what has no bytecode in a new clone, each compiles a part."""
    report = yield
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    if int(number) % 2 and isinstance(collector, pytest.Session | pytest.Directory) and report.result:
        report.result.reverse()
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order of their files, which all workers must have."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.path)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage among the million objects of the modules that are loaded here, neither now nor later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000, 10, 10)  # tests make many objects and little garbage: looked for less often
        gc.enable()


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
    """Fail a run with a skip that is on no list, and remember how it ended, for `pytest_unconfigure`."""
    if unlisted_skips(session.config) and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = exitstatus = pytest.ExitCode.TESTS_FAILED
    session.config.stash[STATUS] = exitstatus


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the reasons that are on no list."""
    for reason in unlisted_skips(config):
        where = "tests/support/allowed_skips.txt"
        terminalreporter.write_line(f"ERROR: skipped for a reason that {where} does not list: {reason}", red=True)


def unlisted_skips(config: pytest.Config) -> list[str]:
    """Reasons of this run's skips that its place does not accept."""
    place, reporter = config.getoption("--skips"), config.pluginmanager.get_plugin("terminalreporter")
    if place == "anywhere" or reporter is None:
        return []
    skipped = reporter.stats.get("skipped", [])
    return unlisted((reason_of(report.longrepr) for report in skipped), allowed(place))
