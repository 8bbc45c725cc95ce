"""What a job leaves out is named at its end, each thing once, and its exit status says so."""

import pytest
from xraykit.render import FileError, InputError, OutputError
from xraykit.render.commands import INCOMPLETE, LeftOut, say_left_out


def test_nothing_left_out_is_success_without_a_word(capsys):
    assert say_left_out([]) == 0
    assert capsys.readouterr().err == ""


def test_each_input_is_named_once_and_many_are_counted(capsys):
    assert say_left_out([("a.dcm", "torn"), ("a.dcm", "torn"), ("b.dcm", "empty")]) == INCOMPLETE
    said = capsys.readouterr().err.splitlines()
    assert said == ["xraykit: warning: a.dcm was left out: torn", "xraykit: warning: b.dcm was left out: empty"]
    say_left_out((f"{n}.dcm", "torn") for n in range(43))
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 41 and said[-1] == "xraykit: warning: 3 more were left out."


def test_inputs_are_left_out_until_none_is_good():
    left_out = LeftOut()
    for name in ("a", "b"):
        with left_out.going_on(name):
            raise FileError(f"{name} is torn.")
    assert left_out.found == [("a", "a is torn."), ("b", "b is torn.")]
    left_out.check(1)
    with pytest.raises(FileError, match="a is torn"):
        left_out.check(0)


@pytest.mark.parametrize("error", [OutputError("the disk is full."), ZeroDivisionError(), KeyboardInterrupt()])
def test_what_concerns_all_inputs_and_what_is_a_bug_ends_the_job(error):
    with pytest.raises(type(error)), LeftOut().going_on("a"):
        raise error


def test_a_job_that_leaves_nothing_out_ends_at_the_first():
    with pytest.raises(InputError, match="torn"), LeftOut(none=True).going_on("a"):
        raise InputError("torn.")
