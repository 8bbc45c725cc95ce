"""The teacher: a running average of the student."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from xraykit.render import InputError


def start_teacher(teacher: nn.Module, student: nn.Module) -> None:
    """Give the teacher the student's parameters and buffers, and freeze it.

    It stays in training mode: the running statistics of its batch norms are its own, from the images that it sees.

    Raises:
        InputError: The two differ in more than what has no parameters, such as drop path.
    """
    try:
        teacher.load_state_dict(student.state_dict())
    except RuntimeError as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"a teacher must be built as its student is, with no drop path at most ({cause}).") from error
    teacher.requires_grad_(False)


@torch.no_grad()
def update_teacher(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    r"""Move the teacher's parameters towards the student's: t <- momentum t + (1 - momentum) s; buffers stay.

    Args:
        teacher: Built as the student is.
        student: After its step.
        momentum: 0 (a copy) to 1 (stays).

    Raises:
        InputError: A momentum outside 0 to 1, or networks of different parameters.
    """
    if not 0 <= momentum <= 1:
        raise InputError(f"the momentum of a teacher must lie in 0 to 1, got {momentum}.")
    slow: list[Tensor] = list(teacher.parameters())
    fast: list[Tensor] = list(student.parameters())
    if [p.shape for p in slow] != [p.shape for p in fast]:
        raise InputError(
            f"a teacher must have its student's parameters, got {len(slow)} and {len(fast)} that differ in shape."
        )
    torch._foreach_lerp_(slow, fast, 1 - momentum)  # pyright: ignore[reportPrivateImportUsage]
