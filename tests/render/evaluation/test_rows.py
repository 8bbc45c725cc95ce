"""Rows come back as they were written, from CSV and JSON, and other files are refused with row and column."""

import csv
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xraykit.render import FileError, InputError
from xraykit.render.evaluation import input_digest, read_rows, write_rows


@dataclass(frozen=True)
class CaseRow:
    method: str
    case: str
    error: float
    tries: int
    sure: bool
    estimate: Literal["initial", "final"]
    side: str | None
    pose: tuple[float, ...]


ROW = CaseRow("ours", "001", 0.1, 3, True, "final", None, (1.0, 0.5))
ODD = CaseRow('a,"b"\nc', "", math.inf, -1, False, "initial", "left", ())


@pytest.mark.parametrize("ending", ["csv", "json"])
@given(error=st.floats(allow_nan=False), text=st.text(st.characters(exclude_categories=["Cs", "Cc"])), pose=st.floats())
def test_rows_come_back_with_their_types(tmp_path_factory, ending, error, text, pose):
    path = tmp_path_factory.getbasetemp() / f"rows.{ending}"
    rows = [ROW, ODD, CaseRow(text, text, error, 2**40, False, "final", "x", (pose, 2.0))]
    found = read_rows(write_rows(path, rows), CaseRow)
    assert [repr(row) for row in found] == [repr(row) for row in rows]  # NaN is not equal to itself


def test_a_csv_is_a_plain_table_and_a_json_holds_no_infinity(tmp_path):
    with write_rows(tmp_path / "a.csv", [ROW, ODD]).open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert lines[0]["error"] == "0.1" and lines[1]["error"] == "inf" and lines[0]["side"] == ""
    text = write_rows(tmp_path / "a.json", [ODD]).read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=pytest.fail)["rows"][0]["error"] == "inf"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"error": "far"}, "row 1 must have another error than 'far'"),
        ({"error": True}, "row 1 must have another error than 'True'"),
        ({"tries": 1.5}, "row 1 must have another tries than '1.5': it must be a whole number"),
        ({"sure": 2}, "row 1 must have another sure than '2'"),
        ({"estimate": "last"}, "row 1 must have another estimate than 'last': it must be one of initial, final"),
        ({"case": 3}, "row 1 must have another case than '3': it must be text"),
        ({"pose": {}}, "row 1 must have another pose"),
        ({"error": 10**400}, "row 1 must have another error"),
        ({"more": 1}, "row 1 must have the columns of CaseRow, got others: more"),
    ],
)
def test_values_of_another_type_are_named(tmp_path, change, message):
    content = json.loads(write_rows(tmp_path / "a.json", [ROW]).read_text(encoding="utf-8"))
    content["rows"][0].update(change)
    (tmp_path / "a.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(FileError, match=message):
        read_rows(tmp_path / "a.json", CaseRow)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"),
        ("a.json", "[]"),
        ("a.json", '{"rows": 3}'),
        ("a.json", "[" * 100_000),
        ("a.csv", "method,case\na,b,c\n"),
        ("a.csv", 'method\n"a'),
        ("a.csv", "method\n" + "x" * 200_000),
    ],
)
def test_another_file_is_refused(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match="must h"):
        read_rows(tmp_path / name, CaseRow)
    with pytest.raises(FileError, match="must be a file of rows"):
        read_rows(tmp_path / "none.csv", CaseRow)


def test_rows_of_no_kind_or_two_kinds_are_refused_and_nothing_written(tmp_path):
    with pytest.raises(InputError, match="at least one, got 0 kinds"):
        write_rows(tmp_path / "a.csv", [])
    with pytest.raises(InputError, match="got 2 kinds"):
        write_rows(tmp_path / "a.csv", [ROW, 3])
    with pytest.raises(InputError, match=r"to a .csv or .json file, got .*a.txt"):
        write_rows(tmp_path / "a.txt", [ROW])
    assert not list(tmp_path.iterdir())


def test_a_digest_changes_with_every_byte_name_and_order_of_the_inputs(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    first = input_digest(tmp_path / "set", tmp_path / "b", b"settings")
    assert len(first) == 64 == len(hashlib.sha256().hexdigest())
    assert first == input_digest(str(tmp_path / "set"), tmp_path / "b", b"settings")
    others = {first, input_digest(tmp_path / "b", tmp_path / "set", b"settings"), input_digest(tmp_path / "set")}
    (tmp_path / "set" / "a").rename(tmp_path / "set" / "c")
    others.add(input_digest(tmp_path / "set", tmp_path / "b", b"settings"))
    (tmp_path / "b").write_bytes(b"3")
    others.add(input_digest(tmp_path / "set", tmp_path / "b", b"settings"))
    assert len(others) == 5
    with pytest.raises(FileError, match="must be a file that can be read"):
        input_digest(tmp_path / "none")
