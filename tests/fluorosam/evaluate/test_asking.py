"""Questions: the same for every method, chains of points from the error region, words in both wordings."""

import dataclasses

import numpy as np
import pytest
import torch
from support.fluorosam_cases import Knowing, small_case
from xraykit.fluorosam.evaluate import (
    AskSettings,
    BoxFill,
    MaskAnswer,
    QuestionTexts,
    ask_method,
    asked_targets,
    error_point,
    tight_box,
)
from xraykit.render import InputError

ASKS = AskSettings(points=3, absent=1)


def ask(method, case=None, settings=ASKS):
    case = case or small_case()
    shown, absent = asked_targets(case, settings, QuestionTexts(settings))
    return ask_method(method, case, shown, absent, settings)


def test_every_target_is_asked_for_in_every_way():
    rows = ask(Knowing())
    counts = {kind: sum(row.kind == kind for row in rows) for kind in {row.kind for row in rows}}
    assert counts == {"text": 3, "text_held_out": 3, "box": 3, "points": 9, "text_points": 9, "absent": 1}
    shown = [row for row in rows if row.kind != "absent"]
    assert all(row.iou == row.dice == 1 for row in shown) and {row.unit for row in rows} == {"mm"}
    assert all(np.isnan(row.iou) and not row.visible for row in rows if row.kind == "absent")


def test_words_differ_by_wording_and_ask_for_the_same_target():
    rows = {(row.target, row.kind): row.text for row in ask(Knowing())}
    assert rows["hip_left", "text"] and rows["hip_left", "text_held_out"]
    assert rows["hip_left", "text"] != rows["hip_left", "text_held_out"]


def test_each_point_lies_where_the_answer_before_it_was_wrong():
    method = Knowing(drawn=lambda mask, question: torch.zeros_like(mask) if len(question.points) < 3 else ~mask)
    ask(method, settings=dataclasses.replace(ASKS, kinds=("points",), targets=("hip_left",), points=4))
    chain = [one for one in method.asked if one.target == "hip_left"]
    truth = small_case().mask("hip_left")
    assert [len(one.points) for one in chain] == [1, 2, 3, 4]
    rows, columns = (chain[-1].points[:, axis].long() for axis in (1, 0))
    assert truth[rows[:3], columns[:3]].all() and chain[-1].labels[:3].tolist() == [1, 1, 1]
    assert chain[0].before is None and chain[1].before is not None
    assert bool(truth[rows[3], columns[3]]) == bool(chain[-1].labels[3])


def test_the_first_point_is_the_same_for_every_method_and_run():
    first, second = Knowing(), Knowing(name="other", drawn=lambda mask, question: ~mask)
    for method in (first, second):
        ask(method, settings=dataclasses.replace(ASKS, kinds=("points",)))
    for a, b in zip(first.asked, second.asked, strict=False):
        if len(a.points) == len(b.points) == 1:
            assert torch.equal(a.points, b.points)
    again = Knowing()
    ask(again, settings=dataclasses.replace(ASKS, kinds=("points",)))
    assert all(torch.equal(a.points, b.points) for a, b in zip(first.asked, again.asked, strict=True))


def test_a_chain_that_is_right_gets_no_more_points_and_keeps_its_answer():
    method = Knowing()
    rows = ask(method, settings=dataclasses.replace(ASKS, kinds=("points",), targets=("hip_left",)))
    assert [len(one.points) for one in method.asked] == [1] and [row.points for row in rows] == [1, 2, 3]


def test_a_point_is_drawn_uniformly_from_the_error_region():
    truth = torch.zeros(4, 4, dtype=torch.bool)
    truth[1, 1] = True
    answer = torch.zeros(4, 4, dtype=torch.bool)
    answer[3, 2] = True
    seen = {error_point(truth, answer, np.random.default_rng(seed)) for seed in range(20)}
    assert seen == {(1.5, 1.5, 1), (2.5, 3.5, 0)}
    assert error_point(truth, truth, np.random.default_rng(0)) is None


def test_a_box_touches_the_borders_of_its_mask():
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[2:5, 3:7] = True
    assert tight_box(mask).tolist() == [3, 2, 7, 5]
    rows = ask(BoxFill())
    assert {row.kind for row in rows} == {"box"} and all(0.6 < row.iou < 0.9 for row in rows if row.target != "hip")


def test_masks_too_small_or_too_large_are_not_asked_for():
    settings = dataclasses.replace(ASKS, smallest=0.2, largest=0.5)
    assert {row.target for row in ask(Knowing(), settings=settings) if row.kind == "text"} == {"hip"}


def test_the_other_side_is_told_apart():
    flipped = Knowing(drawn=lambda mask, question: mask.flip(1))
    rows = [row for row in ask(flipped) if row.kind == "text" and row.target != "hip"]
    assert rows and all(row.twin_dice > 0.9 > row.dice for row in rows)
    assert all(np.isnan(row.twin_dice) for row in ask(flipped) if row.target == "hip")


def test_an_answer_of_another_size_is_refused():
    class Wrong(Knowing):
        def answer(self, questions):
            return [MaskAnswer(torch.zeros(3, 3, dtype=torch.bool)) for _ in questions]

    with pytest.raises(InputError, match=r"knowing must answer 3 questions with bool masks of 32x32, got 3 answers"):
        ask(Wrong())


def test_texts_of_a_file_take_the_place_of_the_grammar(tmp_path):
    path = tmp_path / "texts.csv"
    path.write_text("target,text,split\nhip_left,left coxa,train\nbracket,the bracket,train\n")
    rows = ask(Knowing(), settings=dataclasses.replace(ASKS, texts=path))
    assert {row.text for row in rows if row.kind == "text"} == {"left coxa"}
    assert not [row for row in rows if row.kind == "text_held_out"]


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"kinds": ("words",)}, "kinds must be among text, .*, got words"),
        ({"per_image": -1}, "per_image must be a whole number from 0 to 10000000, got -1"),
        ({"points": 0}, "points must be a whole number from 1 to 64, got 0"),
        ({"smallest": float("nan")}, "areas must be shares with 0 < smallest < largest <= 1, got nan and 0.9"),
    ],
)
def test_impossible_settings_are_refused(changes, sentence):
    with pytest.raises(InputError, match=sentence):
        AskSettings(**changes)
