"""The folder of a training: what lies there, and who may go on in it."""

import csv
import json

import pytest
from support.toy_training import settings_of, train
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.storage import release_folder
from xraykit.render.training import RunSettings, checked_run, prepare_folder
from xraykit.render.training.curve import write_curve, write_report

NAMES = {"settings.json", "weights", "last.ckpt", "curve.json", "curve.csv", "tensorboard", "report.md"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-render[train]'")
    return train(settings_of(tmp_path_factory.mktemp("run") / "out", steps=4, validate_every=2))[1]


def test_a_training_leaves_the_same_files_whatever_the_method(run):
    assert {path.name for path in run.folder.iterdir()} == NAMES
    assert run.weights == run.folder / "weights" and run.batches == 4
    assert list((run.folder / "tensorboard").glob("events*"))


def test_the_curve_has_the_terms_of_the_loss_and_the_columns_of_the_validation(run):
    assert [row["step"] for row in run.rows] == [0, 2, 4]
    assert [row["images"] for row in run.rows] == [0, 8, 16]
    assert {"train_loss", "train_distance", "off", "rate", "seconds"} <= set(run.rows[-1])
    assert json.loads((run.folder / "curve.json").read_text()) == list(run.rows)
    with (run.folder / "curve.csv").open(newline="") as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["0", "2", "4"]


def test_the_settings_say_who_wrote_them_and_are_read_again(run):
    saved = json.loads((run.folder / "settings.json").read_text())
    assert saved["xraykit"]["command"] == "train" and saved["length"]["steps"] == 4 and saved["noise"] == 0.1


def test_the_report_shows_the_first_and_the_last_row(run):
    text = (run.folder / "report.md").read_text()
    assert "4 batches" in text and "All 3 rows" in text
    assert f"| off | {run.rows[0]['off']:.6g} | {run.rows[-1]['off']:.6g} |" in text


def test_a_column_that_only_one_row_has_is_empty_in_the_other(tmp_path):
    rows = ({"step": 0.0}, {"step": 2.0, "train_loss": 0.5})
    write_curve(tmp_path, rows)
    assert (tmp_path / "curve.csv").read_text().splitlines()[1:] == ["0.0,", "2.0,0.5"]
    report = write_report(tmp_path, rows, batches=2, seconds=1.0)
    assert "| train_loss |  | 0.5 |" in report.read_text()


def test_a_run_is_completed_once_its_folder_is_found_free(tmp_path):
    settings = RunSettings(tmp_path / "new/out", device="cpu")
    assert checked_run(settings).precision is not None and list(tmp_path.iterdir()) == []
    (tmp_path / "new").write_text("mine")
    with pytest.raises(OutputError, match="must be a folder that can be made, got the file"):
        checked_run(settings)
    with pytest.raises(FileError, match=r"--resume needs last\.ckpt"):
        checked_run(RunSettings(tmp_path, device="cpu", resume=True))
    (tmp_path / "last.ckpt").touch()
    with pytest.raises(OutputError, match="already holds a training"):
        checked_run(RunSettings(tmp_path, device="cpu"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch": 8}, "length.batch was 4 and is 8"),
        ({"noise": 0.2}, "noise was 0.1 and is 0.2"),
        ({"rate": 0.5}, "length.rate was 0.1 and is 0.5; use the old value, or begin anew"),
    ],
)
def test_a_resume_with_other_settings_is_refused(run, changes, message):
    settings = settings_of(run.folder, resume=True, **({"steps": 4, "validate_every": 2} | changes))
    with pytest.raises(InputError, match=message):
        prepare_folder(settings.run, settings)


def test_a_resume_may_be_longer_and_on_another_machine(run):
    settings = settings_of(run.folder, resume=True, steps=40, validate_every=2)
    assert prepare_folder(settings.run, settings) == run.folder / "last.ckpt"
    release_folder(run.folder)


def test_a_training_that_ended_is_left_as_it_is_unless_it_shall_be_longer(tmp_path):
    pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-render[train]'")
    options = {"steps": 3, "validate_every": 2}
    first = train(settings_of(tmp_path / "out", **options))[1]
    written = {path: path.read_bytes() for path in (tmp_path / "out" / "weights").iterdir()}
    with pytest.warns(UserWarning, match="had ended after 3 batches"):
        again = train(settings_of(tmp_path / "out", resume=True, **options))[1]
    assert again.batches == 3 and again.rows == first.rows
    assert all(path.read_bytes() == data for path, data in written.items())
    with pytest.warns(UserWarning, match="another length"):
        longer = train(settings_of(tmp_path / "out", resume=True, **(options | {"steps": 5})))[1]
    assert longer.batches == 5 and [row["step"] for row in longer.rows] == [0, 2, 4, 5]


def test_a_training_is_not_overwritten(run):
    settings = settings_of(run.folder)
    with pytest.raises(OutputError, match="already holds a training; add --resume"):
        prepare_folder(settings.run, settings)


def test_a_resume_needs_a_checkpoint_and_the_settings_beside_it(tmp_path):
    settings = settings_of(tmp_path, resume=True)
    with pytest.raises(FileError, match=r"--resume needs last\.ckpt"):
        prepare_folder(settings.run, settings)
    (tmp_path / "last.ckpt").touch()
    with pytest.raises(FileError, match="--resume needs the settings of the training so far"):
        prepare_folder(settings.run, settings)


def test_a_file_for_a_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    settings = settings_of(tmp_path / "file")
    with pytest.raises(OutputError, match="must be a folder that can be made"):
        prepare_folder(settings.run, settings)
