"""The teacher is the running average of the student's parameters; its buffers are its own."""

import pytest
import torch
from torch import nn
from xraykit.dax.train.teacher import start_teacher, update_teacher
from xraykit.render import InputError


def network(seed: int, width: int = 3) -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width), nn.Linear(width, 2))


def test_a_teacher_begins_as_its_student_and_never_learns_by_gradient():
    teacher, student = network(0), network(1)
    start_teacher(teacher, student)
    assert all(torch.equal(t, s) for t, s in zip(teacher.parameters(), student.parameters(), strict=True))
    assert not any(p.requires_grad for p in teacher.parameters())
    assert all(p.requires_grad for p in student.parameters())
    assert teacher.training


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.996, 1.0])
def test_an_update_is_the_weighted_mean_of_the_parameters(momentum):
    teacher, student = network(0), network(1)
    before = [p.detach().clone() for p in teacher.parameters()]
    update_teacher(teacher, student, momentum)
    for old, new, fast in zip(before, teacher.parameters(), student.parameters(), strict=True):
        torch.testing.assert_close(new.detach(), momentum * old + (1 - momentum) * fast.detach())


def test_running_statistics_stay_the_teachers_own():
    teacher, student = network(0), network(1)
    start_teacher(teacher, student)
    student(torch.randn(8, 3, generator=torch.Generator().manual_seed(0)) + 5)
    update_teacher(teacher, student, 0.5)
    assert (teacher[1].running_mean == 0).all()
    assert (student[1].running_mean != 0).all()


def test_other_momenta_and_other_networks_are_refused():
    with pytest.raises(InputError, match=r"momentum of a teacher .* got 1\.1"):
        update_teacher(network(0), network(1), 1.1)
    with pytest.raises(InputError, match="must have its student's parameters"):
        update_teacher(network(0), network(1, width=4), 0.5)
    with pytest.raises(InputError, match="built as its student is"):
        start_teacher(network(0), network(1, width=4))
