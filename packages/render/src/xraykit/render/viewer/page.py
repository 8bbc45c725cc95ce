"""What the page tells: the monitor with its readout, what 3D shows, the save button's answer, the projector."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..pictures.edge_letters import SIDES
from .picture import MONITOR, ViewerFrame
from .state import ViewerState, angles_in_words

if TYPE_CHECKING:
    from viser import ViserServer

MONITOR_WIDTH = 440  # CSS pixels
MISSED = "The beam misses the patient: turn the C-arm or move the isocentre."
QUALITY = 88  # of the JPEG on its way to the page


class Page:
    """Monitor and messages.

    Args:
        server: The page.
        backends: What `explain_backend` says.
        surfaces: Handles in 3D by the words of their check boxes.
        save: Called by the save button.
    """

    def __init__(
        self, server: ViserServer, *, backends: str, surfaces: Mapping[str, Any], save: Callable[[], None]
    ) -> None:
        gui = server.gui
        gui.configure_theme(dark_mode=True, show_logo=False, show_share_button=False, control_width="medium")
        panel = gui.add_panel()
        with panel.add_tab("X-ray"):
            black = np.zeros((MONITOR, MONITOR, 3), np.uint8)
            self.monitor = gui.add_image(black, format="jpeg", jpeg_quality=QUALITY)
            self._trouble = gui.add_html("")
            self._readout = gui.add_html("")
        panel.dock_left()
        panel.set_width(MONITOR_WIDTH)
        gui.main_panel.dock_right()
        gui.add_button("Save pose and picture", color="blue").on_click(lambda _: save())
        self.message = self.trouble = ""
        self._answer = gui.add_html("")
        with gui.add_folder("Show in 3D", expand_by_default=False):
            for words, handle in surfaces.items():
                _show_if(gui.add_checkbox(words, True), handle)
        with gui.add_folder("Projector", expand_by_default=False):
            gui.add_html(f"<pre style='font-size:.75em;white-space:pre-wrap;margin:.5em'>{html.escape(backends)}</pre>")

    def say(self, text: str) -> None:
        """Show one line below the save button."""
        self.message = text
        self._answer.content = _line(text)

    def complain(self, text: str) -> None:
        """Say below the monitor why the picture does not follow; nothing if it does."""
        if text != self.trouble:
            self.trouble = text
            self._trouble.content = _line(text, color="#f4b23c") if text else ""

    def describe(self, state: ViewerState, frame: ViewerFrame, speed: float) -> None:
        """Put what the picture is into words."""
        latest = 1000 * sum(frame.seconds)
        low, high = frame.window
        at_isocentre = state.field / state.magnification
        self._readout.content = rows(
            [
                ("C-arm", angles_in_words(state)),
                ("Source to isocentre", f"{state.sod:g} mm, to detector {state.sdd:g} mm"),
                ("Magnification", f"{state.magnification:.2f} at the isocentre"),
                ("Field", f"{state.field:g} mm, at the isocentre {at_isocentre:.0f} mm"),
                ("Source at", _place(frame.pose[0, :3, 3].tolist())),
                ("Window", f"level {(low + high) / 2:.2f}, width {high - low:.2f} (line integral)"),
                ("Picture", "mirrored for reading" if state.mirrored else "as the tube sees it"),
                ("Speed", f"{speed:.1f} frames/s, this one in {latest:.0f} ms"),
            ]
        )


def _place(point: Sequence[float]) -> str:
    """A world point by the patient's directions, "L 20  A 725  H 185 mm"."""
    signed = zip(point, SIDES, strict=True)
    return "  ".join(f"{plus if value >= 0 else minus} {abs(value):.0f}" for value, (plus, minus) in signed) + " mm"


def _show_if(box: Any, handle: Any) -> None:
    @box.on_update
    def toggle(_: object) -> None:
        handle.visible = box.value


def rows(pairs: Sequence[tuple[str, str]]) -> str:
    """Pairs as a small HTML table; whatever they hold is shown as text."""
    cells = "".join(
        f"<tr><td style='opacity:.6;padding-right:.8em;white-space:nowrap;vertical-align:top'>{html.escape(name)}</td>"
        f"<td style='font-variant-numeric:tabular-nums'>{html.escape(value)}</td></tr>"
        for name, value in pairs
    )
    return f"<table style='font-size:.85em;line-height:1.4;margin:.3em .8em'>{cells}</table>"


def _line(text: str, *, color: str = "inherit") -> str:
    style = f"font-size:.85em;margin:.4em .8em;overflow-wrap:anywhere;color:{color}"
    return f"<div style='{style}'>{html.escape(text)}</div>"
