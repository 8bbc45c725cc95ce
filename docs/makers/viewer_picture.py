"""Picture of the live viewer for docs/viewer.md; needs viser and Chromium.

uv run python docs/makers/viewer_picture.py
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from xraykit.render import torso
from xraykit.render.viewer import ViewerState, start_viewer

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.chromium import chromium  # noqa: E402

START = ViewerState(lao_rao=-28.0, cra_cau=8.0, sod=740.0, field=430.0, aim=(0.0, 0.0, 60.0), highlight="vertebrae_L1")


def main(out: Path) -> None:
    """Open the viewer on the procedural patient, wait until the page stands, and write what it shows."""
    with (
        tempfile.TemporaryDirectory() as folder,
        start_viewer(torso(), port=0, name="demo torso", folder=folder, start=START) as viewer,
        chromium(Path(folder) / "profile", size=(1440, 760)) as tab,
    ):
        tab.command("Page.navigate", url=viewer.url)
        tab.until(lambda: "frames/s" in tab.text())
        time.sleep(15)  # software rendering fades the scene in
        tab.evaluate("document.querySelector('.mantine-Notification-closeButton')?.click()")
        for angle in (4.0, 8.0):  # more pictures, so that the speed is that of a warm projector
            viewer.controls.put(cra_cau=angle)
            time.sleep(4)
        picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    picture.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=2).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs/pictures/viewer.png")
    main(parser.parse_args().out)
