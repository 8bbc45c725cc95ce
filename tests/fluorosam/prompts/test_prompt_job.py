"""The job and its command: for everything known, or for what a data set shows."""

import pytest
from cyclopts import App
from support.dataset_shards import disc, write_dataset
from xraykit.fluorosam.cli import prompts as command
from xraykit.fluorosam.prompts import (
    GrammarSettings,
    PromptJobSettings,
    dataset_targets,
    make_prompts,
    read_prompts,
)
from xraykit.fluorosam.vocabulary import all_targets
from xraykit.render import FileError, InputError

FEW = GrammarSettings(short=2, long=2, held_out_short=1, held_out_long=1, view_texts=3)
RECORD = {
    "view": {"name": "pelvis_ap", "mirrored_display": False},
    "tools": [
        {"name": "k_wire_2", "description": "Kirschner wire, 2 mm diameter"},
        {"name": "bracket_7", "description": "angled steel bracket, 40 mm long"},
        {"name": "XZ-12", "description": "cup of a hip prosthesis"},
    ],
}


def call(*words):
    app = App(name="fluorosam")
    app.command(command.command, name="prompts")
    return app(["prompts", *map(str, words)], result_action="return_value")


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    mask = disc(16, 8, 8, 4)
    return write_dataset(
        tmp_path_factory.mktemp("job") / "images",
        {"train": [2]},
        masks={"hip_left": mask, "hip_right": mask, "vertebrae_L5": mask, "unheard_of": mask},
        tools={"k_wire_2": mask, "bracket_7": mask, "XZ-12": mask},
        edit=RECORD,
    )


def test_everything_known_gets_texts_of_both_kinds_and_splits():
    made = make_prompts(PromptJobSettings(grammar=FEW))
    assert {one.target for one in made} == set(all_targets()) and len(made) == 6 * len(all_targets())
    assert {(one.kind, one.split) for one in made} == {(k, s) for k in ("short", "long") for s in ("train", "held_out")}


def test_a_data_set_shows_its_structures_groups_and_tools(job):
    found = dataset_targets(job)
    assert found.images == 2 and set(found.tools) == {"bracket", "XZ_12"}
    assert {"hip_left", "hip", "pelvis", "vertebrae_lumbar", "k_wire", "metal", "bracket"} <= set(found.views)
    assert "femur" not in found.views and found.views["hip"] == {"pelvis_ap"}


def test_texts_for_a_data_set_speak_of_its_views_and_tools(job):
    made = make_prompts(PromptJobSettings(job, grammar=FEW))
    assert {one.view for one in made} == {"", "pelvis_ap"}
    said = {one.text.lower() for one in made if one.target == "XZ_12"}
    assert said and all("cup" in text for text in said)
    assert any("bracket" in one.text for one in made if one.target == "bracket")


def test_only_what_is_asked_for(job):
    made = make_prompts(PromptJobSettings(job, targets=("hips", "bracket"), grammar=FEW))
    assert {one.target for one in made} == {"hip", "bracket"}
    with pytest.raises(InputError, match=r"targets must occur in .*images, got liver; leave them out"):
        make_prompts(PromptJobSettings(job, targets=("liver",)))
    with pytest.raises(InputError, match="target must be a known name, got 'livr'"):
        make_prompts(PromptJobSettings(targets=("livr",)))


def test_a_data_set_without_known_names_is_refused(tmp_path):
    folder = write_dataset(tmp_path / "set", {"train": [1]}, masks={"unheard_of": disc(16, 8, 8, 4)})
    with pytest.raises(FileError, match="must show something with a known name, got 1 images"):
        dataset_targets(folder)


def test_the_command_writes_and_says_what(tmp_path, capsys):
    (tmp_path / "mine.csv").write_text("target,text\nliver,the big organ on the right\n")
    output = tmp_path / "p.jsonl"
    call("-o", output, "--targets", "liver", "--texts", tmp_path / "mine.csv", "--short", 4, "--long", 3, "--seed", 2)
    made = read_prompts(output)
    assert [one.source for one in made][-1] == "mine.csv" and len(made) == 4 + 3 + 5 + 5 + 1
    assert "18 texts for 1 targets (5 short train, 3 long train" in capsys.readouterr().out


def test_impossible_numbers_are_refused():
    with pytest.raises(InputError, match="short must be 0 to 1000, got -1"):
        GrammarSettings(short=-1)
    with pytest.raises(InputError, match="seed must be 0 or more, got -1"):
        GrammarSettings(seed=-1)
