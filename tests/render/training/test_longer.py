"""A training that is given more batches or minutes goes on, as one of that length where it can, and says where not."""

import pytest
import torch
from support.toy_training import ToyTask, settings_of, train

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-render[train]'")
pytest.importorskip("tensorboard", reason="needs the extra: pip install 'xraykit-render[train]'")
ANOTHER = "the 6 batches so far followed the schedules of a training of another length; one of this length"


def timeless(rows):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


@pytest.mark.parametrize("every", [3, 4], ids=["a row at the first end", "no row there"])
def test_n_batches_and_then_2n_are_2n_at_once_where_the_rate_does_not_follow_the_length(tmp_path, monkeypatch, every):
    monkeypatch.setattr(ToyTask, "rate", lambda self, progress, step: 0.1)
    options = {"accumulate": 2, "validate_every": every}
    whole, expected = train(settings_of(tmp_path / "whole", steps=12, **options))
    train(settings_of(tmp_path / "out", steps=6, **options))
    with pytest.warns(UserWarning, match=ANOTHER):
        longer, found = train(settings_of(tmp_path / "out", resume=True, steps=12, **options))
    old, new = whole.module.state_dict(), longer.module.state_dict()
    assert all(torch.equal(old[name], new[name]) for name in old)
    assert timeless(found.rows) == timeless(expected.rows)
    assert [call[1] for call in longer.seen if call[0] == "step"] == list(range(6, 12))


def test_the_schedule_of_the_second_half_is_that_of_the_whole_length(tmp_path):
    train(settings_of(tmp_path, steps=6))
    with pytest.warns(UserWarning, match=ANOTHER):
        task, _ = train(settings_of(tmp_path, resume=True, steps=12))
    assert [call[2] for call in task.seen if call[0] == "step"] == [step / 12 for step in range(6, 12)]
    assert [call[2][0] for call in task.seen if call[0] == "before"] == [0.1 * (1 - step / 12) for step in range(6, 12)]


def test_a_longer_training_is_validated_twenty_times_again(tmp_path):
    train(settings_of(tmp_path, steps=20))
    with pytest.warns(UserWarning, match="another length"):
        _, run = train(settings_of(tmp_path, resume=True, steps=40))
    assert [row["step"] for row in run.rows][-10:] == list(range(22, 42, 2))


def test_minutes_and_then_twice_as_many_are_as_many_batches_as_at_once(tmp_path):
    now = [0.0]

    def report(done, total):
        now[0] += 6.0

    def timed(folder, minutes, **more):
        options = {"steps": None, "minutes": minutes, "validate_every": 4}
        return train(settings_of(folder, **options, **more), clock=lambda: now[0], report=report)[1]

    whole = timed(tmp_path / "whole", 2.0)
    first = timed(tmp_path / "out", 1.0)
    with pytest.warns(UserWarning, match="another length"):
        longer = timed(tmp_path / "out", 2.0, resume=True)
    assert (first.batches, longer.batches, whole.batches) == (11, 21, 21)
    assert [row["step"] for row in longer.rows] == [row["step"] for row in whole.rows]


@pytest.mark.parametrize("steps", [6, 4])
def test_a_training_that_is_at_its_end_says_so(tmp_path, steps):
    _, first = train(settings_of(tmp_path, steps=6))
    with pytest.warns(UserWarning, match="had ended after 6 batches; more --steps or --minutes would go on"):
        task, again = train(settings_of(tmp_path, resume=True, steps=steps))
    assert again.rows == first.rows and not [call for call in task.seen if call[0] == "step"]


def test_the_settings_beside_it_are_those_of_the_longer_one(tmp_path):
    train(settings_of(tmp_path, steps=2))
    with pytest.warns(UserWarning, match="another length"):
        train(settings_of(tmp_path, resume=True, steps=4))
    assert '"steps": 4' in (tmp_path / "settings.json").read_text()
