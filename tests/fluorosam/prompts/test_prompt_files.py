"""Prompt files: what is written is read, and a bad line is named with what is wrong."""

import json

import pytest
from xraykit.fluorosam.prompts import TextPrompt, read_prompts, write_prompts, write_texts
from xraykit.render import FileError, InputError, OutputError


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_what_is_written_is_read(tmp_path, suffix):
    made = (*write_texts("kidney_left", 10, kind="long", view="abdomen_ap"), TextPrompt("liver", 'a "liver", please'))
    path = write_prompts(tmp_path / f"p{suffix}", made)
    assert read_prompts(path) == made


def test_the_same_prompts_are_the_same_bytes(tmp_path):
    files = [write_prompts(tmp_path / f"{n}.jsonl", write_texts("liver", 9)).read_bytes() for n in range(2)]
    assert files[0] == files[1]


def test_a_users_table_needs_target_and_text_alone(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text('\ufefftarget,text\nfemora,both upper legs\nliver,"the liver, with its left lobe, if you please"\n')
    first, second = read_prompts(path)
    assert first == TextPrompt("femur", "both upper legs", "short", "train", "mine.csv")
    assert second.kind == "long"


def test_a_tool_of_a_library_is_a_target_where_it_is_named(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("target,text\nbracket,the bracket\n")
    assert read_prompts(path, tools=("bracket",), source="we")[0].source == "we"
    with pytest.raises(FileError, match="line 2: target must be a known name, got 'bracket'"):
        read_prompts(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.csv", "target,text\nfemurr,x\n", "line 2: target must be a known name, got 'femurr'; the nearest are"),
        ("p.csv", "target,text\nfemur,<b>\n", "line 2: a prompt must say in words|got the markup '<'"),
        ("p.csv", "target,text\nfemur,\n", "line 2: expected target, text .* got no text"),
        ("p.csv", "target,text\nfemur,a,b\n", "line 2: expected the columns target, text; quote commas"),
        ("p.csv", "target,text,colour\nfemur,a,b\n", "got an unknown 'colour'"),
        ("p.csv", "target,text,kind\nfemur,a,big\n", "kind must be short or long and split train or held_out, got big"),
        ("p.csv", "target,text,view\nfemur,a,side\n", "view must be a standard view"),
        ("p.csv", "target,text\n", "must hold at least one prompt, got none"),
        ("p.jsonl", '{"target": "femur", "text": 3}\n', "line 1: text must be text, got 3"),
        ("p.jsonl", "femur\n", "line 1 must be JSON text"),
        ("p.jsonl", '{"target": "liver", "text": "' + "liver " * 50 + '"}', "45 words and 250 characters at most"),
        ("p.txt", "femur", "must end in .jsonl or .csv"),
    ],
)
def test_a_bad_line_is_named(tmp_path, name, content, said):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=said):
        read_prompts(tmp_path / name)


def test_files_that_are_not_there_or_no_text_are_refused(tmp_path):
    with pytest.raises(FileError, match="must be a readable text file in UTF-8"):
        read_prompts(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"target,text\nfemur,\xe4\n")
    with pytest.raises(FileError, match="must be a readable text file in UTF-8"):
        read_prompts(tmp_path / "latin.csv")


def test_nothing_is_written_under_a_wrong_name_or_in_no_folder(tmp_path):
    with pytest.raises(InputError, match=r"must end in \.jsonl or \.csv"):
        write_prompts(tmp_path / "p.txt", ())
    with pytest.raises(OutputError, match="must lie in an existing folder"):
        write_prompts(tmp_path / "no" / "p.csv", ())
    assert not list(tmp_path.iterdir())


def test_a_line_of_json_is_a_prompt(tmp_path):
    path = write_prompts(tmp_path / "p.jsonl", [TextPrompt("liver", "foie: liver")])
    assert json.loads(path.read_text()) == {
        "target": "liver",
        "text": "foie: liver",
        "kind": "short",
        "split": "train",
        "source": "grammar",
        "view": "",
    }
