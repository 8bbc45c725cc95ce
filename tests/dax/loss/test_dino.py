"""The loss is the mean cross-entropy over all pairs of different views, in value and gradient."""

import math

import pytest
import torch
from xraykit.dax.loss import Center, dino_loss, view_statistics
from xraykit.render import InputError

VIEWS, BATCH, PROTOTYPES = 6, 5, 37


def student_and_teacher(seed=0, *, dtype=torch.float64, views=VIEWS, teachers=2, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    student = scale * torch.randn(views * BATCH, PROTOTYPES, generator=generator, dtype=torch.float64)
    logits = torch.randn(teachers, BATCH, PROTOTYPES, generator=generator, dtype=torch.float64)
    return student.to(dtype).requires_grad_(), list(torch.softmax(logits / 0.3, dim=-1).to(dtype))


def all_pairs(student, teacher, temperature=0.1):
    """The published loop, written again."""
    views = (student / temperature).unflatten(0, (-1, len(teacher[0])))
    terms = [
        -(q * torch.log_softmax(view, dim=-1)).sum(-1).mean()
        for i, q in enumerate(teacher)
        for j, view in enumerate(views)
        if i != j
    ]
    return sum(terms) / len(terms)


@pytest.mark.parametrize("teachers", [1, 2, 3])
def test_loss_and_gradient_are_those_of_the_loop_over_all_pairs(teachers):
    student, teacher = student_and_teacher(teachers=teachers)
    ours, loop = dino_loss(student, teacher), all_pairs(student, teacher)
    torch.testing.assert_close(ours, loop, rtol=1e-12, atol=0)
    gradients = [torch.autograd.grad(3 * loss, student)[0] for loss in (ours, loop)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-14)


def test_views_in_a_list_are_the_same_as_below_each_other():
    student, teacher = student_and_teacher()
    views = student.chunk(VIEWS)
    one, other = dino_loss(student, teacher), dino_loss(views, torch.stack(teacher))
    assert one.item() == pytest.approx(other.item(), rel=1e-14)
    gradients = [torch.autograd.grad(loss, student)[0] for loss in (one, other)]
    torch.testing.assert_close(*gradients, rtol=0, atol=1e-15)


def test_the_analytic_gradient_is_that_of_finite_differences():
    student, teacher = student_and_teacher(scale=0.2)
    assert torch.autograd.gradcheck(lambda logits: dino_loss(logits, teacher), student)


def test_rows_worked_on_one_by_one_give_what_all_together_give(monkeypatch):
    student, teacher = student_and_teacher(1)
    whole = torch.autograd.grad(dino_loss(student, teacher), student)[0]
    monkeypatch.setattr("xraykit.dax.loss.cross_entropy.CACHED", 2 * PROTOTYPES)
    torch.testing.assert_close(torch.autograd.grad(dino_loss(student, teacher), student)[0], whole)


def test_a_student_and_a_teacher_that_know_nothing_have_the_logarithm_of_the_prototypes():
    teacher = [torch.full((BATCH, PROTOTYPES), 1 / PROTOTYPES)] * 2
    student = torch.full((VIEWS * BATCH, PROTOTYPES), 0.7)
    assert dino_loss(student, teacher).item() == pytest.approx(math.log(PROTOTYPES), rel=1e-6)
    found = view_statistics(student, teacher)
    assert found["student_entropy"].item() == pytest.approx(math.log(PROTOTYPES), rel=1e-6)
    assert found["teacher_entropy"].item() == pytest.approx(math.log(PROTOTYPES), rel=1e-6)
    assert found["kl"].item() == pytest.approx(0, abs=1e-5)


def test_loss_of_equal_views_is_their_entropy_and_has_no_gradient():
    logits = torch.randn(BATCH, PROTOTYPES, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    q = torch.softmax(logits / 0.1, dim=-1)
    student = logits.repeat(VIEWS, 1).requires_grad_()
    loss = dino_loss(student, [q, q])
    entropy = -(q * q.log()).sum(-1).mean()
    assert loss.item() == pytest.approx(entropy.item(), rel=1e-12)
    assert torch.autograd.grad(loss, student)[0].abs().max() < 1e-15


def test_a_view_never_learns_from_itself():
    student, teacher = student_and_teacher(views=2)
    one = torch.autograd.grad(dino_loss(student, teacher), student)[0].chunk(2)[0]
    changed = [teacher[0].roll(1, dims=1), teacher[1]]
    torch.testing.assert_close(torch.autograd.grad(dino_loss(student, changed), student)[0].chunk(2)[0], one)


def test_large_logits_neither_overflow_nor_vanish():
    student, teacher = student_and_teacher(dtype=torch.float32, scale=1e4)
    loss = dino_loss(student, teacher)
    assert loss.item() == pytest.approx(all_pairs(student.double(), [q.double() for q in teacher]).item(), rel=1e-6)
    assert torch.autograd.grad(loss, student)[0].isfinite().all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_summed_in_float32(dtype):
    student, teacher = student_and_teacher(dtype=dtype)
    exact = all_pairs(student.double(), [q.double() for q in teacher])
    loss = dino_loss(student, [q.float() for q in teacher])
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(exact.item(), rel=1e-6)
    gradient = torch.autograd.grad(loss, student)[0]
    assert gradient.dtype == dtype


def test_a_scaled_loss_keeps_gradients_that_half_precision_would_lose():
    student = torch.zeros(4 * BATCH, 4096, dtype=torch.float16, requires_grad=True)
    teacher = torch.full((2, BATCH, 4096), 2 / 4096)
    teacher[..., 2048:] = 0
    gradient = torch.autograd.grad(dino_loss(student, teacher) * 2**24, student)[0]
    assert (gradient != 0).all()
    assert gradient[0, 0].item() == pytest.approx(-(2**24) / 4096 / (6 * BATCH * 0.1), rel=1e-3)


def test_the_graph_may_be_walked_twice():
    student, teacher = student_and_teacher()
    leaf = student.detach().clone().requires_grad_()
    loss = dino_loss(leaf, teacher)
    loss.backward(retain_graph=True)
    once = leaf.grad.clone()
    loss.backward()
    torch.testing.assert_close(leaf.grad, 2 * once)


def test_without_gradients_the_loss_is_the_same():
    student, teacher = student_and_teacher()
    with torch.no_grad():
        loss = dino_loss(student, teacher)
    assert not loss.requires_grad
    torch.testing.assert_close(loss, dino_loss(student, teacher).detach(), rtol=0, atol=0)


def test_the_teacher_gets_no_gradient():
    student, teacher = student_and_teacher()
    watched = [q.requires_grad_() for q in teacher]
    dino_loss(student, watched).backward()
    assert all(q.grad is None for q in watched)


def test_statistics_are_those_of_the_published_loop():
    student, teacher = student_and_teacher(dtype=torch.float32)
    views = torch.softmax(student.detach().unflatten(0, (VIEWS, -1)) / 0.1, dim=-1).clamp_min(1e-10)
    pairs = [(q.clamp_min(1e-10), p) for i, q in enumerate(teacher) for j, p in enumerate(views) if i != j]
    expected = {
        "student_entropy": torch.stack([-(p * p.log()).sum(-1).mean() for _, p in pairs]).mean(),
        "teacher_entropy": torch.stack([-(q * q.log()).sum(-1).mean() for q, _ in pairs]).mean(),
        "kl": torch.stack([(q * (q / p).log()).sum(-1).mean() for q, p in pairs]).mean(),
    }
    found = view_statistics(student, teacher)
    assert set(found) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6)


def test_loss_is_teacher_entropy_and_divergence_together():
    student, teacher = student_and_teacher(scale=0.05)
    found = view_statistics(student, teacher)
    assert dino_loss(student, teacher).item() == pytest.approx(
        (found["teacher_entropy"] + found["kl"]).item(), rel=1e-4
    )


@pytest.mark.peer
def test_lightly_finds_the_same_loss_gradient_and_centre():
    losses = pytest.importorskip("lightly.loss")
    peer = losses.DINOLoss(PROTOTYPES, teacher_temp=0.04, warmup_teacher_temp_epochs=0).double()
    generator = torch.Generator().manual_seed(5)
    center = Center(PROTOTYPES).double()
    for _ in range(3):
        logits = torch.randn(2, BATCH, PROTOTYPES, generator=generator, dtype=torch.float64)
        student = torch.randn(VIEWS, BATCH, PROTOTYPES, generator=generator, dtype=torch.float64, requires_grad=True)
        ours = dino_loss(student, center.probabilities(logits, 0.04))
        center.update(logits)
        theirs = peer(list(logits), list(student), teacher_temp=0.04)
        # Its temperature is a float32 number.
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=0)
        gradients = [torch.autograd.grad(loss, student)[0] for loss in (ours, theirs)]
        torch.testing.assert_close(*gradients, rtol=0, atol=1e-6)
    torch.testing.assert_close(center.center, peer.center[0])


@pytest.mark.parametrize(
    ("student", "teacher", "temperature", "match"),
    [
        (torch.zeros(7, 3), torch.zeros(2, 2, 3), 0.1, r"views of \(2, 3\) below each other, got \(7, 3\)"),
        ([torch.zeros(2, 3), torch.zeros(2, 4)], torch.zeros(2, 2, 3), 0.1, r"alike, got \(2, 3\) and \(2, 4\)"),
        (torch.zeros(2, 3), torch.zeros(1, 2, 3), 0.1, "at least 2 views .* got 1"),
        (torch.zeros(4, 3), torch.zeros(3, 2, 3), 0.1, "all of the teacher's 3, got 2"),
        (torch.zeros(4, 3), [], 0.1, "at least one view of the teacher"),
        (torch.zeros(4, 3), torch.zeros(2, 2, 3), 0.0, "temperature must be above 0, got 0"),
    ],
)
def test_views_that_do_not_fit_are_refused(student, teacher, temperature, match):
    with pytest.raises(InputError, match=match):
        dino_loss(student, teacher, temperature=temperature)
