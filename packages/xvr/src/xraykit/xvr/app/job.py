"""One long task at a time in a thread of its own, with its progress, and a way to stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from xraykit.render import InputError, XraykitError


class CancelledError(XraykitError):
    """The task was asked to stop."""


class Job:
    """A task under way or done.

    `steps` grows while it runs; `task` gets the job and must call `check` now and then, which ends it if asked to.
    """

    def __init__(self, kind: str, view: int) -> None:
        self.kind, self.view = kind, view
        self.steps: list[dict[str, Any]] = []
        self._stop = threading.Event()
        self.future: Future[None] | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.future is not None and not self.future.done()

    @property
    def outcome(self) -> str:
        """How it stands: "running", "done", "cancelled" or "failed"."""
        if self.future is None or not self.future.done():
            return "running"
        error = self.future.exception()
        return "done" if error is None else "cancelled" if isinstance(error, CancelledError) else "failed"

    @property
    def message(self) -> str:
        """Why it failed, in one sentence; empty otherwise."""
        error = self.future.exception() if self.future is not None and self.future.done() else None
        if error is None or isinstance(error, CancelledError):
            return ""
        return str(error) if isinstance(error, XraykitError) else f"{type(error).__name__}: {error}"

    def check(self) -> None:
        """Raise CancelledError if the task was asked to stop."""
        if self._stop.is_set():
            raise CancelledError("the task was stopped.")

    def cancel(self) -> None:
        """Ask it to stop at its next `check`."""
        self._stop.set()


class Worker:
    """Runs jobs, one at a time."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="xraykit-xvr")
        self.job: Job | None = None

    def start(self, kind: str, view: int, task: Callable[[Job], None]) -> Job:
        """Begin a task.

        Raises:
            InputError: Another one is running.
        """
        if self.job is not None and self.job.running:
            raise InputError(f"one task at a time: {self.job.kind} is running; wait for it or cancel it.")
        self.job = job = Job(kind, view)
        job.future = self._pool.submit(task, job)
        return job

    def close(self) -> None:
        """Stop what runs and wait for it."""
        if self.job is not None:
            self.job.cancel()
        self._pool.shutdown(wait=True)
