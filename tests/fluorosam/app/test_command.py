"""`xraykit fluorosam app` serves its page until Ctrl-C and refuses mistakes in one sentence."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import torch
from support.fluorosam_app import known_sam, write_dicom, write_xrays
from support.fluorosam_networks import TINY
from support.page_requests import ask
from support.waiting import PATIENCE
from xraykit.fluorosam import new_network, save_network
from xraykit.render import FileError
from xraykit.render.cli.umbrella import run

pytest.importorskip("starlette", reason="needs the extra: pip install 'xraykit-fluorosam[app]'")
pytest.importorskip("uvicorn", reason="needs the extra: pip install 'xraykit-fluorosam[app]'")

from xraykit.fluorosam.app import MaskAppSettings, open_mask_page
from xraykit.fluorosam.app.settings import MaskPageSettings

PAGE = MaskPageSettings(port=0)


@pytest.fixture
def folder(tmp_path):
    write_xrays(tmp_path)
    return tmp_path


def told(server, name, body=None):
    status, content, _ = ask(server, f"/api/{name}", body)
    assert status == 200, content
    return json.loads(content)


def test_page_opens_on_a_folder_and_begins_with_the_first_that_can_be_read(folder):
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    write_dicom(folder / "c.dcm")
    settings = MaskAppSettings((folder,), folder / "new/out", page=PAGE)
    with open_mask_page(settings, sam=known_sam()) as server:
        state = told(server, "state")
        assert state["name"] == "b.png" and [one["fault"] for one in state["images"]] == [True, False, False]
        assert "a.png" in told(server, "open", {"image": 0})["fault"]
        state = told(server, "open", {"image": 2})
        assert state["spacing"] == [0.5, 0.5] and state["fault"] is None
    assert not (folder / "new").exists(), "nothing is written before something is saved"


def test_where_no_xray_can_be_read_the_first_fault_is_said(folder):
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"\x89PNG\r\n\x1a\n damaged")
    with pytest.raises(FileError, match=r"a\.png .*\(and 1 more cannot be read\)"):
        open_mask_page(MaskAppSettings((folder,), folder / "out", page=PAGE), sam=known_sam())


@pytest.mark.parametrize(
    "arguments, words",
    [
        ([], "--xrays requires an argument"),
        (["empty"], "empty must hold X-rays"),
        (["gone.png"], "gone.png does not exist"),
        (["a.png", "-o", "a.png/out"], "must be a folder"),
        (["a.png", "-o", "other"], "must be a COCO table, got another file; choose another folder with -o"),
        (["a.png", "--port", "70000"], "--port must be 0 to 65535"),
        (["a.png", "--weights", "gone"], "gone"),
        (["notes.png"], "notes.png must be an X-ray image"),
    ],
)
def test_mistakes_end_with_one_sentence_and_write_nothing(folder, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(folder)
    save_network(new_network(TINY), folder / "weights")
    Path("empty").mkdir()
    Path("other").mkdir()
    Path("other/annotations.json").write_text("{}", encoding="utf-8")
    Path("notes.png").write_text("no X-ray", encoding="utf-8")
    before = sorted(path.name for path in folder.rglob("*"))
    rest = ["--port", "0"] if "--port" not in arguments else []
    rest += ["--weights", "weights"] if "--weights" not in arguments else []
    assert run(["fluorosam", "app", *arguments, *rest, "--no-browser"]) == 2
    said = capsys.readouterr().err
    assert words in " ".join(said.split()) and "Traceback" not in said
    assert sorted(path.name for path in folder.rglob("*")) == before


def test_port_in_use_is_refused_before_weights_are_read(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        assert run(["fluorosam", "app", str(folder), "--port", port, "--weights", "gone", "--no-browser"]) == 2
    assert f"--port must be free on 127.0.0.1, got {port}" in " ".join(capsys.readouterr().err.split())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_that_cannot_be_written_is_refused(folder):
    (folder / "locked").mkdir(mode=0o500)
    from xraykit.render import OutputError

    with pytest.raises(OutputError, match="writable"):
        open_mask_page(MaskAppSettings((folder / "a.png",), folder / "locked/out", page=PAGE), sam=known_sam())


@pytest.mark.slow
def test_command_serves_until_ctrl_c(folder):
    torch.manual_seed(0)
    save_network(new_network(TINY), folder / "weights")
    script = "import sys; from xraykit.render.cli.umbrella import run; sys.exit(run(sys.argv[1:]))"
    arguments = ["fluorosam", "app", "a.png", "b.png", "--port", "0", "--no-browser", "--weights", "weights"]
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
    assert not (folder / "annotations").exists()
