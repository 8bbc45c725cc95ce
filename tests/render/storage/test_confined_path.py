"""Names in headers of files that lie beside them."""

import pytest
from xraykit.render import FileError
from xraykit.render.storage.confined_path import confined_path


@pytest.mark.parametrize("name", ["bone\ud800.stl", "sub/\udfff"])
def test_half_a_character_is_no_name(tmp_path, name):
    with pytest.raises(FileError, match="must name a data file in legal text") as caught:
        confined_path(tmp_path / "tools.yaml", name)
    assert str(caught.value).isprintable()


def test_a_name_of_bytes_that_are_no_text_is_looked_for(tmp_path):
    (tmp_path / "bone\udcff.stl").write_bytes(b"x")
    assert confined_path(tmp_path / "tools.yaml", "bone\udcff.stl").name == "bone\udcff.stl"
