"""A headless Chromium driven through its own debugging protocol, without a driver package."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from support.waiting import PATIENCE, until

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0"),
)
GONE = ("Inspected target navigated", "context was destroyed", "Cannot find context")


def find_chromium() -> str | None:
    """The browser's path, or None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class NavigatedError(RuntimeError):
    """The page that was asked went away before it answered, as one that loads anew does."""


class Tab:
    """One page: runs JavaScript, presses keys, takes pictures, and remembers what it asked the network for."""

    def __init__(self, socket: Any) -> None:
        self._socket, self._ids = socket, itertools.count(1)
        self.requested: list[str] = []
        for domain in ("Page", "Network", "Runtime"):
            self.command(f"{domain}.enable")

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the protocol and wait for its answer."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("method") == "Network.requestWillBeSent":
                self.requested.append(message["params"]["request"]["url"])
            if message.get("method") == "Network.webSocketCreated":
                self.requested.append(message["params"]["url"])
            if message.get("id") == number:
                if "error" in message:
                    said = f"{method}: {message['error']}"
                    raise NavigatedError(said) if any(word in said for word in GONE) else RuntimeError(said)
                return message["result"]

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        answer = self.command("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def until(self, done: Callable[[], Any], *, seconds: float = PATIENCE) -> Any:
        """The first true value of `done`, asked twenty times a second; TimeoutError if it never comes.

        A page that goes away while it is asked is asked again.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(NavigatedError):
                if value := done():
                    return value
            time.sleep(0.05)
        raise TimeoutError(f"not within {seconds} s; the page says: {self.evaluate('document.body.innerText')!r}")

    def text(self) -> str:
        """What the page says."""
        return self.evaluate("document.body.innerText") or ""

    def click(self, x: float, y: float) -> None:
        """Click at a place of the page."""
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, code: int) -> None:
        """Press a key, named as in KeyboardEvent.key."""
        for kind in ("keyDown", "keyUp"):
            self.command("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def screenshot(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode(self.command("Page.captureScreenshot", format="png")["data"])


@contextmanager
def chromium(profile: Path, *, size: tuple[int, int] = (1600, 900)) -> Iterator[Tab]:
    """A fresh browser with one empty tab, ended with the context.

    Args:
        profile: An empty folder for its data.
        size: Width and height of the page [CSS px].
    """
    from websockets.sync.client import connect

    path = find_chromium()
    if path is None:
        raise RuntimeError(f"none of {', '.join(NAMES)} is installed")
    command = [path, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            port = _port(profile, process)
            pages = until(lambda: _pages(port))
            with connect(pages[0]["webSocketDebuggerUrl"], max_size=2**28) as socket:
                tab = Tab(socket)
                metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
                tab.command("Emulation.setDeviceMetricsOverride", **metrics)
                yield tab
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def _port(profile: Path, process: subprocess.Popen) -> int:
    """The debugging port, which Chromium writes down once it listens."""
    note = profile / "DevToolsActivePort"

    def written() -> list[str]:
        if process.poll() is not None:
            raise RuntimeError(f"chromium ended at once with exit code {process.returncode}")
        return note.read_text(encoding="utf-8").split() if note.exists() else []

    return int(until(written)[0])


def _pages(port: int) -> list[dict[str, Any]]:
    """What Chromium says of its tabs."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE) as answer:
        return [page for page in json.load(answer) if page["type"] == "page"]
