"""What was assumed of a training's inputs and what it goes without lies beside its settings, of all its processes."""

import json

import pytest
import torch
from support.dataset_shards import write_dataset
from support.dax_ranks import on_ranks
from support.later import installed
from support.toy_training import settings_of, train
from xraykit.render import FileError
from xraykit.render.training import TrainingInputs


def told() -> TrainingInputs:
    inputs = TrainingInputs()
    inputs.note("polarity is assumed", ["a.png"])
    inputs.note("polarity is assumed", ["b.png", "a.png"])
    inputs.note("the gain is unknown", count=7)
    inputs.leave_out([("c.png", "it is torn."), ("c.png", "it is torn.")])
    return inputs


def test_each_input_is_kept_once_and_unnamed_ones_are_counted(tmp_path):
    inputs = told()
    assert inputs.lines == ["a.png and 1 more: polarity is assumed", "7 inputs: the gain is unknown"]
    inputs.write(tmp_path)
    record = json.loads((tmp_path / "inputs.json").read_text("utf-8"))
    assert record["notes"][0] == {"note": "polarity is assumed", "inputs": 2, "names": ["a.png", "b.png"]}
    assert record["left_out"] == [{"name": "c.png", "reason": "it is torn."}]
    again = TrainingInputs()
    again.read(tmp_path)
    again.read(tmp_path)
    assert again.record() == record


def test_nothing_is_written_where_there_is_nothing_to_say(tmp_path):
    TrainingInputs().write(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ['{"notes": [], "left_out": 3}', '{"notes": [{}], "left_out": []}', "{}", "[]"])
def test_a_damaged_record_is_refused_by_name(tmp_path, content):
    (tmp_path / "inputs.json").write_text(content, encoding="utf-8")
    with pytest.raises(FileError, match=r"inputs\.json"):
        TrainingInputs().read(tmp_path)


def test_a_data_set_s_patients_are_named_with_what_was_assumed_of_their_files(tmp_path):
    folder = write_dataset(tmp_path / "job", {"train": [2]}, size=8)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["shards"][0]["as_read"] = [{"patient": 3, "assumptions": ["spacing: 1 mm"], "doubts": ["voxels: no air"]}]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    inputs = TrainingInputs.of_data_sets([folder], [("b/train-000000.tar", "it is torn.")])
    assert inputs.lines == ["job, patient 3: spacing: 1 mm", "job, patient 3: voxels: no air"]
    assert inputs.left_out == [("b/train-000000.tar", "it is torn.")]


def test_a_training_keeps_them_from_its_beginning_and_a_resume_adds_its_own(tmp_path):
    installed("lightning", reason="needs the extra: pip install 'xraykit-render[train]'")
    seen = []

    def report(done, total):
        seen.append((tmp_path / "out/inputs.json").is_file())

    _, run = train(settings_of(tmp_path / "out", steps=4, save_every=2), report=report, inputs=told())
    assert seen[0] and run.left_out == (("c.png", "it is torn."),)
    report_page = (run.folder / "report.md").read_text("utf-8")
    assert "- 7 inputs: the gain is unknown" in report_page and "- c.png was left out: it is torn." in report_page
    more = TrainingInputs()
    more.leave_out([("d.png", "it is empty.")])
    with pytest.warns(UserWarning, match="another length"):
        _, resumed = train(settings_of(tmp_path / "out", steps=6, save_every=2, resume=True), inputs=more)
    assert set(resumed.left_out) == {("c.png", "it is torn."), ("d.png", "it is empty.")}
    record = json.loads((tmp_path / "out/inputs.json").read_text("utf-8"))
    assert len(record["notes"]) == 2 and len(record["left_out"]) == 2


def _gathered(rank: int) -> dict[str, torch.Tensor]:
    inputs = TrainingInputs()
    inputs.note("polarity is assumed", [f"{rank}.png"])
    inputs.leave_out([(f"bad{rank}.png", "it is torn.")])
    inputs.gather()
    return {
        "notes": torch.tensor(len(inputs.record()["notes"][0]["names"])),
        "left": torch.tensor(len(inputs.left_out)),
    }


@pytest.mark.slow
def test_every_process_knows_what_each_of_them_found(tmp_path):
    assert [(int(found["notes"]), int(found["left"])) for found in on_ranks(_gathered, tmp_path)] == [(2, 2)] * 2
