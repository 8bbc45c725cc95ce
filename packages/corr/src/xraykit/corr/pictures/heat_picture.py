"""Points of some views, and where they may lie in the others, as colour over the X-rays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from xraykit.render.pictures import colours, montage

from ..predictor.matches import Matches
from ..predictor.point_heat import PointHeat
from ..predictor.view_letters import view_letter
from .match_picture import named
from .panel import ViewPanel

OPACITY = 0.8
FAINT = 0.02  # probability below which even the best place is not drawn in full colour
LISTED = 3  # points told below a panel
RING = 6  # [px]


class QueryPoint(NamedTuple):
    """A point of a view, x right and y down in its original image [px]."""

    view: int
    x: float
    y: float


def draw_heat(matches: Matches, points: Sequence[QueryPoint]) -> NDArray[np.uint8]:
    """All views side by side: a point is a cross in its own view and heat of its colour in the others.

    The heat of a point is its probability over the largest that it has in any other view; a ring marks the best place
    of each view, whose probability stands below.

    Args:
        matches: The views.
        points: One or more.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InputError: No such view, or a point outside its image.
    """
    found = [matches.query(*point) for point in points]
    palette = colours(len(points))
    pictures, captions = [], []
    for view in range(len(matches.xrays)):
        panel = ViewPanel(matches.xrays[view])
        heats = [None if point.view == view else heat[view] for point, heat in zip(points, found, strict=True)]
        peaks = [max(float(h.probability.max()) for h in heat.values()) for heat in found]
        picture = panel.grey()
        for heat, peak, colour in zip(heats, peaks, palette, strict=True):
            if heat is not None:
                picture = _tinted(picture, panel, heat, peak, colour)
        pictures.append(_marked(picture, panel, view, points, heats, palette))
        captions.append(_caption(matches, view, points, heats))
    return montage(pictures, captions)


def _tinted(
    picture: NDArray[np.float64], panel: ViewPanel, heat: PointHeat, peak: float, colour: tuple[int, int, int]
) -> NDArray[np.float64]:
    height, width = panel.shape
    values = Image.fromarray(heat.map()).resize((width, height), Image.Resampling.BILINEAR)
    share = OPACITY * np.clip(np.asarray(values) / max(peak, FAINT), 0, 1)[..., None]
    return picture * (1 - share) + np.array(colour) * share


def _marked(
    picture: NDArray[np.float64],
    panel: ViewPanel,
    view: int,
    points: Sequence[QueryPoint],
    heats: Sequence[PointHeat | None],
    palette: Sequence[tuple[int, int, int]],
) -> NDArray[np.uint8]:
    canvas = Image.fromarray(np.round(picture).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    for point, heat, colour in zip(points, heats, palette, strict=True):
        if point.view == view:
            x, y = panel.point(point.x, point.y)
            draw.line((x - RING, y, x + RING, y), fill=colour, width=2)
            draw.line((x, y - RING, x, y + RING), fill=colour, width=2)
        elif heat is not None and (best := heat.places(1)):
            x, y = panel.point(best[0].x, best[0].y)
            draw.ellipse((x - RING, y - RING, x + RING, y + RING), outline=(255, 255, 255))
    return np.asarray(canvas)


def _caption(matches: Matches, view: int, points: Sequence[QueryPoint], heats: Sequence[PointHeat | None]) -> str:
    said = []
    for n, (point, heat) in enumerate(zip(points, heats, strict=True), start=1):
        if heat is None:
            said.append(f"point {n} at {point.x:.0f}, {point.y:.0f}")
        elif best := heat.places(1):
            where = f"{best[0].x:.0f}, {best[0].y:.0f}"
            said.append(f"point {n} from {view_letter(point.view)}: {best[0].probability:.2f} at {where}")
    more = [f"and {len(said) - LISTED} points more"] if len(said) > LISTED else []
    lows = [score for pair, score in matches.overlap.items() if view in pair]
    overlap = f"overlap {min(lows):.2f}" if len(matches.xrays) == 2 else f"least overlap {min(lows):.2f}"
    return "\n".join([named(matches, view, most=44), *said[:LISTED], *more, overlap])
