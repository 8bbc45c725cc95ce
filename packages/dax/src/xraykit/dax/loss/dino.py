"""The DINO loss: the student's view of an image predicts the teacher's other view of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from xraykit.render import InputError

from .cross_entropy import soft_cross_entropy, softmax_parts

LEAST = 1e-10
"""Probability below which the published statistics count a probability as this."""


def dino_loss(
    student: Tensor | Sequence[Tensor], teacher_probabilities: Sequence[Tensor] | Tensor, *, temperature: float = 0.1
) -> Tensor:
    r"""Cross-entropy between each view of the teacher and each other view of the student.

        loss = -1 / (B n) sum_b sum_i sum_(j != i) q_ib log softmax(s_jb / temperature)

    over teacher views i and student views j; n = T V - T pairs. The sum over i is taken first (Q_j = sum_(i != j) q_i),
    so a student view costs one softmax, whatever the number of pairs.

    Args:
        student: Logits of V views, the teacher's T views first: V of (B, K), or as a head gives them, (V B, K).
        teacher_probabilities: T of (B, K), each row a distribution; without gradient.
        temperature: Of the student, above 0.

    Returns:
        A scalar; in float32 for half precision. ln K where both know nothing.

    Raises:
        InputError: Fewer than two views, shapes that differ, a temperature that is not above 0.

    Gradients: to the student's logits; first derivatives only.

    Source: Caron et al., Emerging properties in self-supervised vision transformers, 2021, equation 3.
    """
    teacher = list(teacher_probabilities)
    views = student_views(student, teacher)
    if not temperature > 0:
        raise InputError(f"the student's temperature must be above 0, got {temperature}.")
    everything = _sum(teacher, teacher[0])
    others = [_sum(teacher[:j] + teacher[j + 1 :], everything) for j in range(len(teacher))]
    targets = others + [everything] * (len(views) - len(teacher))
    batch, pairs = len(teacher[0]), len(teacher) * (len(views) - 1)
    weight = everything.new_full((batch,), 1 / (batch * pairs))
    return soft_cross_entropy(views, targets, weight, temperature=temperature)


@torch.no_grad()
def view_statistics(
    student: Tensor | Sequence[Tensor], teacher_probabilities: Sequence[Tensor] | Tensor, *, temperature: float = 0.1
) -> dict[str, Tensor]:
    """What tells a collapse: mean entropies of student and teacher, and KL(teacher | student), over the loss's pairs.

    Probabilities below 1e-10 count as 1e-10, as published.

    Args:
        student: As in `dino_loss`.
        teacher_probabilities: As there.
        temperature: As there.

    Returns:
        "student_entropy", "teacher_entropy" and "kl", scalars in nats; entropies up to ln K.
    """
    teacher = [view.float().clamp_min(LEAST) for view in teacher_probabilities]
    views = student_views(student, teacher)
    entropy = -torch.stack([(view * view.log()).sum(-1).mean() for view in teacher]).mean()
    everything = _sum(teacher, teacher[0])
    own, cross = entropy.new_zeros(()), entropy.new_zeros(())
    for j, view in enumerate(views):
        count = len(teacher) - (j < len(teacher))
        target = everything - teacher[j] if j < len(teacher) else everything
        for part, scaled, p, lse in softmax_parts(view, temperature, torch.float32):
            logs = scaled.sub_(lse).clamp_min_(math.log(LEAST))
            own -= count * p.clamp_min_(LEAST).mul_(logs).sum()
            cross -= logs.mul_(target[part]).sum()
    terms = len(teacher) * (len(views) - 1) * len(everything)
    return {"student_entropy": own / terms, "teacher_entropy": entropy, "kl": cross / terms - entropy}


def _sum(teacher: list[Tensor], like: Tensor) -> Tensor:
    return torch.stack(teacher).sum(0) if teacher else torch.zeros_like(like)


def student_views(student: Tensor | Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
    """The student's logits (V, B, K), checked against the teacher's probabilities."""
    if not teacher:
        raise InputError("the loss needs at least one view of the teacher, got none.")
    shape = teacher[0].shape
    if isinstance(student, Tensor) and student.ndim == 2:
        if len(shape) != 2 or len(student) % shape[0]:
            raise InputError(
                f"the student's logits must be views of {tuple(shape)} below each other, got {tuple(student.shape)}."
            )
        student = student.unflatten(0, (-1, shape[0]))
    views = student if isinstance(student, Tensor) else list(student)
    odd = [tuple(view.shape) for view in (*views, *teacher) if view.shape != shape or len(shape) != 2]
    if odd:
        raise InputError(f"all views must be (batch, prototypes) and alike, got {tuple(shape)} and {odd[0]}.")
    if len(views) < 2 or len(views) < len(teacher):
        raise InputError(
            f"a student must see at least 2 views and all of the teacher's {len(teacher)}, got {len(views)}."
        )
    return views if isinstance(views, Tensor) else torch.stack(views)
