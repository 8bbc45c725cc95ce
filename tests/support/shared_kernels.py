"""Workers of one run share the kernels that they compile: one compiles a function, another waits and loads it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any


def share_kernels(folder: Path) -> None:
    """Compile each function of the packages under a lock of its own in this folder, where numba's cache is.

    numba reads and writes its cache without a lock: workers that need a kernel at once compile it each, and two that
    add to one index may lose or mix up their entries. Locks are taken within numba's own lock, and in the order of
    calls, so that neither threads nor processes wait for each other in a circle.
    """
    if find_spec("numba") is None or find_spec("fcntl") is None:
        return
    import fcntl

    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.dispatcher import Dispatcher

    def compile_alone(self: Any, sig: Any) -> Any:
        function = self.py_func
        if not function.__module__.startswith("xraykit."):
            return original(self, sig)
        folder.mkdir(parents=True, exist_ok=True)
        with global_compiler_lock, (folder / f"{function.__module__}.{function.__name__}.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until the file is closed
            return original(self, sig)

    original, Dispatcher.compile = Dispatcher.compile, compile_alone
