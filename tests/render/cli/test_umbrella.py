"""The xraykit command starts fast, finds its groups lazily, and answers mistakes with one sentence."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
from xraykit.render import InputError
from xraykit.render.cli import umbrella
from xraykit.render.cli.demo import DemoSettings
from xraykit.render.cli.umbrella import run
from xraykit.render.commands import CameraSettings, flat

DEFAULT = DemoSettings()

LOOK = """
import sys
from xraykit.render.cli.umbrella import run
code = run({arguments!r})
heavy = [m for m in ("torch", "lightning", "numba", "SimpleITK", "pydicom", "matplotlib", "PIL") if m in sys.modules]
print(code, heavy, file=sys.stderr)
"""


def outcome(arguments):
    done = subprocess.run(
        [sys.executable, "-c", LOOK.format(arguments=arguments)], capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["render", "--help"], ["render", "drr", "--help"], ["demo", "--help"]]
)
def test_help_imports_nothing_heavy(arguments):
    text, seen = outcome(arguments)
    assert seen == "0 []"
    assert "Usage: xraykit" in text


def test_help_names_every_group_with_a_line_that_needs_no_import(capsys):
    assert run(["--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "demo" in text
    assert "Build a patient, take its X-rays" in text
    assert "Render X-rays from CT" in text


def test_group_line_is_the_first_line_of_the_modules_docstring(tmp_path, monkeypatch):
    (tmp_path / "some_plugin.py").write_text('"""Does one thing.\n\nAnd more."""\nraise RuntimeError("was imported")\n')
    monkeypatch.syspath_prepend(tmp_path)
    groups = [EntryPoint("plug", "some_plugin:app", umbrella.GROUP), EntryPoint("gone", "no_such:app", umbrella.GROUP)]
    monkeypatch.setattr(umbrella, "entry_points", lambda group: groups)
    app = umbrella.umbrella()
    assert app._commands["plug"].help == "Does one thing."
    assert "cannot be found" in app._commands["gone"].help


def test_version_is_the_distributions(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.strip()[0].isdigit()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "nothing"),
        (["render", "drr"], "requires"),
        (["render", "drr", "ct.nii", "-o", "a.npy", "--view", "oblique"], "oblique"),
        (["render", "drr", "ct.nii", "-o", "a.npy", "--size", "3"], "size"),
        (["render", "drr", "ct.nii", "-o", "a.npy", "--samples", "many"], "many"),
        (["demo", "--colour", "red"], "--colour"),
        (["demo", "--seed", "1", "2"], "no more words were expected, got 2; --help lists the options"),
        (["demo", "--config", "missing.toml"], "cannot be read from missing.toml"),
        (["demo", "--config", "settings.ini"], "need a .toml, .yaml or .json"),
    ],
)
def test_usage_errors_are_one_sentence_and_exit_2(arguments, words, capsys):
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("xraykit: ")
    assert said.err.count("\n") == 1
    assert words in said.err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("sod must be\nsmaller"), 2, "sod must be smaller"),
        (
            InputError("no \x1b[31m\x07 " + 5000 * "x" + "!"),
            2,
            r"no \x1b[31m\x07 " + 984 * "x" + " ... " + 999 * "x" + "!",
        ),
        (KeyboardInterrupt(), 130, "interrupted."),
        (KeyboardInterrupt("the page is closed"), 130, "interrupted: the page is closed."),
    ],
)
def test_errors_of_a_command_become_exit_codes(error, code, said, monkeypatch, capsys):
    def broken():
        def app(*_, **__):
            raise error

        return app

    monkeypatch.setattr(umbrella, "umbrella", broken)
    assert run([]) == code
    assert capsys.readouterr().err == f"xraykit: {said}\n"


@pytest.mark.parametrize(("told", "status"), [(None, 0), (0, 0), (3, 3), ("a value", 0)])
def test_what_a_command_returns_is_its_exit_status(told, status, monkeypatch):
    monkeypatch.setattr(umbrella, "umbrella", lambda: lambda *_, **__: told)
    assert run([]) == status


def test_a_bug_is_not_dressed_up_as_a_users_mistake(monkeypatch):
    def broken():
        def app(*_, **__):
            raise RuntimeError("bug")

        return app

    monkeypatch.setattr(umbrella, "umbrella", broken)
    with pytest.raises(RuntimeError, match="bug"):
        run([])


def test_config_fills_what_the_command_line_leaves_open(tmp_path):
    seen = []
    app = umbrella.umbrella()
    app.command(flat(seen.append, DemoSettings), name="spy")
    texts = {
        "c.toml": 'seed = 7\nsize = [10, 20]\n"pixel-spacing" = 3.5\n',
        "c.yaml": "seed: 7\nsize: [10, 20]\npixel_spacing: 3.5\n",
        "c.json": json.dumps(
            {"xraykit": {"version": "0"}, "seed": 7, "camera": {"size": [10, 20], "pixel_spacing": 3.5}, "sod": None}
        ),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        arguments = ["spy", "--config", str(tmp_path / name), "--seed", "3"]
        app(arguments, exit_on_error=False, result_action="return_value")
        assert seen[-1] == replace(DEFAULT, seed=3, camera=CameraSettings(1800.0, (10, 20), 3.5))


def test_unknown_key_in_a_config_is_refused(tmp_path, capsys):
    (tmp_path / "c.toml").write_text("sede = 7\n")
    assert run(["demo", "-o", str(tmp_path / "out"), "--config", str(tmp_path / "c.toml")]) == 2
    assert "sede" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["seed = = 7", "[1, 2", "a = " + "[" * 20000])
def test_malformed_config_is_refused(tmp_path, capsys, text):
    (tmp_path / "c.toml").write_text(text)
    assert run(["demo", "--config", str(tmp_path / "c.toml")]) == 2
    assert "well-formed" in capsys.readouterr().err


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "nonsense"])
def test_the_backend_of_a_notebook_does_not_reach_a_command(backend):
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'xraykit-render[plot]'")
    code = (
        "import sys; sys.argv = ['xraykit', '--version']\n"
        "from xraykit.render.cli.umbrella import main\n"
        "try: main()\nexcept SystemExit: import matplotlib; print(matplotlib.get_backend())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MPLBACKEND": backend},
    )
    assert done.stdout.split()[-1].lower() == "agg"
