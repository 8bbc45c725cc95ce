"""How the workers of a run share compiled kernels, and that `pytest --help` is told."""

import pytest
from support.repo import ROOT
from support.shared_kernels import share_kernels

fcntl = pytest.importorskip("fcntl", reason="needs locks of POSIX")
dispatcher = pytest.importorskip("numba.core.dispatcher", reason="needs numba")
Kernel = type(pytest.importorskip("numba").njit(lambda x: x))


def twice(x):
    return 2 * x


@pytest.mark.parametrize(("module", "locked"), [("xraykit.render.kernels.twice", True), ("elsewhere", False)])
def test_a_kernel_is_compiled_under_a_lock_of_its_own_and_other_functions_are_not(
    tmp_path, monkeypatch, module, locked
):
    held = []

    def compile_here(self, sig):
        for path in tmp_path.rglob("*.lock"):
            with path.open("ab") as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held.append(path.name)
        return sig

    monkeypatch.setattr(twice, "__module__", module)
    monkeypatch.setattr(dispatcher.Dispatcher, "compile", compile_here)
    share_kernels(tmp_path / "cache")
    assert Kernel(twice).compile("int64(int64)") == "int64(int64)"
    assert held == [f"{module}.twice.lock"] * locked
    for path in tmp_path.rglob("*.lock"):
        with path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_help_names_no_files_and_has_as_many_workers_as_a_whole_run(pytestconfig, monkeypatch):
    conftest = pytestconfig.pluginmanager.get_plugin(str(ROOT / "tests/conftest.py"))
    monkeypatch.delattr(pytestconfig.option, "file_or_dir")
    assert 0 <= conftest.pytest_xdist_auto_num_workers(pytestconfig) <= conftest.MOST_WORKERS
