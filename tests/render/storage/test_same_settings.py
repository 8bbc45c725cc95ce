"""A run goes on with the settings it began with, or says which option is another."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from xraykit.render import FileError, InputError
from xraykit.render.storage import check_same_settings, write_settings


@dataclass(frozen=True)
class Inner:
    """Inner."""

    rate: float = 0.1
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    """Outer."""

    output: Path = Path("out")
    inner: Inner = field(default_factory=Inner)


@pytest.fixture
def path(tmp_path):
    return write_settings(tmp_path / "settings.json", Outer(), command="x", distribution="xraykit-render")


def test_the_same_settings_and_free_ones_pass(path):
    check_same_settings(path, Outer())
    check_same_settings(path, replace(Outer(), output=Path("elsewhere")), free=("output",))


def test_another_setting_is_named_as_its_option(path):
    with pytest.raises(InputError, match="got others: --output, --rate, --names; leave --resume out"):
        check_same_settings(path, Outer(Path("elsewhere"), Inner(0.2, ("a",))))


def test_both_values_of_the_first_are_named(path):
    with pytest.raises(InputError, match=r"inner\.rate was 0\.1 and is 0\.2; use the old value, or begin anew"):
        check_same_settings(path, Outer(inner=Inner(0.2)))


def test_a_damaged_file_is_no_licence_to_go_on(path):
    path.write_text('{"inner": {"rat": 1}}')
    with pytest.raises(FileError, match="did you mean 'rate'"):
        check_same_settings(path, Outer())
