"""The arteries of the arm."""

from __future__ import annotations

from ..body.figure import Figure
from ..body.skeleton import Side
from ..canvas import tube


def paint_arteries(figure: Figure, side: Side) -> None:
    """Brachial artery with its two branches, where contrast agent fills them."""
    if figure.contrast <= 0:
        return
    lines = (
        ("humerus", [(-16, 4, -30), (-15, 8, -110), (-12, 14, -200), (-6, 20, -280), (0, 18, -300)], 2.3),
        ("forearm", [(-1, 18, -10), (-4, 14, -50), (-14, 8, -110), (-17, 9, -180), (-17, 9, -245)], 1.6),
        ("radius", [(3, 18, -30), (16, 15, -80), (22, 12, -150), (19, 11, -215), (20, 12, -250)], 1.5),
    )
    for frame, line, radius in lines:
        chart = figure.chart(f"{frame}_{side}")
        region, distance = tube(chart, line, radius)
        chart.paint(region, distance, 45.0 + figure.contrast)
