"""The page's sliders and buttons, and what they say as a `ViewerState`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .state import ViewerState

if TYPE_CHECKING:
    from viser import GuiApi

VIEWS_OFFERED = {"AP": "ap", "PA": "pa", "Lat L": "lateral_left", "Lat R": "lateral_right"}
STYLES = {"Bone bright (film)": "bone_bright", "Bone dark (fluoroscopy)": "bone_dark"}
NOTHING = "(nothing)"
CLEAR_OF_DETECTOR = 60.0  # mm that the isocentre keeps from the detector
DARKEST = 14.0  # line integral at the end of the window's sliders: some 70 cm of water


class Controls:
    """The control panel.

    Args:
        gui: Where the widgets go.
        start: What they say at first; size and sdd stay as they are there.
        highlights: Names of the labels on offer.
        changed: Called, on any thread, whenever a widget changes.
    """

    def __init__(
        self, gui: GuiApi, start: ViewerState, *, highlights: Sequence[str], changed: Callable[[], None]
    ) -> None:
        self._start, self._changed = start, changed
        self._lock = threading.Lock()  # a view button moves several sliders; nobody reads halfway
        self._sliders: dict[str, Any] = {}
        self.window = (0.0, 6.0)  # of the latest picture: where the manual window begins
        with gui.add_folder("C-arm"):
            self._views = gui.add_button_group("View", tuple(VIEWS_OFFERED))
            self._views.on_click(self._to_view)
            slide = self._slider_in(gui)
            slide("lao_rao", "LAO + / RAO −", -180.0, 180.0, 1.0, "° towards the patient's left is LAO, plus")
            slide("cra_cau", "CRA + / CAU −", -90.0, 90.0, 1.0, "° towards the head is CRA, plus")
            slide("roll", "Roll", -180.0, 180.0, 1.0, "° turn of the picture about the beam, anticlockwise")
            slide("sod", "SOD [mm]", 200.0, start.sdd - CLEAR_OF_DETECTOR, 5.0, "source to isocentre")
            slide("field", "Field [mm]", 100.0, 600.0, 5.0, "edge of the square field on the detector")
        with gui.add_folder("Isocentre [mm from the middle of the CT]", expand_by_default=False):
            for n, words in enumerate(("left − / right +", "back − / front +", "feet − / head +")):
                slide(f"aim{n}", words, -400.0, 400.0, 2.0, "moves the C-arm as a whole", start.aim[n])
            gui.add_button("Back to the middle").on_click(lambda _: self.put(aim0=0.0, aim1=0.0, aim2=0.0))
        with gui.add_folder("Picture"):
            self._add_picture(gui, slide, highlights)

    def _add_picture(self, gui: GuiApi, slide: Callable[..., None], highlights: Sequence[str]) -> None:
        start, names = self._start, {value: name for name, value in STYLES.items()}
        self._style = gui.add_dropdown("Display", tuple(STYLES), initial_value=names[start.style])
        self._mirrored = gui.add_checkbox(
            "Mirror", start.mirrored, hint="flip left to right, as frontal pictures are read; the pose stays"
        )
        self._auto = gui.add_checkbox("Auto window", start.window is None, hint="fit black and white to each picture")
        low, high = start.window or self.window
        slide("level", "Level", 0.0, DARKEST, 0.05, "line integral shown as middle grey", (low + high) / 2)
        slide("width", "Width", 0.1, DARKEST, 0.05, "span of line integrals from black to white", high - low)
        for name in ("level", "width"):
            self._sliders[name].visible = start.window is not None
        self._highlight = gui.add_dropdown(
            "Highlight", (NOTHING, *highlights), initial_value=start.highlight or NOTHING, visible=bool(highlights)
        )
        self._auto.on_update(self._toggle_auto)
        for widget in (self._style, self._mirrored, self._highlight):
            widget.on_update(lambda _: self._changed())

    def _slider_in(self, gui: GuiApi) -> Callable[..., None]:
        def slide(
            name: str, words: str, low: float, high: float, step: float, hint: str, value: float | None = None
        ) -> None:
            first: float = getattr(self._start, name) if value is None else value
            handle = gui.add_slider(words, min(low, first), max(high, first), step, first, hint=hint)
            handle.on_update(lambda _: self._changed())
            self._sliders[name] = handle

        return slide

    def read(self) -> ViewerState:
        """What the page says now."""
        with self._lock:
            value = {name: float(slider.value) for name, slider in self._sliders.items()}
            level, width = value.pop("level"), value.pop("width")
            aim = (value.pop("aim0"), value.pop("aim1"), value.pop("aim2"))
            chosen = self._highlight.value
            return ViewerState(
                **value,
                sdd=self._start.sdd,
                size=self._start.size,
                aim=aim,
                mirrored=self._mirrored.value,
                style=STYLES[self._style.value],  # type: ignore[arg-type]
                window=None if self._auto.value else (level - width / 2, level + width / 2),
                highlight=None if chosen == NOTHING else chosen,
            )

    def put(self, **values: float) -> None:
        """Move sliders, named as the fields of the state (aim0, aim1, aim2 for its isocentre)."""
        with self._lock:
            for name, value in values.items():
                self._sliders[name].value = value
        self._changed()

    def turn_to(self, view: str) -> None:
        """Move to a standard view of `VIEWS`."""
        state = self._start.turned_to(view)
        with self._lock:
            self._mirrored.value = state.mirrored
        self.put(lao_rao=state.lao_rao, cra_cau=state.cra_cau, roll=state.roll)

    def _to_view(self, _: object) -> None:
        self.turn_to(VIEWS_OFFERED[self._views.value])

    def _toggle_auto(self, _: object) -> None:
        low, high = self.window
        for name, value in (("level", (low + high) / 2), ("width", high - low)):
            slider = self._sliders[name]
            slider.visible = not self._auto.value
            slider.value = min(max(value, slider.min), slider.max)
        self._changed()
