"""`xraykit corr train` reads its options, prints what came out, and refuses in one sentence."""

from types import SimpleNamespace

import pytest
from xraykit.corr import matching
from xraykit.corr.cli import train


@pytest.fixture
def asked(monkeypatch, tmp_path):
    seen = []

    def fake(settings, *, report, say, begun):
        seen.append(settings)
        say("4 patients to learn from")
        report("batches", 1, 1)
        row = {"train_loss": 0.0123, "ap_macro": 0.75, "ap_macro_mean": 0.5}
        return SimpleNamespace(
            batches=1, seconds=90.0, rows=(row,), weights=tmp_path / "weights", folder=tmp_path, left_out=()
        )

    monkeypatch.setattr(matching, "train_matcher", fake)
    return seen


def call(*words):
    from cyclopts import App

    app = App(name="corr")
    app.command(train.command, name="train")
    return app([*map(str, words)], result_action="return_value")


def test_options_reach_their_fields_and_scores_are_printed_with_the_prior(asked, tmp_path, capsys):
    call("train", "one", "two", "-o", tmp_path, "--minutes", "3", "--loss", "bce", "--variant", "small", "--roll", "20")
    settings = asked[0]
    assert (settings.data.sources, settings.length.minutes) == (("one", "two"), 3.0)
    assert (settings.objective.loss, settings.network.variant, settings.changes.roll) == ("bce", "small", 20.0)
    told = capsys.readouterr().out
    assert "4 patients to learn from" in told
    assert "1 batches in 1 min 30 s" in told
    assert "average precision on held-out patients 0.75, of the mean matrix 0.5" in told


def test_preset_is_read_and_the_command_line_counts_more(asked, tmp_path):
    call("train", "job", "-o", tmp_path, "--preset", "paper", "--steps", "7")
    settings = asked[0]
    assert (settings.network.variant, settings.length.rate, settings.length.steps) == ("paper", 1e-4, 7)
