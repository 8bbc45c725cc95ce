"""What a network mistook, beside what it has learnt from: sheets for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor
from xraykit.render.pictures import montage, save_png, to_grey

if TYPE_CHECKING:
    from .realism import Xrays

MOST = 16  # mistakes on a sheet


def save_mistakes(folder: Path, tested: Xrays, seen: Xrays, belief: Tensor, classes: Sequence[str]) -> str:
    """Write a sheet of mistaken images, each above a procedural image of the same view or class; say where it is.

    Args:
        folder: Where to.
        tested: Images with their truth.
        seen: What the network was trained on.
        belief: (N, classes).
        classes: Their names.
    """
    said = belief.argmax(1)
    wrong = (said != tested.truth).nonzero()[:, 0].tolist()
    if not wrong:
        return f"{tested.name}: no mistakes"
    chosen = [wrong[n] for n in np.linspace(0, len(wrong) - 1, min(MOST, len(wrong))).astype(int)]
    columns, captions = [], []
    for n in chosen:
        truth = int(tested.truth[n])
        columns.append(np.concatenate([picture(tested.images[n]), picture(seen.images[like(n, tested, seen)])]))
        percent = 100 * float(belief[n, said[n]])
        captions.append(f"{tested.views[n]} ({classes[truth]}) as {classes[int(said[n])]} {percent:.0f} %")
    half = -(-len(columns) // 2)
    sheets = [montage(columns[k : k + half], captions[k : k + half], size=11) for k in range(0, len(columns), half)]
    width = min(sheet.shape[1] for sheet in sheets)
    path = folder / f"mistakes_{tested.name.replace(' ', '_').replace(',', '')}.png"
    save_png(path, np.concatenate([sheet[:, :width] for sheet in sheets]))
    return f"{tested.name}: {len(wrong)} mistakes, {len(chosen)} of them in {path}"


def like(n: int, tested: Xrays, seen: Xrays) -> int:
    """A training image of the same view, else of the same class."""
    same_view = [m for m, view in enumerate(seen.views) if view == tested.views[n] != "random"]
    same = [m for m in same_view if seen.truth[m] == tested.truth[n]]
    return (same or (seen.truth == tested.truth[n]).nonzero()[:, 0].tolist())[0]


def picture(image: Tensor) -> np.ndarray:
    """Bone bright, for the eye."""
    return to_grey(image[0])
