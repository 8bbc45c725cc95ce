"""Every command line that a page or the help of a command shows is one that the command takes; the cheap ones run.

Taken means parsed by the real command: its options are there, and their values convert. Those of `RUN` run as written
on a small CT. The Python of the pages runs in test_readme.py, `xraykit demo` in tests/render/cli.
"""

import pytest
from cyclopts import CycloptsError
from support.later import installed
from support.repo import ROOT
from support.written_commands import commands_of, named_lines, of_help, of_page, words_of
from xraykit.render import XraykitError, torso, write_volume
from xraykit.render.cli.umbrella import run, umbrella
from xraykit.render.commands.several_numbers import split_numbers

RUN = (
    "xraykit render drr ct.nii.gz --view ap -o ap.png",
    "xraykit render info ct.nii.gz",
    "xraykit fluorosam prompts -o prompts.jsonl --targets femur_left ribs liver",
)


@pytest.fixture(scope="module")
def app():
    for name in ("dax", "corr", "fluorosam", "xvr"):
        installed(f"xraykit.{name}", reason="needs all five packages")
    return umbrella()


@pytest.fixture(scope="module")
def lines(app):
    return named_lines(ROOT, app)


def test_lines_are_found_where_they_stand(lines, app):
    places = {place for place, _ in lines}
    assert {
        "README.md",
        *(f"packages/{name}/README.md" for name in ("render", "dax", "corr", "fluorosam", "xvr")),
    } <= places
    assert {"xraykit dax pretrain --help", "xraykit corr classify --help"} <= places and len(lines) > 100
    names = [name for name, _ in commands_of(app)]
    assert {"xraykit demo", "xraykit render drr", "xraykit dataset make", "xraykit dax probe region"} <= set(names)


def test_a_page_and_a_help_give_whole_lines():
    page = "text `xraykit no`\n```\n$ xraykit a b \\\n    --c 1  # why\nuv run xraykit d && ls\n```\nxraykit e\n"
    assert [words_of(line) for line in of_page(page)] == [["a", "b", "--c", "1"], ["d"]]
    text = "Say.\n\n    From here:\n\n        xraykit a b\n            --c 'x y'\n\n    xraykit d\n    and more\n"
    assert [words_of(line) for line in of_help(text)] == [["a", "b", "--c", "x y"], ["d"]]


def test_every_line_is_one_that_its_command_takes(app, lines):
    refused = {}
    for place, line in lines:
        try:
            app.parse_args(split_numbers(words_of(line)), exit_on_error=False, print_error=False)
        except (CycloptsError, XraykitError) as error:
            refused[f"{place}: {line}"] = f"{type(error).__name__}: {error}"
    assert refused == {}


def test_a_line_with_a_wrong_option_or_value_would_be_found(app):
    for words in ("render drr ct.nii.gz -o a.png --sod high", "dax embed x -o f.npz --nothing", "corr nothing"):
        with pytest.raises(CycloptsError, match=r"sod|nothing"):
            app.parse_args(words.split(), exit_on_error=False, print_error=False)


@pytest.mark.parametrize("line", RUN)
def test_cheap_lines_run_as_written(app, lines, tmp_path, monkeypatch, line):
    assert line in {written.partition("#")[0].strip() for _, written in lines}
    volume = torso(spacing=8.0)
    assert volume.hu is not None
    write_volume(tmp_path / "ct.nii.gz", volume.hu, volume.affine)
    monkeypatch.chdir(tmp_path)
    assert run(words_of(line)) == 0
