"""A session of the page that marks pairs, on small X-rays with known matches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from xraykit.corr.app import PairServer, PairSession
from xraykit.corr.app.marked_sample import MarkedSample
from xraykit.corr.app.settings import MarkedSampleSettings
from xraykit.corr.predictor import Matcher

from .corr_matchers import BandNetwork, write_views


def opened(
    folder: Path, *, file: str = "annotations.json", xrays: list[Path] | None = None, **said: Any
) -> PairSession:
    """A session on a.png (60 x 40) and b.png (48 x 64) of the folder, or on other X-rays."""
    files = xrays or [folder / "a.png", folder / "b.png"]
    sample = MarkedSample(folder / file, files, MarkedSampleSettings(**said))
    matches = Matcher(BandNetwork()).match([files[n] for n in sample.order])
    return PairSession(matches, sample, matches.notes)


def small_page(folder: Path) -> PairServer:
    """The running page on two new X-rays in the folder."""
    write_views(folder)
    return PairServer(opened(folder, patient="p01"), port=0)


def written(path: Path) -> Any:
    """What a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))
