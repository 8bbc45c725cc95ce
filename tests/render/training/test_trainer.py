"""A task is trained to the last batch or the end of the time, and goes on after a kill as if nothing had been."""

import signal
import subprocess
import sys

import pytest
import torch
from support.repo import ROOT
from support.toy_training import ToyTask, settings_of, train
from xraykit.render import BackendUnavailableError, InputError
from xraykit.render.training import LengthSettings, TrainingFailedError, TrainingTask

pytest.importorskip("lightning", reason="needs the extra: pip install 'xraykit-render[train]'")
pytest.importorskip("tensorboard", reason="needs the extra: pip install 'xraykit-render[train]'")
OFTEN = {"accumulate": 2, "validate_every": 3, "save_every": 4}


def timeless(rows):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def calls(task, name):
    return [call[1:] for call in task.seen if call[0] == name]


def kill(out):
    script = ROOT / "tests/support/toy_training.py"
    killed = subprocess.run([sys.executable, str(script), str(out), "--kill", "7"], check=False)
    assert killed.returncode == -signal.SIGKILL


def fail(out):
    def report(done, total):
        if done == 7:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        train(settings_of(out, **OFTEN), report=report)


@pytest.mark.parametrize("end", [fail, pytest.param(kill, marks=pytest.mark.slow)])
def test_a_run_that_ends_in_the_middle_goes_on_bit_for_bit_as_the_uninterrupted_one(end, tmp_path):
    whole, expected = train(settings_of(tmp_path / "whole", **OFTEN))
    end(tmp_path / "out")
    resumed, found = train(settings_of(tmp_path / "out", resume=True, **OFTEN))
    assert [batch for batch, _ in calls(resumed, "step")] == list(range(4, 12))
    old, new = whole.module.state_dict(), resumed.module.state_dict()
    assert old.keys() == new.keys() and all(torch.equal(old[name], new[name]) for name in old)
    assert whole.drawn == resumed.drawn
    assert timeless(expected.rows) == timeless(found.rows)
    saved = [torch.load(run.weights / "toy.pt")["weights"] for run in (expected, found)]
    assert all(torch.equal(saved[0][name], saved[1][name]) for name in saved[0])


def test_a_part_of_a_checkpoint_that_a_kill_left_behind_is_no_checkpoint(tmp_path):
    train(settings_of(tmp_path / "out", save_every=100))
    (tmp_path / "out" / ".last.ckpt.part").write_bytes(b"half")
    with pytest.warns(UserWarning, match="another length"):
        task, _ = train(settings_of(tmp_path / "out", resume=True, save_every=100, steps=14))
    assert [batch for batch, _ in calls(task, "step")] == [12, 13]
    assert not (tmp_path / "out" / ".last.ckpt.part").exists()


def test_a_task_that_is_done_after_a_validation_ends_the_training_there(tmp_path, monkeypatch):
    monkeypatch.setattr(ToyTask, "is_done", lambda self: len(calls(self, "step")) >= 6)
    _, run = train(settings_of(tmp_path, accumulate=1, validate_every=4))
    assert run.batches == 8 and run.rows[-1]["step"] == 8


def test_a_budget_of_minutes_ends_the_training_by_the_clock(tmp_path):
    now = [50.0]

    def report(done, total):
        now[0] += 6.0

    _, run = train(settings_of(tmp_path, steps=None, minutes=1.0), begun=40.0, clock=lambda: now[0], report=report)
    assert run.batches == 9  # 10 s were gone, 6 s follow each batch, and at 58 s the last two are kept back


def test_the_nearer_of_batches_and_minutes_ends_it(tmp_path):
    _, run = train(settings_of(tmp_path, steps=3, minutes=1000.0))
    assert run.batches == 3


def test_accumulated_batches_make_one_step_and_its_gradient_is_their_mean(tmp_path):
    single, _ = train(settings_of(tmp_path / "a", steps=4))
    task, _ = train(settings_of(tmp_path / "b", steps=4, accumulate=2))
    assert len(calls(task, "after")) == 2 and len(calls(single, "after")) == 4
    assert [step for step, _ in calls(task, "before")] == [0, 1]


def test_each_group_of_parameters_has_its_share_of_the_rate(tmp_path):
    task, _ = train(settings_of(tmp_path, steps=4))
    rates = [0.1 * (1 - n / 4) for n in range(4)]
    assert calls(task, "before") == [(n, [rate, 0.5 * rate]) for n, rate in enumerate(rates)]


def test_the_task_is_opened_once_with_its_place_and_hears_how_far_it_is(tmp_path):
    task, _ = train(settings_of(tmp_path, steps=4))
    assert calls(task, "open") == [(0, 1, "cpu")]
    assert calls(task, "step") == [(0, 0.0), (1, 0.25), (2, 0.5), (3, 0.75)]


def test_random_numbers_of_a_step_leave_the_caller_s_alone(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)

    def report(done, total):
        if done == 1:
            torch.manual_seed(5)

    train(settings_of(tmp_path, steps=2), report=report)
    assert torch.equal(torch.rand(3), expected)


def test_a_loss_that_is_not_finite_names_its_batch(tmp_path):
    with pytest.raises(TrainingFailedError, match=r"the loss must stay finite, got inf in batch 1; .* lower --rate"):
        train(settings_of(tmp_path, noise=1e30))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": None}, "needs an end; give --steps, --minutes, or both"),
        ({"batch": 0}, "--batch must be positive and finite, got 0"),
        ({"rate": 0.0}, "--rate must be positive"),
        ({"warmup": -1}, "--warmup must be 0 or more"),
    ],
)
def test_a_length_that_cannot_be_is_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        train(settings_of(tmp_path, **changes))


@pytest.mark.parametrize("module", ["lightning", "tensorboard"])
def test_without_the_extra_there_is_a_sentence(tmp_path, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BackendUnavailableError, match=rf"needs {module}, .* pip install 'xraykit-render\[train\]'"):
        train(settings_of(tmp_path))


def test_the_core_s_defaults_are_a_length_without_an_end():
    assert (LengthSettings().steps, LengthSettings().minutes) == (None, None)


def test_a_task_without_a_step_cannot_be_made():
    class Half(TrainingTask):
        def optimizer(self):
            return None

    with pytest.raises(TypeError, match=r"abstract methods .*rate.*save.*step"):
        Half()


def test_an_interrupt_stays_one_and_the_next_is_heard_too(tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGINT)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(ToyTask, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(settings_of(tmp_path))
    assert signal.getsignal(signal.SIGINT) is before
