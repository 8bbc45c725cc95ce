"""The iBOT loss: from what it sees around a patch that is masked, the student tells what the teacher sees in it."""

from __future__ import annotations

import torch
from torch import Tensor

from xraykit.render import InputError

from .cross_entropy import soft_cross_entropy


def masked_patch_loss(
    student: Tensor, teacher_probabilities: Tensor, masked: Tensor, *, temperature: float = 0.1
) -> Tensor:
    r"""Cross-entropy at masked patches, the mean over those of an image and then over all images of the batch.

        loss = 1/B sum_b 1/M_b sum_(p masked) -q_bp log softmax(s_bp / temperature)

    An image without masked patches adds 0 and counts in B, as in DINOv2.

    Args:
        student: Logits at the masked patches in the order of `masked`, (M, K).
        teacher_probabilities: Of the same patches, which the teacher sees, (M, K).
        masked: Which patches the student did not see, (B, P) bool with M true.
        temperature: Of the student, above 0.

    Returns:
        A scalar, in float32 for half precision.

    Raises:
        InputError: Shapes that differ, a temperature that is not above 0.

    Gradients: to the student's logits; first derivatives only.

    Source: Zhou et al., iBOT, 2022; Oquab et al., DINOv2, 2023.
    """
    if masked.ndim != 2 or student.ndim != 2 or student.shape != teacher_probabilities.shape:
        raise InputError(
            "patch logits and probabilities must be (masked patches, prototypes) and the mask (images, patches), got "
            f"{tuple(student.shape)}, {tuple(teacher_probabilities.shape)} and {tuple(masked.shape)}."
        )
    if not temperature > 0:
        raise InputError(f"the student's temperature must be above 0, got {temperature}.")
    image = masked.nonzero()[:, 0]
    if len(image) != len(student):
        raise InputError(f"the mask must have one patch for each of {len(student)} logits, got {len(image)}.")
    count = masked.sum(1).clamp_min(1)
    weight = 1 / (count[image] * len(masked)).to(torch.promote_types(student.dtype, torch.float32))
    return soft_cross_entropy(student[None], [teacher_probabilities], weight, temperature=temperature)
