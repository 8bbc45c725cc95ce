"""Nested settings become plain values and come back; whatever does not fit is refused by its place."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass, replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.storage import from_plain, leaves, read_settings, read_table, to_plain, write_settings


@dataclass(frozen=True)
class Circle:
    """A round opening."""

    radius: float
    kind: Literal["circle"] = "circle"


@dataclass(frozen=True)
class Square:
    """A square one."""

    side: float
    kind: Literal["square"] = "square"


@dataclass(frozen=True)
class Physics:
    """How images come about."""

    kvp: tuple[float, float] = (60.0, 120.0)
    """Tube voltage [kV]."""
    filtration: Mapping[str, float] = field(default_factory=lambda: {"aluminium": 2.5})
    model: Literal["xray", "drr"] = "xray"
    dose: float | None = 5.0
    shutter: Circle | Square | None = None

    def __post_init__(self):
        if self.kvp[0] > self.kvp[1]:
            raise InputError(f"kvp must grow, got {self.kvp}.")


@dataclass(frozen=True)
class Settings:
    """A data set.

    Args:
        ct: The patient, a
            file.
        scales: Edges [px].
        seed: Everything random (all of it)
            follows: from this.
    """

    ct: Path
    scales: tuple[int, ...] = (32, 64)
    seed: int = 0
    fast: bool = False
    threshold: int | Literal["auto"] = "auto"
    physics: Physics = field(default_factory=lambda: Physics(dose=1.0))
    tools: tuple[Square, ...] = ()


FULL = Settings(
    ct=Path("a/b"),
    scales=(8,),
    seed=3,
    fast=True,
    threshold=7,
    physics=Physics((1.0, 2.0), {"copper": 0.5}, "drr", None, Circle(2.0)),
    tools=(Square(1.0), Square(2.0)),
)


def test_plain_values_are_json_and_come_back():
    plain = to_plain(FULL)
    assert from_plain(Settings, json.loads(json.dumps(plain))) == FULL
    assert plain["ct"] == "a/b"
    assert plain["physics"]["kvp"] == [1.0, 2.0]
    assert plain["physics"]["dose"] is None


def test_what_is_left_out_has_the_default_of_whoever_holds_it():
    assert from_plain(Settings, {"ct": "x"}) == Settings(Path("x"))
    assert from_plain(Settings, {"ct": "x", "physics": {"model": "drr"}}).physics == Physics(dose=1.0, model="drr")
    assert from_plain(Settings, {"ct": "x", "physics": None, "seed": None}) == Settings(Path("x"))


def test_null_is_a_value_where_the_type_knows_it():
    assert from_plain(Settings, {"ct": "x", "physics": {"dose": None}}).physics.dose is None


def test_flat_names_and_dashes_are_keys_at_the_top():
    assert from_plain(Settings, {"ct": "x", "dose": 2, "physics": {"model": "drr"}}).physics == Physics(
        dose=2.0, model="drr"
    )
    with pytest.raises(InputError, match=r"gives physics\.dose twice"):
        from_plain(Settings, {"ct": "x", "dose": 2, "physics": {"dose": 3}})


def test_relative_paths_begin_at_a_folder(tmp_path):
    (tmp_path / "x").touch()
    assert from_plain(Settings, {"ct": "x"}, folder=tmp_path).ct == (tmp_path / "x").resolve()
    with pytest.raises(InputError, match="ct must name an existing file, got 'y', which"):
        from_plain(Settings, {"ct": "y"}, folder=tmp_path)


def test_a_tilde_is_the_users_home_and_long_names_are_cut(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "x").touch()
    for name in ("~/x", "~"):
        wanted = (tmp_path / name.removeprefix("~").removeprefix("/")).resolve()
        assert from_plain(Settings, {"ct": name}, folder=tmp_path / "elsewhere").ct == wanted
    with pytest.raises(InputError) as refusal:
        from_plain(Settings, {"ct": "A" * 5000}, folder=tmp_path)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([], "the table of settings must be a table of ct, scales"),
        ({}, "must have the key 'ct', got none"),
        ({"sed": 1}, "has no key 'sed'; did you mean 'seed'"),
        ({"zzzzzz": 1}, "it may hold ct, scales"),
        ({"physics": {"kv": 1}}, "physics has no key 'kv'; did you mean 'kvp'"),
        ({"physics": 3}, "physics must be a table of kvp"),
        ({"physics": {"kvp": [1, "x"]}}, r"physics\.kvp\[1\] must be a finite number, got 'x'"),
        ({"physics": {"kvp": [1]}}, r"physics\.kvp must be a list of 2 finite numbers, got \[1\]"),
        ({"physics": {"kvp": [2, 1]}}, "physics: kvp must grow"),
        ({"physics": {"kvp": [1, float("nan")]}}, r"physics\.kvp\[1\] must be a finite number"),
        ({"physics": {"filtration": {"copper": True}}}, r"physics\.filtration\.copper must be a finite number"),
        ({"physics": {"filtration": [1]}}, "must be a table of names and finite numbers"),
        ({"physics": {"model": "xrai"}}, "knows no 'xrai'; did you mean 'xray'"),
        ({"physics": {"model": 1}}, "must be one of xray, drr, got 1"),
        ({"physics": {"shutter": {"radius": 1}}}, "must be a table with a kind, one of circle, square"),
        ({"physics": {"shutter": {"kind": "circle", "side": 1}}}, r"physics\.shutter has no key 'side'"),
        ({"tools": [{"side": 1}, {"side": "x"}]}, r"tools\[1\]\.side must be a finite number"),
        ({"tools": [{}]}, r"tools\[0\] must have the key 'side'"),
        ({"seed": 1.5}, "seed must be a whole number, got 1.5"),
        ({"seed": True}, "seed must be a whole number, got True"),
        ({"fast": 1}, "fast must be true or false, got 1"),
        ({"threshold": 1.5}, "threshold must be a whole number or .auto., got 1.5"),
        ({"scales": 3}, "scales must be a list of whole numbers, got 3"),
        ({"ct": 3}, "ct must be a path, got 3"),
        ({"seed": 1, "SEED": 2}, "has no key 'SEED'"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_place(values, words):
    given = {"ct": "x", **values} if values and isinstance(values, dict) else values
    with pytest.raises(InputError, match=words):
        from_plain(Settings, given)


@pytest.mark.parametrize("value", [torch.zeros(1), float("inf"), {1}, object()])
def test_what_is_no_setting_is_not_written(value):
    with pytest.raises(InputError, match="settings hold finite numbers"):
        to_plain({"a": value})


def test_leaves_have_path_type_default_and_help():
    found = leaves(Settings)
    assert list(found)[:6] == ["ct", "scales", "seed", "fast", "threshold", "kvp"]
    assert found["kvp"].path == ("physics", "kvp")
    assert found["kvp"].help == "Tube voltage [kV]."
    assert found["kvp"].group == "How images come about"
    assert found["dose"].default == 1.0
    assert found["ct"].is_required
    assert found["ct"].help == "The patient, a file."
    assert found["seed"].help == "Everything random (all of it) follows: from this."


def test_a_class_of_more_than_twelve_fields_is_refused():
    with pytest.raises(TypeError, match="Wide has 13 fields, at most 12"):
        leaves(make_dataclass("Wide", [(f"f{n}", int, 0) for n in range(13)]))


TEXTS = {
    "s.yaml": "ct: x\nphysics:\n  kvp: [1e1, 2e1]\n",
    "s.yml": "ct: x\nphysics: {kvp: [10, 20]}\n",
    "s.toml": 'ct = "x"\n[physics]\nkvp = [10, 20.0]\n',
    "s.json": '{"xraykit": {"version": "1"}, "ct": "x", "physics": {"kvp": [10, 20]}}',
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_file_of_each_type_is_read(tmp_path, name):
    (tmp_path / name).write_text(TEXTS[name])
    assert read_settings(Settings, tmp_path / name) == Settings(Path("x"), physics=Physics((10.0, 20.0), dose=1.0))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("s.ini", "", r"need a \.toml, \.yaml or \.json file"),
        ("s.json", "[1]", "must hold a table of keys and values, got list"),
        ("s.json", '{"seed": 1, "seed": 2}', "the key 'seed' is given twice"),
        ("s.json", "[" * 100_000, "must be JSON text"),
        ("s.json", " " * (1 << 20) + " {}", "must be under 1 MiB"),
        ("s.yaml", "seed: 1\nseed: 2", "the key 'seed' is given twice"),
        ("s.yaml", "a: &a [1]\nb: *a", "aliases"),
        ("s.yaml", "a: !!python/object:os.system x", "must be well-formed YAML"),
        ("s.toml", "seed = 1\nseed = 2", "must be well-formed TOML"),
        ("s.toml", b"\xff", "must be well-formed TOML"),
    ],
)
def test_a_hostile_file_is_refused(tmp_path, name, text, words):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileError, match=words):
        read_table(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"cannot be read from .*gone\.yaml"):
        read_table(tmp_path / "gone.yaml")


def test_a_refused_value_names_file_and_place(tmp_path):
    (tmp_path / "s.json").write_text('{"ct": "x", "physics": {"dose": "much"}}')
    with pytest.raises(FileError, match=r"s\.json: physics\.dose must be a finite number, got 'much'"):
        read_settings(Settings, tmp_path / "s.json")


def test_written_settings_say_who_wrote_them_and_are_read_again(tmp_path):
    path = write_settings(tmp_path / "s.json", FULL, command="dataset make", distribution="xraykit-render")
    own = json.loads(path.read_text())["xraykit"]
    assert own["command"] == "dataset make"
    assert own["distribution"] == "xraykit-render"
    assert own["version"][0].isdigit()
    assert read_settings(Settings, path) == FULL


@pytest.mark.parametrize("name", ["s.yaml", "s.yml", "s.toml", "s.JSON"])
def test_every_kind_of_file_that_is_written_is_read_again(tmp_path, name):
    full = replace(FULL, physics=replace(FULL.physics, dose=2.5)) if name == "s.toml" else FULL  # TOML has no null
    path = write_settings(tmp_path / name, full, command="dataset make", distribution="xraykit-render")
    assert read_settings(Settings, path) == full
    assert "dataset make" in path.read_text()


@dataclass(frozen=True)
class Hostile:
    """Words and numbers that another type's notation looks like."""

    words: tuple[str, ...] = ("1e5", "null", "on", "a: b", '"', "\x7f", "\u00fc\n", "[t]", "2020-01-01")
    numbers: tuple[float, ...] = (1e-7, 1e22, -0.0, 1.0)
    by_name: Mapping[str, float] = field(default_factory=lambda: {"left hip": 1.5, "a.b": 2.0, "": 3.0})


@pytest.mark.parametrize("name", ["s.json", "s.yaml", "s.toml"])
def test_text_stays_text_and_a_number_its_bits(tmp_path, name):
    path = write_settings(tmp_path / name, Hostile(), command="x", distribution="xraykit-render")
    table = read_table(path)
    assert table == to_plain(Hostile())
    assert [type(value) for value in table["words"] + table["numbers"]] == [str] * 9 + [float] * 4


@dataclass(frozen=True)
class Optional:
    """What has no null in TOML."""

    dose: float | None = 1.0
    doses: tuple[float | None, ...] = ()


def test_a_none_that_toml_cannot_say_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot hold a None whose default is another"):
        write_settings(tmp_path / "s.toml", Optional(None), command="x", distribution="xraykit-render")
    with pytest.raises(InputError, match="cannot hold a None"):
        write_settings(tmp_path / "s.toml", Optional(doses=(None,)), command="x", distribution="xraykit-render")
    with pytest.raises(InputError, match=r"written to a \.json, \.yaml, \.yml or \.toml file, got .*s\.txt"):
        write_settings(tmp_path / "s.txt", Optional(), command="x", distribution="xraykit-render")
    assert list(tmp_path.iterdir()) == []


def test_settings_that_cannot_be_written_leave_nothing(tmp_path):
    with pytest.raises(OutputError):
        write_settings(tmp_path / "no" / "s.json", FULL, command="x", distribution="xraykit-render")
    with pytest.raises(InputError):
        write_settings(tmp_path / "s.json", Physics(dose=float("inf")), command="x", distribution="xraykit-render")
    assert list(tmp_path.iterdir()) == []
