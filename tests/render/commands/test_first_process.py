"""Of several processes that train together the first one speaks, and no other ends with a status that kills it."""

from pathlib import Path

import pytest
from xraykit.render.commands import last_scores, say_end, tell, training_lines
from xraykit.render.training import TrainingRun

LEFT_OUT = [("a.dcm", "it is torn.")]
RUN = TrainingRun(Path("out"), Path("out/weights"), ({"loss": 2.0}, {"loss": 0.123456, "dice": 0.5}), 9, 61.0)


def test_the_first_process_says_what_came_out_and_what_was_left_out(monkeypatch, capsys):
    monkeypatch.setenv("LOCAL_RANK", "0")
    tell("3 patients")
    assert say_end(training_lines(RUN, last_scores(RUN, {"loss": "loss", "none": "x", "dice": "Dice"})), LEFT_OUT) == 3
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "3 patients",
        "9 batches in 1 min 1 s",
        "loss 0.1235, Dice 0.5",
        "wrote out/weights, curve.csv and settings.json in out",
    ]
    assert "a.dcm was left out" in said.err


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK", "SLURM_PROCID"])
def test_the_others_are_silent_and_end_well(monkeypatch, capsys, name):
    monkeypatch.setenv(name, "1")
    tell("3 patients")
    assert say_end(training_lines(RUN, ""), LEFT_OUT) == 0
    assert capsys.readouterr() == ("", "")


def test_a_curve_without_rows_has_no_scores_and_shares_are_said_in_percent(capsys):
    assert last_scores(TrainingRun(Path(), Path(), (), 0, 0.0), {"loss": "loss"}) == ""
    assert last_scores(RUN, {"dice": "Dice"}, scale=100, unit=" %") == "Dice 50 %"
    say_end(["", "end"])
    assert capsys.readouterr().out == "end\n"
