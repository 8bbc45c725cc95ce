"""`xraykit render view` passes its options on, refuses mistakes in one sentence, and ends with Ctrl-C."""

import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.scenes import random_scene
from support.waiting import PATIENCE
from xraykit.render import write_volume
from xraykit.render.cli import view as command
from xraykit.render.cli.umbrella import run
from xraykit.render.cli.view import ViewerSettings, check
from xraykit.render.commands import VolumeSettings, display
from xraykit.render.storage import leaves
from xraykit.render.viewer.state import ViewerState

pytest.importorskip("viser", reason="needs the extra: pip install 'xraykit-render[view]'")


@pytest.fixture(scope="module")
def ct(tmp_path_factory):
    volume = random_scene(seed=4, shape=(12, 12, 12)).volume
    hu = (1000 * volume.mu - 500).round().to(torch.int16)
    path = tmp_path_factory.mktemp("ct") / "ct.nii.gz"
    affine = torch.diag(torch.tensor([3.0, 3.0, 3.0, 1.0], dtype=torch.float64))
    write_volume(path, hu, affine)
    write_volume(path.with_name("seg.nii.gz"), volume.labels, affine, label_names={1: "one", 2: "two"})
    return path


class Stub:
    """A viewer that is interrupted as soon as it is waited for."""

    url = "http://127.0.0.1:1"
    closed = False

    def wait(self):
        raise KeyboardInterrupt

    def close(self):
        self.closed = True


@pytest.fixture
def started(monkeypatch):
    """What `start_viewer` was called with, and the viewer it gave."""
    calls = []

    def start(volume, **options):
        stub = Stub()
        calls.append((volume, options, stub))
        return stub

    monkeypatch.setattr("xraykit.render.viewer.server.start_viewer", start)
    monkeypatch.setattr(display.webbrowser, "open", lambda url: calls.append(url))
    monkeypatch.setattr(display, "has_display", lambda: True)
    return calls


def test_every_option_reaches_the_viewer(ct, started, tmp_path):
    labels = str(ct.with_name("seg.nii.gz"))
    given = [str(ct), "--labels", labels, "--port", "0", "--no-browser", "--size", "64", "--sdd", "1200"]
    given += ["--bone", "150", "--samples", "77", "--folder", str(tmp_path), "--backend", "torch", "--device", "cpu"]
    given += ["--outer", "https://hub.example/user/"]
    assert run(["render", "view", *given]) == 130
    ((volume, options, stub),) = started
    assert options == {
        "port": 0, "name": "ct.nii.gz", "folder": tmp_path, "bone": 150.0, "samples": 77, "backend": "torch",
        "outer": "https://hub.example/user/",
        "start": ViewerState(size=64, sdd=1200.0, sod=840.0),
    }  # fmt: skip
    assert dict(volume.label_names) == {1: "one", 2: "two"}
    assert stub.closed
    covered = {"ct", "labels", "label_names", "demo", *vars(VolumeSettings())} | {
        name.lstrip("-").replace("-", "_") for name in given
    }
    assert set(leaves(ViewerSettings)) <= covered


def test_table_of_label_names_reaches_the_volume(ct, started):
    labels = str(ct.with_name("seg.nii.gz"))
    names = ["--label-names", "totalsegmentator_v2"]
    assert run(["render", "view", str(ct), "--labels", labels, *names, "--port", "0"]) == 130
    assert started[0][0].label_names[1] == "spleen"


def test_page_is_opened_unless_told_otherwise(ct, started, monkeypatch):
    assert run(["render", "view", str(ct), "--port", "0"]) == 130
    assert started[1:] == [Stub.url]
    monkeypatch.setattr(display, "has_display", lambda: False)
    assert run(["render", "view", str(ct), "--port", "0"]) == 130
    assert started.count(Stub.url) == 1


def test_demo_is_the_procedural_patient(started, monkeypatch):
    small = random_scene().volume
    monkeypatch.setattr("xraykit.render.patient.standard_torso.torso", lambda: small)
    assert run(["render", "view", "--demo", "torso", "--port", "0"]) == 130
    assert started[0][0].mu is small.mu
    assert started[0][1]["name"] == "demo torso"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "view needs a CT or --demo torso, got neither"),
        (["CT", "--demo", "torso"], "view needs a CT or --demo torso, got both"),
        (["--demo", "torso", "--labels", "seg.nii.gz"], "--demo torso brings its own labels"),
        (["CT", "--size", "8"], "--size must be 16 to 1024, got 8"),
        (["CT", "--sdd", "10"], "--sdd must be 400 to 3000, got 10"),
        (["CT", "--port", "70000"], "--port must be 0 to 65535, got 70000"),
        (["no-such-file.nii.gz", "--port", "0"], "no-such-file.nii.gz must be a file"),
        (["--demo", "head"], "torso"),
    ],
)
def test_mistake_is_one_sentence_and_exit_code_2(arguments, words, ct, capsys):
    given = [str(ct) if word == "CT" else word for word in arguments]
    assert run(["render", "view", *given]) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_busy_port_is_refused_before_the_volume_is_read(capsys, monkeypatch):
    monkeypatch.setattr(command, "read", lambda config: pytest.fail("it read the volume"))
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run(["render", "view", "--demo", "torso", "--port", str(taken.getsockname()[1])]) == 2
    assert "choose another with --port" in capsys.readouterr().err


def test_missing_viser_is_refused_before_the_volume_is_read(capsys, monkeypatch):
    monkeypatch.setattr(command, "read", lambda config: pytest.fail("it read the volume"))
    monkeypatch.setitem(sys.modules, "viser", None)
    assert run(["render", "view", "--demo", "torso", "--port", "0"]) == 2
    assert "pip install 'xraykit-render[view]'" in capsys.readouterr().err


def test_checked_config_passes():
    check(ViewerSettings(ct=Path("ct.nii.gz")))
    check(replace(ViewerSettings(), demo="torso"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_ctrl_c_ends_a_running_viewer_with_one_sentence(ct):
    code = "import sys; from xraykit.render.cli.umbrella import run; sys.exit(run(sys.argv[1:]))"
    options = ["--port", "0", "--no-browser", "--size", "16", "--samples", "8", "--backend", "torch"]
    with subprocess.Popen(
        [sys.executable, "-c", code, "render", "view", str(ct), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            url = next(line for line in process.stdout if line.startswith("Look at")).split()[2]
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                assert answer.status == 200
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert (process.returncode, out.strip(), err) == (130, "", "xraykit: interrupted: the viewer is closed.\n")
