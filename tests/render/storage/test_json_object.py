"""JSON from a stranger: an object is read, every other thing refused by its place."""

import pytest
from xraykit.render import FileError
from xraykit.render.storage import finite_or_none, parse_json, parse_json_object, read_json_object
from xraykit.render.storage.json_object import whole_number
from xraykit.render.storage.settings_file import read_table
from xraykit.render.storage.typed_values import is_finite_number


def test_an_object_is_read_with_and_without_a_byte_order_mark(tmp_path):
    for text in (b'{"a": [1, 2.5]}', b'\xef\xbb\xbf{"a": [1, 2.5]}'):
        (tmp_path / "a.json").write_bytes(text)
        assert read_json_object(tmp_path / "a.json") == {"a": [1, 2.5]}


def test_whole_numbers_may_become_floats():
    assert type(parse_json_object('{"a": 1}', place="x", parse_int=float)["a"]) is float


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must be JSON text"),
        ("[" * 100_000, "must be JSON text"),
        (b"\xff", "must be JSON text"),
        ("1" * 10_000, "must be JSON text"),
        ('{"a": 1, "a": 2}', "the key 'a' is given twice"),
        ("[1]", "here must hold one JSON object, got list"),
    ],
)
def test_every_other_thing_is_refused(text, words):
    with pytest.raises(FileError, match=words):
        parse_json_object(text, place="here")


def test_any_value_is_read_on_demand():
    assert parse_json("[1]", place="here") == [1]


def test_a_file_that_is_missing_or_too_large_is_refused_before_it_is_read(tmp_path):
    with pytest.raises(FileError, match=r"a pose was expected at .*gone\.json, got No such file"):
        read_json_object(tmp_path / "gone.json", what="a pose")
    (tmp_path / "big.json").write_text('{"a": 1}')
    with pytest.raises(FileError, match="must be a pose of at most 3 bytes, got 8"):
        read_json_object(tmp_path / "big.json", what="a pose", most_bytes=3)


def test_numbers_that_are_not_finite_become_null_wherever_they_stand():
    given = {1: float("nan"), "a": (1, 2.5, {"b": [float("-inf"), "inf", None, True]})}
    assert finite_or_none(given) == {"1": None, "a": [1, 2.5, {"b": [None, "inf", None, True]}]}


@pytest.mark.parametrize("digits", [21, 400, 5000])
def test_numbers_beyond_64_bits_are_refused_in_yaml_and_where_asked_in_json(tmp_path, digits):
    number = "1" + "0" * digits
    (tmp_path / "a.json").write_text(f'{{"a": {number}}}', encoding="utf-8")
    with pytest.raises(FileError, match="beyond 64 bits"):
        read_json_object(tmp_path / "a.json", parse_int=whole_number)
    (tmp_path / "a.yaml").write_text(f"a: [1, {number}]\n", encoding="utf-8")
    with pytest.raises(FileError, match="beyond 64 bits"):
        read_table(tmp_path / "a.yaml")
    assert is_finite_number(10**digits) == (digits < 308)


def test_the_longest_numbers_of_64_bits_are_read(tmp_path):
    (tmp_path / "a.json").write_text('{"a": 18446744073709551615, "b": -9223372036854775808}', encoding="utf-8")
    assert read_json_object(tmp_path / "a.json", parse_int=whole_number) == {"a": 2**64 - 1, "b": -(2**63)}
    (tmp_path / "a.yaml").write_text("a: 18446744073709551615\nb: 0x10\n", encoding="utf-8")
    assert read_table(tmp_path / "a.yaml") == {"a": 2**64 - 1, "b": 16}
