"""From a data set job to rows and a report."""

import json
import math

import numpy as np
import pytest
from support.dataset_shards import disc, write_dataset
from support.few_draws import few_draws
from support.fluorosam_cases import Knowing, small_case
from support.held import held_elsewhere
from xraykit.fluorosam.evaluate import (
    AskSettings,
    BaselineSettings,
    BoxFill,
    CaseSettings,
    JobCases,
    MeanMask,
    SegmentationEvaluationSettings,
    evaluate_segmentation,
    read_segmentation_rows,
    row_summary,
    segmentation_report,
    segmentation_rows,
)
from xraykit.fluorosam.evaluate.baselines import make_baselines
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.evaluation import report_text

SIZE = 32
drawing = few_draws(row_summary)
MASKS = {
    "hip_left": disc(SIZE, 23, 16, 6),
    "hip_right": disc(SIZE, 9, 16, 6),
    "vertebrae_L5": disc(SIZE, 16, 6, 2.5),
}


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job") / "images"
    return write_dataset(folder, {"train": [4], "val": [4], "test": [6]}, views=2, size=SIZE, masks=MASKS)


def settings(job, output, **changes):
    return SegmentationEvaluationSettings(job, output, asks=AskSettings(points=2, absent=2, per_image=0), **changes)


def test_a_job_gives_rows_and_a_report(job, tmp_path):
    chosen = settings(job, tmp_path / "out")
    methods = [Knowing(), *make_baselines(chosen)]
    told = []
    found = evaluate_segmentation(chosen, methods=methods, report=lambda *args: told.append(args))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "rows.csv", "settings.json", "report.json", "report.md"
    }  # fmt: skip
    assert told[-1] == ("images", 6, 6)
    rows = read_segmentation_rows(tmp_path / "out")
    assert {row.method for row in rows} == {"knowing", "mean mask", "box fill"}
    text = report_text(found)
    for piece in ("| knowing | text |", "| mean mask | text |", "| box fill | box |", "hip_left", "knee_ap"):
        assert piece in text
    numbers = json.loads((tmp_path / "out/report.json").read_text())
    assert numbers["large"]["knowing"]["text"]["dice"] == 1 and numbers["images"] == 6
    assert numbers["settings"]["asks"]["points"] == 2
    assert report_text(segmentation_report(rows)) == text


def test_small_masks_have_a_table_of_their_own(job, tmp_path):
    found = evaluate_segmentation(settings(job, tmp_path / "out"), methods=[Knowing()])
    small = found.numbers["small"]["knowing"]["text"]["count"]
    large = found.numbers["large"]["knowing"]["text"]["count"]
    assert small == 6 * sum(name in ("vertebrae_L5",) for name in MASKS) * 4 and large > small / 4
    assert "Smaller masks" in report_text(found)


def test_the_split_is_test_where_there_is_one(job):
    assert JobCases(job).split == "test" and len(JobCases(job)) == 6 and len(JobCases(job, most=3)) == 3
    assert [case.name for case in JobCases(job, most=2)] == [case.name for case in JobCases(job)][::5]
    with pytest.raises(FileError, match=r"must have a split 'holdout', got test, train, val"):
        JobCases(job, split="holdout")


def test_cases_of_a_job_are_bone_bright_with_spacing_and_absent_targets(job):
    case = next(iter(JobCases(job)))
    assert case.bone == "bright" and case.spacing == (2.0, 2.0) and case.image.shape == (SIZE, SIZE)
    assert {"hip", "pelvis", "vertebrae_lumbar"} <= set(case.targets) and "skull" in case.absent
    assert np.array_equal(case.mask("hip_left").numpy(), MASKS["hip_left"])


def test_mean_masks_of_unchanging_patients_are_nearly_right(job):
    method = MeanMask(JobCases(job, split="train"))
    rows = segmentation_rows([method], JobCases(job), AskSettings(kinds=("text",), per_image=0))
    assert min(row.dice for row in rows if row.target == "hip_left") > 0.9
    assert all(row.confidence > 0.8 for row in rows if row.target == "hip_left")


def test_refused_answers_and_false_alarms_are_counted():
    cases = [small_case(number) for number in range(6)]
    shy = Knowing(visible=False)
    found = segmentation_report(segmentation_rows([shy], cases, AskSettings(points=1))).numbers
    assert found["large"]["knowing"]["text"]["missed"] == 1 and found["large"]["knowing"]["text"]["shown_dice"] == 0
    assert found["large"]["knowing"]["text"]["dice"] == 1
    assert found["absent"]["knowing"]["alarms"] == 0 and found["absent"]["knowing"]["auroc"] == 1
    errors = found["calibration"]["knowing"]
    assert errors["text"]["error"] == pytest.approx(0.1) and errors["absent"]["error"] == 0


def test_distances_are_in_mm_where_the_spacing_is_known_and_in_px_elsewhere():
    moved = Knowing(drawn=lambda mask, question: mask.roll(2, 1))
    for spacing, expected, unit in (((0.5, 0.5), 1.0, "mm"), (None, 2.0, "px")):
        cases = [small_case(number, spacing=spacing) for number in range(2)]
        rows = segmentation_rows([moved], cases, AskSettings(kinds=("text",), targets=("hip_left",)))
        one = segmentation_report(rows).numbers["large"]["knowing"]["text"]
        assert one["hausdorff"] == pytest.approx(expected) and one["unit"] == unit


def test_gains_begin_with_nothing_or_with_words():
    method = Knowing(drawn=lambda mask, question: mask if question.points is not None else mask.roll(3, 1))
    rows = segmentation_rows([method], [small_case(n) for n in range(2)], AskSettings(points=2))
    gains = segmentation_report(rows).numbers["gains"]["knowing"]
    assert gains["points"] == [0.0, 1.0, 1.0] and gains["text_points"][0] < 0.9 and gains["text_points"][1:] == [1, 1]


def test_a_folder_with_something_in_it_is_left_alone(job, tmp_path):
    (tmp_path / "a.txt").write_text("mine")
    with pytest.raises(OutputError, match="must be new or empty, got something in it"):
        evaluate_segmentation(settings(job, tmp_path), methods=[BoxFill()])


def test_nothing_to_ask_for_is_said_and_nothing_written(job, tmp_path):
    asks = AskSettings(targets=("skull",), absent=0)
    with pytest.raises(InputError, match="there must be a mask to ask for, got none in 6 images"):
        evaluate_segmentation(SegmentationEvaluationSettings(job, tmp_path / "out", asks=asks), methods=[BoxFill()])
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="target must be a known name, got 'femurr'"):
        evaluate_segmentation(
            SegmentationEvaluationSettings(job, tmp_path / "out", asks=AskSettings(targets=("femurr",))),
            methods=[BoxFill()],
        )


def test_methods_need_names_of_their_own():
    with pytest.raises(InputError, match="names of their own, got box fill, box fill"):
        segmentation_rows([BoxFill(), BoxFill()], [small_case()], AskSettings())


def test_one_patient_has_no_interval(job):
    rows = segmentation_rows([Knowing()], [small_case()], AskSettings(kinds=("text",)))
    assert math.isnan(segmentation_report(rows).numbers["all"]["knowing"]["text"]["dice_interval"][0])


def test_baselines_are_those_that_are_asked_for(job, tmp_path):
    chosen = settings(job, tmp_path, baselines=BaselineSettings(mean_mask=False, box_fill=False))
    assert make_baselines(chosen) == []
    chosen = settings(job, tmp_path, cases=CaseSettings(split="train"))
    assert [one.name for one in make_baselines(chosen)] == ["box fill"]


def test_a_second_evaluation_in_a_folder_is_refused_before_it_asks(job, tmp_path):
    pytest.importorskip("fcntl", reason="locks of POSIX")
    with held_elsewhere(tmp_path / "out"), pytest.raises(OutputError, match="must be free, got another job"):
        evaluate_segmentation(settings(job, tmp_path / "out"), methods=[], report=None)


@pytest.mark.parametrize("stopped_at", ["write_rows", "write_settings"])
def test_an_evaluation_that_ends_while_it_writes_leaves_its_rows_and_can_be_made_again(
    job, tmp_path, monkeypatch, stopped_at
):
    def stop(*args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(f"xraykit.fluorosam.evaluate.evaluation.{stopped_at}", stop)
        with pytest.raises(KeyboardInterrupt):
            evaluate_segmentation(settings(job, tmp_path / "out"), methods=[BoxFill()])
    assert [path.name for path in tmp_path.glob("out/*")] == ([] if stopped_at == "write_rows" else ["rows.csv"])
    evaluate_segmentation(settings(job, tmp_path / "out"), methods=[BoxFill()])
    assert len(read_segmentation_rows(tmp_path / "out")) > 0


def test_what_a_killed_evaluation_leaves_is_no_evaluation(job, tmp_path):
    out = tmp_path / "out"
    evaluate_segmentation(settings(job, out), methods=[BoxFill()])
    with pytest.raises(OutputError, match="must be new or empty"):
        evaluate_segmentation(settings(job, out), methods=[BoxFill()])
    (out / "settings.json").unlink()  # the last that takes its place
    (out / ".lock").write_text("", encoding="utf-8")
    (out / "rows.csv").write_text("half", encoding="utf-8")
    evaluate_segmentation(settings(job, out), methods=[BoxFill()])
    assert len(read_segmentation_rows(out)) > 0 and not (out / ".lock").exists()
