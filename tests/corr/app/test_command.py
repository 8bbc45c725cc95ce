"""`xraykit corr app` serves its page until Ctrl-C and refuses mistakes in one sentence."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from support.corr_app import written
from support.corr_matchers import BandNetwork, write_views
from support.page_requests import ask
from support.waiting import PATIENCE
from xraykit.corr.network import MatcherConfig, new_matcher, save_matcher
from xraykit.corr.predictor import Matcher
from xraykit.render.cli.umbrella import run

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-corr[app]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-corr[app]'")

from xraykit.corr.app import PairAppSettings, open_pair_page
from xraykit.corr.app.settings import MarkedSampleSettings, PairPageSettings


@pytest.fixture
def folder(tmp_path):
    write_views(tmp_path, (60, 40), (48, 64))
    return tmp_path


def test_page_opens_on_files_and_extends_what_is_there(folder):
    settings = PairAppSettings(
        (folder / "a.png", folder / "b.png"),
        folder / "new/annotations.json",
        sample=MarkedSampleSettings("p01", "test"),
        page=PairPageSettings(port=0),
    )
    point = {"a": {"view": 0, "x": 1, "y": 2}, "b": {"view": 1, "x": 3, "y": 4}}
    for times in (1, 2):
        with open_pair_page(settings, matcher=Matcher(BandNetwork())) as server:
            state = json.loads(ask(server, "/api/state")[1])
            assert len(state["pairs"]) == times - 1 and "polarity" in state["notes"][0]
            point["a"]["y"] = 10 * times
            ask(server, "/api/add", point)
            ask(server, "/api/save")
    (sample,) = written(folder / "new/annotations.json")["samples"]
    assert (sample["patient"], sample["split"]) == ("p01", "test")
    assert sample["views"][0]["file"] == "../a.png" and len(sample["pairs"][0]["points"]) == 2


def test_what_is_assumed_of_patient_and_order_is_said(folder):
    page = PairPageSettings(port=0)
    files = (folder / "a.png", folder / "b.png")
    for xrays, words in ((files, "no --patient was given"), (files[::-1], "order of sample s001")):
        settings = PairAppSettings(xrays, folder / "x.json", page=page)
        with open_pair_page(settings, matcher=Matcher(BandNetwork())) as server:
            assert any(words in note for note in json.loads(ask(server, "/api/state")[1])["notes"])
            ask(server, "/api/save")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["a.png"], "two X-rays or more, got 1"),
        (["a.png", "./a.png"], "pairs lie in different images, but A and B are the same file"),
        (["a.png", "gone.png"], "gone.png does not exist"),
        (["a.png", "b.png", "-o", "other.json"], "must have the schema"),
        (["a.png", "b.png", "-o", "a.png/x.json"], "must be a folder"),
        (["a.png", "b.png", "--port", "70000"], "--port must be 0 to 65535"),
        (["a.png", "b.png", "--split", "some"], "some"),
    ],
)
def test_mistakes_end_with_one_sentence_and_write_nothing(folder, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(folder)
    monkeypatch.setattr("xraykit.corr.predictor.matcher.load_matcher", lambda source: BandNetwork())
    Path("other.json").write_text('{"schema": "another", "samples": []}', encoding="utf-8")
    before = sorted(path.name for path in folder.iterdir())
    port = [] if "--port" in arguments else ["--port", "0"]
    assert run(["corr", "app", *arguments, *port, "--no-browser"]) == 2
    said = capsys.readouterr().err
    assert words in " ".join(said.split()) and "Traceback" not in said
    assert sorted(path.name for path in folder.iterdir()) == before


def test_command_serves_until_ctrl_c(folder):
    config = MatcherConfig("mini", stride=8, image_size=32, dimension=16, module="none", layers=0, norm="group")
    save_matcher(new_matcher(config), folder / "weights")
    script = "import sys; from xraykit.render.cli.umbrella import run; sys.exit(run(sys.argv[1:]))"
    arguments = ["corr", "app", "a.png", "b.png", "--port", "0", "--no-browser", "--weights", "weights"]
    with subprocess.Popen(
        [sys.executable, "-c", script, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = iter(process.stdout.readline, "")
            url = next(line.split()[2] for line in lines if line.startswith("Look at"))
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                assert b"<main>" in answer.read()
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130
        finally:
            process.kill()
    assert not (folder / "annotations.json").exists()
