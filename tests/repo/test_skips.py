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


@pytest.mark.parametrize(("reason", "code", "workers"), [("needs a CUDA device", 0, "0"), ("no time", 1, "1")])
def test_a_run_fails_on_a_reason_that_is_not_listed(tmp_path, reason, code, workers):
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text(encoding="utf-8"), encoding="utf-8")
    text = f"import pytest\n\n\ndef test_a():\n    pytest.skip({reason!r})\n\n\ndef test_b():\n    pass\n"
    (tmp_path / "test_a.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", tmp_path, "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}
    command += ["-n", workers, "--skips", "workspace", tmp_path]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert ("does not list: no time" in done.stdout) == bool(code)
