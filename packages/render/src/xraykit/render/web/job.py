"""One long task at a time in a thread of its own, with its progress, and a way to stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ..errors import InputError, XraykitError


class JobCancelledError(XraykitError):
    """The task was asked to stop."""


class Job:
    """A task under way or done.

    `steps` grows while it runs. The task gets the job and must call `report` or `check` now and then, which ends it if
    it was asked to stop.
    """

    def __init__(self, kind: str, about: object = None) -> None:
        self.kind, self.about = kind, about
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
        return "done" if error is None else "cancelled" if isinstance(error, JobCancelledError) else "failed"

    @property
    def message(self) -> str:
        """Why it failed, in one sentence; empty otherwise."""
        error = self.future.exception() if self.future is not None and self.future.done() else None
        if error is None or isinstance(error, JobCancelledError):
            return ""
        return str(error) if isinstance(error, XraykitError) else f"{type(error).__name__}: {error}"

    def report(self, **step: Any) -> None:
        """Add a step of plain values, such as message= and share= (0 to 1), or raise JobCancelledError."""
        self.check()
        self.steps.append(step)

    def check(self) -> None:
        """Raise JobCancelledError if the task was asked to stop."""
        if self._stop.is_set():
            raise JobCancelledError("the task was stopped.")

    def cancel(self) -> None:
        """Ask it to stop at its next `report` or `check`."""
        self._stop.set()

    def state(self, *, since: int = 0) -> dict[str, Any]:
        """What a page is told: kind, about, outcome, message, and the steps from number `since` on."""
        answer = {name: getattr(self, name) for name in ("kind", "about", "outcome", "message")}
        return {**answer, "steps": self.steps[max(0, since) :]}


class JobRunner:
    """Runs jobs, one at a time; `job` is the newest, running or ended, None before the first.

    Example:
        runner = JobRunner(); runner.start("count", lambda job: [job.report(share=n / 9) for n in range(10)])
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="xraykit-job")
        self.job: Job | None = None

    @property
    def running(self) -> bool:
        """Whether a job has not ended yet."""
        return self.job is not None and self.job.running

    def start(self, kind: str, task: Callable[[Job], object], *, about: object = None) -> Job:
        """Begin a task.

        Args:
            kind: What it does, in a word.
            task: Gets the job; see `Job`.
            about: Which of several things it works on, as the page calls it (plain value).

        Raises:
            InputError: Another one is running.
        """
        if self.job is not None and self.job.running:
            raise InputError(f"one task at a time: {self.job.kind} is running; wait for it or cancel it.")
        self.job = job = Job(kind, about)

        def run() -> None:
            task(job)

        job.future = self._pool.submit(run)
        return job

    def cancel(self) -> None:
        """Ask the running job, if any, to stop."""
        if self.job is not None:
            self.job.cancel()

    def close(self) -> None:
        """Stop what runs and wait for it."""
        self.cancel()
        self._pool.shutdown(wait=True)

    @property
    def requests(self) -> dict[str, Callable[[Mapping[str, Any]], Any]]:
        """The requests `job` (how it stands, steps from `since` on) and `cancel`, for a `PageServer`."""

        def job(body: Mapping[str, Any]) -> dict[str, Any] | None:
            since = body.get("since", 0)
            return None if self.job is None or not isinstance(since, int) else self.job.state(since=since)

        def cancel(body: Mapping[str, Any]) -> None:
            self.cancel()

        return {"job": job, "cancel": cancel}
