"""A settings class becomes flags, headings and help; a file fills what the command line leaves open."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from cyclopts import App, CycloptsError, Parameter
from xraykit.render import FileError, InputError
from xraykit.render.commands import flat
from xraykit.render.commands.options import file_may_supply
from xraykit.render.commands.several_numbers import split_numbers
from xraykit.render.storage import read_settings, write_settings


@dataclass(frozen=True)
class Beam:
    """How the X-ray is made.

    Args:
        kvp: Tube voltage [kV].
        filtration: {material: mm}.
    """

    kvp: tuple[float, float] = (60.0, 120.0)
    filtration: Mapping[str, float] = field(default_factory=dict, metadata={"hidden": True})


@dataclass(frozen=True)
class Search:
    """Where to look."""

    sod: float | None = None
    """Source to isocentre [mm]."""


@dataclass(frozen=True)
class Settings:
    """Take X-rays."""

    ct: Path = field(metadata={"positional": True})
    """The patient's CT."""
    xrays: tuple[Path, ...] = field(default=(), metadata={"positional": True})
    """X-rays of it."""
    output: Path = field(kw_only=True, metadata={"short": "-o"})
    """Folder for
    the results."""
    sod: float = 850.0
    """Source to isocentre [mm]."""
    method: Literal["siddon", "joseph"] = "siddon"
    """Projector."""
    mirror: bool | None = field(default=None, metadata={"negative": "--no-mirror"})
    """Mirrored or not."""
    beam: Beam = field(default_factory=lambda: Beam(kvp=(70.0, 80.0)))
    search: Search = field(default_factory=Search, metadata={"prefix": "search"})


def command_of(cls=Settings):
    seen = []

    def take(settings):
        """Take X-rays of a CT.

        And more.

        Args:
            settings: All of it.
        """
        seen.append(settings)

    app = App(name="xraykit", config=file_may_supply, default_parameter=Parameter(negative=()), help_format="plaintext")
    app.command(flat(take, cls), name="take")

    def run(*arguments):
        app(["take", *arguments], exit_on_error=False, print_error=False, result_action="return_value")
        return seen[-1] if seen else None

    return run


def test_flags_build_the_nested_settings_and_the_class_keeps_its_defaults():
    settings = command_of()("ct.nii", "a.dcm", "b.dcm", "-o", "out", "--search-sod", "700", "--method", "joseph")
    beam = Beam(kvp=(70.0, 80.0))
    assert settings == Settings(
        ct=Path("ct.nii"),
        xrays=(Path("a.dcm"), Path("b.dcm")),
        output=Path("out"),
        search=Search(700.0),
        method="joseph",
        beam=beam,
    )


def test_a_tuple_takes_several_tokens_and_a_flag_has_its_negative():
    run = command_of()
    assert run("ct.nii", "-o", "out", "--kvp", "50", "90").beam.kvp == (50.0, 90.0)
    assert run("ct.nii", "-o", "out", "--no-mirror").mirror is False
    assert run("ct.nii", "-o", "out", "--mirror").mirror is True


def test_help_has_flags_headings_and_what_the_class_says(capsys):
    command_of()("--help")
    text = " ".join(re.sub("[│╭╰─╮╯]", " ", capsys.readouterr().out).split())
    for words in (
        "Take X-rays of a CT. And more.",
        "The patient's CT. [required]",
        "Folder for the results. [required]",
        "How the X-ray is made",
        "CT --ct",
        "--output -o",
        "--kvp",
        "Tube voltage [kV]. [default: (70.0, 80.0)]",
        "--search-sod",
        "Source to isocentre [mm].",
        "--config",
        "A .toml, .yaml or .json file",
    ):
        assert words in text
    assert "All of it" not in text
    assert "filtration" not in text


def test_command_line_wins_over_file_and_file_over_defaults(tmp_path):
    (tmp_path / "c.json").write_text(
        json.dumps(
            {
                "xraykit": {"version": "0"},
                "ct": "file.nii",
                "output": "there",
                "sod": 800,
                "search-sod": 600,
                "beam": {"filtration": {"copper": 0.1}},
            }
        )
    )
    settings = command_of()("other.nii", "--config", str(tmp_path / "c.json"), "--kvp", "60", "61")
    assert settings == Settings(
        ct=Path("other.nii"),
        output=Path("there"),
        sod=800.0,
        search=Search(600.0),
        beam=Beam((60.0, 61.0), {"copper": 0.1}),
    )


def test_written_settings_are_read_again_by_config(tmp_path):
    settings = Settings(
        ct=Path("ct.nii"), output=Path("out"), search=Search(1.0), beam=Beam(filtration={"copper": 1.0})
    )
    path = write_settings(tmp_path / "s.json", settings, command="take", distribution="xraykit-render")
    assert command_of()("--config", str(path)) == settings == read_settings(Settings, path)


def test_what_is_required_must_come_from_the_command_line_or_the_file(tmp_path):
    with pytest.raises(CycloptsError, match="output"):
        command_of()("ct.nii")
    (tmp_path / "c.toml").write_text('ct = "ct.nii"\n')
    with pytest.raises(InputError, match=r"--output is required, got none on the command line and in .*c\.toml"):
        command_of()("--config", str(tmp_path / "c.toml"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sodd = 7", r"c\.toml: the table of settings has no key 'sodd'; did you mean 'sod'\?"),
        ("[beam]\nkvp = [60, 'x']", r"c\.toml: beam\.kvp\[1\] must be a finite number, got 'x'"),
        ("sod = = 7", "well-formed TOML"),
    ],
)
def test_a_bad_file_is_refused_by_its_name(tmp_path, text, words):
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(FileError, match=words):
        command_of()("ct.nii", "-o", "out", "--config", str(tmp_path / "c.toml"))


def test_two_leaves_of_one_flag_are_refused_before_any_run():
    @dataclass(frozen=True)
    class Twice:
        """Two."""

        sod: float = 1.0
        search: Search = field(default_factory=Search)

    with pytest.raises(TypeError, match=r"sod and search\.sod are both called 'sod'"):
        flat(print, Twice)


def test_preset_stands_below_file_and_command_line(tmp_path):
    preset, file = tmp_path / "quick.yaml", tmp_path / "own.yaml"
    preset.write_text("sod: 700\nmethod: joseph\nbeam: {kvp: [50, 60]}\nsearch: {sod: 1}\n", encoding="utf-8")
    file.write_text("sod: 800\nsearch: {sod: 2}\n", encoding="utf-8")
    seen = []
    app = App(config=file_may_supply, result_action="return_value")
    app.command(flat(seen.append, Settings, presets={"quick": preset}), name="take")
    words = ["take", "ct.nii", "-o", "out"]
    app([*words, "--preset", "quick"], exit_on_error=False)
    app([*words, "--preset", "quick", "--config", str(file), "--search-sod", "3"], exit_on_error=False)
    assert [(s.sod, s.method, s.beam.kvp, s.search.sod) for s in seen] == [
        (700, "joseph", (50, 60), 1),
        (800, "joseph", (50, 60), 3),
    ]
    with pytest.raises(CycloptsError, match="quick"):
        app([*words, "--preset", "slow"], exit_on_error=False, print_error=False)


@dataclass(frozen=True)
class ListedSettings:
    job: str = field(default="", metadata={"positional": True})
    names: tuple[str, ...] = ()
    sizes: tuple[int, ...] | None = None


def test_words_of_a_list_follow_one_flag_or_each_its_own(tmp_path):
    found = []
    app = App()
    app.default(flat(found.append, ListedSettings))
    for words in ("job --names a b --sizes 1 2", "job --names a --names b --sizes 1 --sizes 2"):
        app(words.split(), exit_on_error=False, result_action="return_value")
    assert found == [ListedSettings("job", ("a", "b"), (1, 2))] * 2


@dataclass(frozen=True)
class PitchSettings:
    sdd: float | tuple[float, ...] | None = None
    pixel_spacing: float | tuple[float, ...] = 1.0


def test_what_may_be_one_or_many_is_one_where_one_is_given():
    found = []
    app = App()
    app.default(flat(found.append, PitchSettings))
    for words in ("--sdd 1000 --pixel-spacing 1.6 3.2", "--sdd 1000 --sdd 1100", "--pixel-spacing 2", ""):
        app(split_numbers(words.split()), exit_on_error=False, result_action="return_value")
    assert found == [
        PitchSettings(1000.0, (1.6, 3.2)),
        PitchSettings((1000.0, 1100.0)),
        PitchSettings(pixel_spacing=2.0),
        PitchSettings(),
    ]


def test_ctrl_c_tells_how_to_go_on_where_the_command_can():
    @dataclass(frozen=True)
    class Long:
        """A long job."""

        resume: bool = False
        """Go on."""

    @dataclass(frozen=True)
    class Short:
        """A short one."""

    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match="same command with --resume goes on"):
        flat(interrupted, Long)()
    with pytest.raises(KeyboardInterrupt) as found:
        flat(interrupted, Short)()
    assert not found.value.args


def test_the_home_of_the_user_is_found_where_no_shell_looked_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "s.yaml").write_text("output: ~/out\nct: ~ct.nii\n", encoding="utf-8")
    run = command_of()
    assert run("--config", str(tmp_path / "s.yaml")).output == tmp_path / "out"
    assert run("--config", str(tmp_path / "s.yaml")).ct == Path("~ct.nii")
    settings = run("~/ct.nii", "~/a.dcm", "a~.dcm", "-o=~/out")
    assert settings.xrays == (tmp_path / "a.dcm", Path("a~.dcm"))
    assert (settings.ct, settings.output) == (tmp_path / "ct.nii", tmp_path / "out")
