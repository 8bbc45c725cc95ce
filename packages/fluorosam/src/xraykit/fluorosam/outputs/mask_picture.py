"""An X-ray with its masks in colour, what was pointed at, and a legend that says how sure each is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from xraykit.render.pictures import legend, montage, overlay

from ..predictor.prompt import Prompt
from ..predictor.segmentation import Segmentation
from ..predictor.xray_input import OpenedXray

LONGEST, SHORTEST = 1400, 500  # [px] of the longer side of a picture
LEGEND_FONT, LETTER = 15, 8  # [px]
MOST_LETTERS = 48
MOST_SAMPLES = 1_000_000
INSIDE, OUTSIDE = (60, 230, 90), (255, 70, 70)


def xray_picture(xray: OpenedXray) -> NDArray[np.uint8]:
    """(H, W) uint8, bone bright, black and white at the 0.5th and the 99.5th percentile."""
    grey = xray.grey if xray.bone == "bright" else -xray.grey
    values = grey.flatten()[:: max(1, grey.numel() // MOST_SAMPLES)].float()
    low, high = torch.quantile(values, torch.tensor([0.005, 0.995])).tolist()
    shares = ((grey.float() - low) / max(high - low, 1e-12)).clamp(0, 1)
    return (shares * 255).round().to(torch.uint8).numpy()


def draw_answers(xray: OpenedXray, names: Sequence[str], answers: Sequence[Segmentation]) -> NDArray[np.uint8]:
    """Masks over an X-ray with a legend beside it: name and confidence, or that it is not visible.

    Args:
        xray: What was asked.
        names: Of the masks.
        answers: One for each name.

    Returns:
        (H', W', 3) uint8, of a size for screens.
    """
    grey = xray_picture(xray)
    longer = max(grey.shape)
    scale = min(1.0, LONGEST / longer) if longer >= SHORTEST else float(-(-SHORTEST // longer))
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    small = np.asarray(Image.fromarray(grey).resize((width, height), Image.Resampling.BILINEAR))
    masks = {f"{n}": _resized(one.mask, (height, width)) for n, one in enumerate(answers)}
    picture = _pointed(overlay(small, masks), [one.prompt for one in answers], scale)
    lines = [f"{_short(name)}: {_said(one)}" for name, one in zip(names, answers, strict=True)]
    wide = 40 + LETTER * max(map(len, lines), default=0)
    return montage([picture, legend(lines, width=wide, size=LEGEND_FONT)])


def _said(one: Segmentation) -> str:
    return f"{one.confidence:.2f}" if one.visible else "not visible"


def _short(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 3]}..."


def _resized(mask: Tensor, size: tuple[int, int]) -> NDArray[np.bool_]:
    picture = Image.fromarray(mask.numpy())
    return np.asarray(picture.resize((size[1], size[0]), Image.Resampling.NEAREST), dtype=bool)


def _pointed(picture: NDArray[np.uint8], prompts: Sequence[Prompt], scale: float) -> NDArray[np.uint8]:
    """The picture with points as discs, green inside and red outside, and boxes."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for prompt in prompts:
        points = np.asarray(() if prompt.points is None else prompt.points, dtype=float).reshape(-1, 2) * scale
        labels = np.ones(len(points)) if prompt.labels is None else np.asarray(prompt.labels)
        for (x, y), label in zip(points, labels, strict=True):
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=INSIDE if label else OUTSIDE, outline=(0, 0, 0))
        if prompt.box is not None:
            draw.rectangle([float(value) * scale for value in np.asarray(prompt.box)], outline=INSIDE, width=2)
    return np.asarray(image)
