"""Two X-rays side by side with lines between the patches that match."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from xraykit.render.pictures import montage

from ..predictor.matches import Matches, PatchMatch
from ..predictor.view_letters import view_letter
from .panel import ViewPanel

GAP = 12  # [px] between the two
FINER = 2  # the picture is drawn so many times larger, so that slanted lines are smooth
PAPER = (18, 21, 26)
HUES = (0.0, 0.78)  # red at the top of the first view to violet at its bottom


def draw_matches(matches: Matches, pair: tuple[int, int], listed: Sequence[PatchMatch]) -> NDArray[np.uint8]:
    """Both views of a pair with its matches as lines, coloured by their height in the first view.

    Lines of one colour that end far apart in height tell of a rotation or of a mistake. The best are drawn last.

    Args:
        matches: The views and what is known of them.
        pair: Numbers of the two views.
        listed: Matches, such as `matches.top()`; those of other pairs are left out.

    Returns:
        (H, W, 3) uint8, with the names, the overlap, and the sentence that doubts it below.
    """
    panels = [ViewPanel(matches.xrays[view]) for view in pair]
    lines = [match for match in listed if match.views == pair]
    return montage([_joined(panels, lines)], [_caption(matches, pair, lines)], title=_title(matches, pair))


def _joined(panels: Sequence[ViewPanel], lines: Sequence[PatchMatch]) -> NDArray[np.uint8]:
    large = [ViewPanel(panel.xray, panel.longest * FINER) for panel in panels]
    height = max(panel.shape[0] for panel in large)
    start = large[0].shape[1] + GAP * FINER
    canvas = Image.new("RGB", (start + large[1].shape[1], height), PAPER)
    for left, panel in zip((0, start), large, strict=True):
        canvas.paste(Image.fromarray(panel.grey().astype(np.uint8)), (left, 0))
    draw, rows = ImageDraw.Draw(canvas), panels[0].xray.size[0]
    for match in sorted(lines, key=lambda match: match.probability):
        colour = _hue(match.a[1] / rows)
        (xa, ya), (xb, yb) = large[0].point(*match.a), large[1].point(*match.b)
        draw.line((xa, ya, start + xb, yb), fill=colour, width=FINER)
        for x, y, left, right in ((xa, ya, 0, start - GAP * FINER), (start + xb, yb, start, canvas.width)):
            box = (max(left, x - 5), max(0, y - 5), min(right - 1, x + 5), min(height - 1, y + 5))
            draw.ellipse(box, outline=colour, width=FINER)
    size = (canvas.width // FINER, canvas.height // FINER)
    return np.asarray(canvas.resize(size, Image.Resampling.LANCZOS))


def _hue(share: float) -> tuple[int, int, int]:
    hue = HUES[0] + (HUES[1] - HUES[0]) * min(max(share, 0.0), 1.0)
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.6, 0.9))
    return red, green, blue


def _title(matches: Matches, pair: tuple[int, int]) -> str:
    return "   ".join(named(matches, view) for view in pair)


def named(matches: Matches, view: int, *, most: int = 28) -> str:
    """A view's letter and the end of its name."""
    name = matches.xrays[view].name
    return f"{view_letter(view)} {name if len(name) <= most else '...' + name[3 - most :]}"


def _caption(matches: Matches, pair: tuple[int, int], lines: Sequence[PatchMatch]) -> str:
    if lines:
        best, least = max(m.probability for m in lines), min(m.probability for m in lines)
        said = f"{len(lines)} best matches of patches, probability {best:.2f} to {least:.2f}"
    else:
        said = "no match reaches the threshold"
    doubt = matches.doubts.get(pair)
    return f"{said}; overlap {matches.overlap[pair]:.2f}" + (f"\n{doubt}" if doubt else "")
