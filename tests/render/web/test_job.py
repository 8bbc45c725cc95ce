"""A job runs beside the page, says how far it is, stops when asked, and fails in a sentence; one at a time."""

import threading

import pytest
from support.waiting import PATIENCE
from xraykit.render import FileError, InputError
from xraykit.render.web import JobRunner


@pytest.fixture
def runner():
    runner = JobRunner()
    yield runner
    runner.close()


def ended(job):
    job.future.exception(timeout=PATIENCE)
    return job


def until_stopped(begun: threading.Event):
    """A task that reports until it is stopped."""

    def task(job):
        while True:
            job.report(share=0.5)
            begun.set()
            threading.Event().wait(0.002)

    return task


def test_steps_are_told_from_the_number_asked_for(runner):
    job = ended(runner.start("count", lambda job: [job.report(share=n / 4) for n in range(5)], about="view 1"))
    state = job.state()
    assert state == {
        "kind": "count", "about": "view 1", "outcome": "done", "message": "",
        "steps": [{"share": n / 4} for n in range(5)],
    }  # fmt: skip
    assert job.state(since=3)["steps"] == [{"share": 0.75}, {"share": 1.0}]
    assert job.state(since=99)["steps"] == []
    assert job.state(since=-2) == state


def test_running_job_says_so_and_a_second_is_refused(runner):
    begun = threading.Event()
    job = runner.start("search", until_stopped(begun))
    assert begun.wait(PATIENCE)
    assert runner.running and job.running and job.outcome == "running" and job.state()["steps"]
    with pytest.raises(InputError, match="one task at a time: search is running; wait for it or cancel it"):
        runner.start("refine", lambda job: None)
    assert runner.job is job


def test_cancelled_job_ends_at_its_next_report_and_makes_room(runner):
    begun = threading.Event()
    job = runner.start("search", until_stopped(begun))
    assert begun.wait(PATIENCE)
    runner.cancel()
    assert (ended(job).outcome, job.message) == ("cancelled", "")
    assert ended(runner.start("next", lambda job: None)).outcome == "done"


def test_task_that_only_checks_is_cancelled_too(runner):
    asked = threading.Event()

    def task(job):
        assert asked.wait(PATIENCE)
        job.check()

    job = runner.start("check", task)
    job.cancel()
    asked.set()
    assert ended(job).outcome == "cancelled"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileError("ct.nii must be a file, got a folder."), "ct.nii must be a file, got a folder."),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
def test_failed_job_says_why(runner, error, message):
    def task(job):
        raise error

    job = ended(runner.start("break", task))
    assert (job.outcome, job.message, runner.running) == ("failed", message, False)


def test_requests_of_a_runner_tell_and_cancel_its_job(runner):
    told, cancel = runner.requests["job"], runner.requests["cancel"]
    assert told({}) is None and cancel({}) is None
    begun = threading.Event()
    job = runner.start("search", until_stopped(begun))
    assert begun.wait(PATIENCE)
    assert told({})["outcome"] == "running" and told({"since": "x"}) is None
    assert cancel({}) is None
    ended(job)
    assert told({"since": len(job.steps)}) == {
        "kind": "search", "about": None, "outcome": "cancelled", "message": "", "steps": []
    }  # fmt: skip


def test_closing_stops_what_runs():
    runner, begun = JobRunner(), threading.Event()
    job = runner.start("search", until_stopped(begun))
    assert begun.wait(PATIENCE)
    runner.close()
    assert not job.running and job.outcome == "cancelled"
