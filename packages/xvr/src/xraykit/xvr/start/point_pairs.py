"""Named points of CT and X-ray brought together by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from xraykit.render import InputError

LabelledPoints = Mapping[str, Sequence[float] | Tensor]


def matched(world: LabelledPoints, image: LabelledPoints, *, least: int) -> tuple[tuple[str, ...], Tensor, Tensor]:
    """The names in both, their world points (N, 3) and image points (N, 2), float64.

    Raises:
        InputError: Fewer than `least` names in common, or a coordinate that is not finite.
    """
    names = tuple(name for name in world if name in image)
    if len(names) < least:
        alone = [name for name in (*world, *image) if name not in names]
        raise InputError(
            f"at least {least} landmarks must have the same name in CT and X-ray, got {len(names)}"
            f"{' (' + ', '.join(names) + ')' if names else ''}; in one of them only: {', '.join(alone) or 'none'}."
        )
    if not names:
        return names, torch.zeros(0, 3, dtype=torch.float64), torch.zeros(0, 2, dtype=torch.float64)
    return names, _stacked(world, names, 3, "of the CT"), _stacked(image, names, 2, "of the X-ray")


def _stacked(points: LabelledPoints, names: Sequence[str], size: int, where: str) -> Tensor:
    rows = []
    for name in names:
        row = torch.as_tensor(points[name], dtype=torch.float64).detach().cpu()
        if row.shape != (size,) or not bool(torch.isfinite(row).all()):
            raise InputError(f"landmark {name!r} {where} must be {size} finite coordinates, got {row.tolist()}.")
        rows.append(row)
    return torch.stack(rows)
