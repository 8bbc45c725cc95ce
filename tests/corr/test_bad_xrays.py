"""Fine-tuning and classification go on without X-rays that cannot be used, and say so in their end and record."""

import json

import pytest
from PIL import Image
from support.corr_annotations import annotated, small_matcher
from support.corr_studies import write_study_set
from xraykit.corr.data import XrayInputSettings
from xraykit.corr.scores import StudyRow
from xraykit.corr.studies import prepare_studies, read_studies
from xraykit.render import FileError
from xraykit.render.cli.umbrella import run
from xraykit.render.commands import LeftOut
from xraykit.render.evaluation import read_rows

TRAINING = ["--device", "cpu", "--precision", "32-true", "--workers", "0", "--steps", "1", "--validate-every", "1"]
SMALL = XrayInputSettings(size=32)


def damage(path):
    """Leave the first half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def warned(capsys):
    return [line for line in capsys.readouterr().err.splitlines() if "was left out" in line]


@pytest.fixture
def needs_training():
    for module in ("lightning", "tensorboard"):
        pytest.importorskip(module, reason="needs the extra: pip install 'xraykit-corr[train]'")


def fine_tuning(file, folder):
    """The command line that learns from annotated pairs."""
    return ["corr", "finetune", str(file), "-o", str(folder / "out"), "--start", str(small_matcher(folder / "m"))]


def test_fine_tuning_leaves_pairs_of_bad_xrays_out(needs_training, tmp_path, capsys):
    file = annotated(tmp_path, samples=9, splits=("train", "val", "test"))
    damage(tmp_path / "0a.png")
    Image.new("L", (60, 64), 3).save(tmp_path / "1b.png")
    (tmp_path / "2a.png").unlink()
    assert run([*fine_tuning(file, tmp_path), "--batch", "2", *TRAINING]) == 3
    lines = warned(capsys)
    assert [name in line for name, line in zip(("0a.png", "1b.png", "2a.png"), lines, strict=True)] == [True] * 3
    record = json.loads((tmp_path / "out/inputs.json").read_text("utf-8"))
    assert {one["name"] for one in record["left_out"]} == {"0a.png", "1b.png", "2a.png"}
    assert any("polarity" in one["note"] and one["inputs"] == 15 for one in record["notes"])
    assert "was left out" in (tmp_path / "out/report.md").read_text("utf-8")


def test_fine_tuning_without_a_good_pair_is_refused_with_the_first_reason(needs_training, tmp_path, capsys):
    file = annotated(tmp_path, samples=2)
    damage(tmp_path / "0a.png")
    damage(tmp_path / "1b.png")
    assert run(fine_tuning(file, tmp_path)) == 2
    assert "0a.png" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_classification_leaves_studies_of_bad_xrays_out_of_training_scores_and_record(needs_training, tmp_path, capsys):
    file = write_study_set(tmp_path / "set", each=6)
    damage(tmp_path / "set/train3_1.png")
    damage(tmp_path / "set/test0_0.png")
    out = tmp_path / "out"
    command = ["corr", "classify", str(file), "-o", str(out), "--pretrained", str(small_matcher(tmp_path / "m"))]
    assert run([*command, "--batch", "2", *TRAINING]) == 3
    lines = warned(capsys)
    assert len(lines) == 2 and "study train3" in lines[0] and "test0_0.png" in lines[1]
    assert [row.split for row in read_rows(out / "rows.json", StudyRow)].count("test") == 5
    for name in ("report.json", "inputs.json"):
        assert [one["name"] for one in json.loads((out / name).read_text("utf-8"))["left_out"]] == [
            "study train3",
            "study test0",
        ]
    (note,) = json.loads((out / "inputs.json").read_text("utf-8"))["notes"]
    assert "polarity" in note["note"] and note["inputs"] == 32


def test_a_split_that_is_lost_with_its_xrays_is_refused_with_the_reason(needs_training, tmp_path, capsys):
    file = write_study_set(tmp_path / "set", each=2)
    damage(tmp_path / "set/val1_0.png")
    command = ["corr", "classify", str(file), "-o", str(tmp_path / "out"), "--fusion", "late"]
    assert run([*command, "--variant", "mini"]) == 2
    said = capsys.readouterr().err
    assert 'the split "val" must have studies of both labels' in said and "1 were left out" in said
    assert "val1_0.png" in said


def test_prepared_studies_know_what_is_missing_when_they_are_taken_again(tmp_path):
    studies = read_studies(write_study_set(tmp_path / "set", each=2))
    damage(tmp_path / "set/train1_1.png")
    stores, left_out = [], LeftOut()
    for _ in range(2):
        seen = []
        stores.append(
            prepare_studies(studies, tmp_path / "p", SMALL, report=lambda *at: seen.append(at), left_out=left_out)  # noqa: B023
        )
    assert seen == [] and [name for name, _ in left_out.once] == ["study train1"]
    assert len(stores[1]) == 5 and stores[0].assumed == stores[1].assumed
    whole = prepare_studies([one for one in studies if one.name != "train1"], tmp_path / "q", SMALL)
    for number in range(5):
        assert bool((whole.images(number) == stores[1].images(number)).all())
    with pytest.raises(FileError, match="train1_1"):
        prepare_studies(studies, tmp_path / "p", SMALL)
