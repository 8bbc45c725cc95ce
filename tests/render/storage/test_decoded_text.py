"""Text as programs write it: UTF-8 with a mark or without, and UTF-16 as Windows does; tables and files follow."""

import pytest
from xraykit.render.converters import read_itk_transform
from xraykit.render.storage import parse_json, read_table, text_of

TRANSFORM = (
    "#Insight Transform File V1.0\nTransform: TranslationTransform_double_3_3\nParameters: 1 2 3\nFixedParameters: \n"
)
WINDOWS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le-marked", "utf-16-be-marked")


def encoded(text: str, encoding: str) -> bytes:
    name, is_marked = encoding.removesuffix("-marked"), encoding.endswith("-marked")
    return ("\ufeff" * is_marked + text.replace("\n", "\r\n")).encode(name)


@pytest.mark.parametrize("encoding", WINDOWS)
def test_every_encoding_of_windows_gives_the_same_text(encoding):
    assert text_of(encoded("Schädel\nKnie\n", encoding)) == "Schädel\nKnie\n"


def test_old_code_pages_are_no_text_whose_letters_are_known():
    with pytest.raises(UnicodeDecodeError):
        text_of("Schädel".encode("latin1"))


@pytest.mark.parametrize("encoding", WINDOWS)
def test_readers_follow(tmp_path, encoding):
    (tmp_path / "a.toml").write_bytes(encoded('name = "Schädel"\n', encoding))
    assert read_table(tmp_path / "a.toml") == {"name": "Schädel"}
    (tmp_path / "a.tfm").write_bytes(encoded(TRANSFORM, encoding))
    matrix = read_itk_transform(tmp_path / "a.tfm", direction="fixed_to_moving")
    assert matrix[:3, 3].tolist() == [-1, -2, 3]  # LPS to RAS
    assert parse_json(encoded('{"a": "ä"}', encoding), place="a.json") == {"a": "ä"}
