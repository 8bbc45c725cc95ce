"""A skip in .ci/run needs a reason that is on the list; any other one fails the run."""

import os
import subprocess
import sys

import pytest
from support.repo import ROOT
from support.skips import PLACES, allowed, reason_of, unlisted

LIST = "# why\n[here]\nneeds a CUDA device\nneeds the extra.*\n[there]\n"


def test_a_reason_is_accepted_whole_and_where_it_is_listed():
    reasons = ["needs a CUDA device", "needs the extra x", "needs a CUDA device today", "no browser", "no browser"]
    assert unlisted(reasons, allowed("here", LIST)) == ["needs a CUDA device today", "no browser"]
    assert unlisted(reasons[:1], allowed("there", LIST)) == reasons[:1]


def test_the_words_of_a_report_are_found():
    assert reason_of(("test_a.py", 3, "Skipped: no browser")) == "no browser"
    assert reason_of("Skipped: no browser") == "no browser"


@pytest.mark.parametrize("place", PLACES[1:])
def test_the_committed_list_accepts_no_missing_browser_and_not_everything(place):
    reasons = ["no Chromium on the path; on Debian: apt-get install chromium", "", "anything"]
    assert allowed(place)
    assert unlisted(reasons, allowed(place)) == reasons


def test_a_run_fails_on_a_reason_that_is_not_listed_and_names_that_alone(tmp_path):
    """One without such a reason passes: the run that this test belongs to skips for listed ones."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    skips = [
        f"def test_{n}():\n    pytest.skip({reason!r})\n" for n, reason in enumerate(("needs a CUDA device", "no time"))
    ]
    (tmp_path / "test_a.py").write_text("\n\n".join(["import pytest\n", *skips]), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", tmp_path, "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}
    command += ["-n", "1", "--skips", "workspace", tmp_path]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert done.stdout.count("does not list: ") == done.stdout.count("does not list: no time") == 1
