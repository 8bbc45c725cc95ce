"""Progress in plain lines where there is no terminal: how much is done, how fast, how long it will take."""

from types import SimpleNamespace

from xraykit.render.commands import progress
from xraykit.render.commands.progress import Tally, duration, stages


def test_the_tally_knows_rate_and_time_left(monkeypatch, capsys):
    clock = iter([0.0, 0.0, 10.0, 30.0])
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(clock)))  # no other thread reads it
    with Tally("images", every=1.0) as tally:
        tally.report(10, 100)
        tally.report(30, 100)
        tally.report(100, 100)
    assert capsys.readouterr().out.splitlines() == [
        "30/100 images, 2.00/s, 35 s left",
        "100/100 images, 3.00/s, 0 s left",
    ]


def test_times_are_told_in_fitting_units():
    assert [duration(s) for s in (0.4, 59.4, 200, 18_420)] == ["0 s", "59 s", "3 min 20 s", "5 h 7 min"]


def test_stages_are_told_one_after_the_other(capsys):
    with stages() as report:
        report("images", 2, 2)
        report("batches", 1, 2)
        report("batches", 2, 2)
    told = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert told == ["2/2 images", "2/2 batches"]
    with stages({"features": "images"}) as report:
        report("features of a backbone", 3, 3)
        report("detector", 2, 2)
    told = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert told == ["features of a backbone", "3/3 images", "detector", "2/2 steps"]
