"""One question to one X-ray, in the X-ray's own pixels, and many of them as a batch for the network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from xraykit.render import InputError

from ..data.padded_square import PaddedSquare
from ..network.prompts import ABSENT, NEGATIVE, POSITIVE, PromptBatch, mask_prompts
from .segmentation import Segmentation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST_POINTS = 1000
SURE = 8.0  # logit of a pixel in a mask that is a plain yes or no


@dataclass(frozen=True, eq=False)
class Prompt:
    """What is asked of an X-ray: words, points, a box and a mask, in any combination.

    Coordinates are pixels of the X-ray, x right and y down, the centre of the first pixel (0.5, 0.5).

    Args:
        text: What to find.
        points: (N, 2).
        labels: (N,), 1 inside what is meant and 0 outside of it; None is all 1.
        box: (4,), left, top, right, bottom.
        mask: An earlier answer for this X-ray, its `low_logits` (M, M), or a mask (H, W) bool to start from.
    """

    text: str | None = None
    points: ArrayLike | Tensor | None = None
    labels: ArrayLike | Tensor | None = None
    box: ArrayLike | Tensor | None = None
    mask: Segmentation | ArrayLike | Tensor | None = None

    @property
    def words_alone(self) -> bool:
        """Whether nothing in the image is pointed at: only then may the answer be that it is not visible."""
        return self.points is None and self.box is None and self.mask is None


@dataclass(frozen=True, eq=False)
class PlacedPrompt:
    """A prompt in the pixels of the network's square, checked; on the CPU.

    Args:
        text: What to find, None without words.
        points: (N, 2).
        labels: (N,) whole numbers.
        box: (4,), None without.
        mask: (4 G, 4 G) logits, None without.
    """

    text: str | None
    points: Tensor
    labels: Tensor
    box: Tensor | None
    mask: Tensor | None


def place_prompt(prompt: Prompt, square: PaddedSquare, *, mask_size: int) -> PlacedPrompt:
    """A prompt as the network takes it.

    Args:
        prompt: In the X-ray's pixels.
        square: Where these lie.
        mask_size: M, edge of the network's masks.

    Raises:
        InputError: Nothing asked, a point or a box outside the X-ray or not finite, labels other than 0 and 1, a box
            without extent, or a mask of another size.
    """
    if prompt.text is None and prompt.words_alone:
        raise InputError("a prompt must have text, points, a box or a mask, got none.")
    if prompt.points is None and prompt.labels is not None:
        raise InputError("labels must come with points, got labels alone.")
    points, labels = _points(prompt, square)
    box = None if prompt.box is None else square.boxes_to_square(_box(prompt.box, square))
    mask = None if prompt.mask is None else _mask(prompt.mask, square, mask_size)
    return PlacedPrompt(prompt.text, square.to_square(points), labels, box, mask)


def batch_prompts(prompts: Sequence[PlacedPrompt], features: Tensor | None) -> PromptBatch:
    """P prompts for one image as a batch (1, P, ...); what a prompt does not have is absent there.

    Args:
        prompts: One or more.
        features: (T, D) of the texts of those that have words, in order; None where none has.
    """
    given: dict[str, Any] = {}
    has_text = torch.tensor([one.text is not None for one in prompts])
    if features is not None:
        text = features.new_zeros(len(prompts), features.shape[1])
        text[has_text.to(features.device)] = features
        given |= {"text": text[None], "has_text": has_text[None]}
    most = max(len(one.points) for one in prompts)
    if most:
        points, labels = torch.zeros(len(prompts), most, 2), torch.full((len(prompts), most), ABSENT)
        for row, one in enumerate(prompts):
            points[row, : len(one.points)], labels[row, : len(one.labels)] = one.points, one.labels
        given |= {"points": points[None], "point_labels": labels[None]}
    for many, one_of, kind in (("boxes", "box", (4,)), ("masks", "mask", None)):
        found = [getattr(one, one_of) for one in prompts]
        first = next((value for value in found if value is not None), None)
        if first is not None:
            empty = torch.zeros(kind or tuple(first.shape))
            given[many] = torch.stack([empty if value is None else value for value in found])[None]
            given[f"has_{one_of}"] = torch.tensor([value is not None for value in found])[None]
    return PromptBatch(**given)


def within_box(low: Tensor, prompt: PlacedPrompt, *, size: int) -> Tensor:
    """Logits (C, M, M) of an answer, surely nothing outside the box of its prompt.

    A box is the extent of what is asked for, and its user sees at once where it ends. It limits nothing without a box,
    or where a click says that something outside belongs to it.

    Args:
        low: Over the network's square.
        prompt: With or without box.
        size: S, edge of the square [px].
    """
    if prompt.box is None:
        return low
    left, top, right, bottom = prompt.box.tolist()
    x, y = prompt.points[prompt.labels == POSITIVE].T
    if bool(((x < left) | (x > right) | (y < top) | (y > bottom)).any()):
        return low
    middles = (torch.arange(low.shape[-1]) + 0.5) * (size / low.shape[-1])
    across, down = ((middles >= a) & (middles <= b) for a, b in ((left, right), (top, bottom)))
    return torch.where(down[:, None] & across, low, low.clamp(max=-SURE))


def _points(prompt: Prompt, square: PaddedSquare) -> tuple[Tensor, Tensor]:
    if prompt.points is None:
        return torch.zeros(0, 2), torch.zeros(0, dtype=torch.long)
    points = _numbers(prompt.points, "points")
    if points.ndim != 2 or points.shape[1] != 2 or not 0 < len(points) <= MOST_POINTS:
        raise InputError(f"points must be (N, 2), N from 1 to {MOST_POINTS}, got {tuple(points.shape)}.")
    for x, y in points.tolist():
        if not (0 <= x <= square.width and 0 <= y <= square.height):
            raise InputError(
                f"a point must lie in the image of {square.width} x {square.height} pixels, got {x:g}, {y:g}."
            )
    labels = torch.ones(len(points)) if prompt.labels is None else _numbers(prompt.labels, "labels")
    known = (labels == POSITIVE) | (labels == NEGATIVE)
    if tuple(labels.shape) != (len(points),) or not bool(known.all()):
        raise InputError(
            f"labels must be 1 (inside) or 0 (outside) for each of {len(points)} points, got {_few(labels)}."
        )
    return points.float(), labels.long()


def _box(box: Any, square: PaddedSquare) -> Tensor:
    found = _numbers(box, "a box")
    if tuple(found.shape) != (4,):
        raise InputError(f"a box must be left, top, right, bottom, got {_few(found)}.")
    left, top, right, bottom = found.tolist()
    if not all(map(math.isfinite, (left, top, right, bottom))) or left >= right or top >= bottom:
        raise InputError(
            f"a box must be left, top, right, bottom with left < right and top < bottom, got {_few(found)}."
        )
    if left < 0 or top < 0 or right > square.width or bottom > square.height:
        raise InputError(f"a box must lie in the image of {square.width} x {square.height} pixels, got {_few(found)}.")
    return found.float()


def _mask(mask: Any, square: PaddedSquare, size: int) -> Tensor:
    """(4 G, 4 G) logits of an answer, of low logits (8 G, 8 G), or of a mask of the image."""
    if isinstance(mask, Segmentation):
        if mask.square != square:
            raise InputError("a mask prompt must be an answer for this X-ray, got one for another.")
        mask = mask.low_logits
    found = mask.detach().cpu() if isinstance(mask, Tensor) else torch.as_tensor(mask)
    if found.dtype == torch.bool and tuple(found.shape) == (square.height, square.width):
        inside = square.resized(found[None].float())
        shares = F.interpolate(inside[None], size=(size // 2, size // 2), mode="bilinear", antialias=True)[0, 0]
        return (2 * shares - 1) * SURE
    if tuple(found.shape) != (size, size) or not found.is_floating_point():
        raise InputError(
            f"a mask prompt must be an earlier answer, its low_logits {size}x{size}, or a mask of "
            f"{square.height}x{square.width} bool, got {tuple(found.shape)} {found.dtype}."
        )
    if not bool(torch.isfinite(found).all()):
        raise InputError("a mask prompt must hold finite logits, got NaN or infinity.")
    return mask_prompts(found.float()[None, None])[0, 0]


def _numbers(values: Any, name: str) -> Tensor:
    try:
        found = values.detach().cpu().double() if isinstance(values, Tensor) else torch.as_tensor(values).double()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} must be numbers, got {str(values)[:60]!r}.") from error
    return found


def _few(values: Tensor) -> str:
    return ", ".join(f"{value:g}" for value in values.flatten()[:6].tolist()) or "none"
