"""A page for the user of a command: said, opened where there is a display, served until Ctrl-C."""

from __future__ import annotations

import os
import sys
import webbrowser
from typing import Protocol


class RunningPage(Protocol):
    """A server that is up, such as `web.PageServer` or `Viewer`."""

    @property
    def url(self) -> str:
        """Where the page is."""
        ...

    def wait(self) -> None:
        """Block until the server ends."""

    def close(self) -> None:
        """Stop serving."""


def has_display() -> bool:
    """Whether a browser could open a window: never start one that takes the terminal."""
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def serve_until_interrupt(page: RunningPage, *, browser: bool, name: str = "page", more: str = "") -> None:
    """Print where a page is, open it, wait for its end or Ctrl-C, and close it.

    Args:
        page: Running; closed in any case.
        browser: Open it in the user's browser, where there is a display.
        name: What Ctrl-C is said to have closed.
        more: Added to the line that says where the page is.

    Raises:
        KeyboardInterrupt: Ctrl-C, with what it did.
    """
    try:
        print(f"Look at {page.url} (Ctrl-C ends it){more}", flush=True)
        if browser and has_display():
            webbrowser.open(page.url)
        page.wait()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"the {name} is closed") from None
    finally:
        page.close()
