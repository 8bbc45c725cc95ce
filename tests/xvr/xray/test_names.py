"""X-rays are called after their files, each by a name of its own."""

from pathlib import Path

import pytest
from xraykit.xvr.xray import xray_names
from xraykit.xvr.xray.names import file_stem


@pytest.mark.parametrize(
    ("name", "stem"), [("a/b c", "a_b_c"), ("..", "unnamed"), ("L5.x-1", "L5.x-1"), ("", "unnamed")]
)
def test_names_become_file_names(name, stem):
    assert file_stem(name) == stem


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a.dcm", "b.dcm"], ["a", "b"]),
        (["x/a.dcm", "y/a.dcm", "a.png"], ["a", "a_2", "a_3"]),
        (["a.dcm", "a_side.dcm", "y/a.dcm"], ["a", "a_side", "a_2"]),
        (["a.dcm", "a_2.dcm", "y/a.dcm"], ["a", "a_2", "a_3"]),
        (["a.dcm", "y/a.dcm", "a_2.dcm"], ["a", "a_2", "a_2_2"]),
    ],
)
def test_where_names_repeat_the_later_ones_are_numbered(files, names):
    assert xray_names([Path(file) for file in files]) == names


def test_a_file_keeps_its_name_whatever_comes_after_it():
    files = [Path(name) for name in ("a.dcm", "y/a.dcm", "a_2.dcm")]
    assert all(xray_names(files[:n]) == xray_names(files)[:n] for n in range(4))
