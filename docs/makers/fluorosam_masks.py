"""The picture of what words, clicks and boxes find in docs/fluorosam.md: X-rays of procedural patients, and the truth.

uv run python docs/makers/fluorosam_masks.py        # a minute on two cores
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from xraykit.fluorosam import FluoroSam, Segmentation
from xraykit.fluorosam.evaluate import error_point, mask_overlap, tight_box
from xraykit.fluorosam.evaluate.error_points import question_stream
from xraykit.render import Camera, PatientSettings, carm_pose, generate_patient, simulate
from xraykit.render.pictures import montage, overlay, to_grey

SHOWN = (
    ("thorax", "heart", 180.0, 420.0),
    ("abdomen_pelvis", "hip_left", 180.0, 420.0),
    ("knee", "tibia_left", 180.0, 260.0),
    ("lumbar_spine", "vertebrae_L3", 90.0, 320.0),
    ("shoulder", "scapula_left", 180.0, 320.0),
)  # region, target, angle of the source, field [mm]
SIDE = 320


def main() -> None:
    """Draw a row for each region: the truth, then the answers to words, a box, and three clicks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).parents[1] / "pictures/fluorosam_masks.jpg")
    parser.add_argument("--weights", default="shipped")
    parser.add_argument("--seed", type=int, default=901, help="of the first patient")
    options = parser.parse_args()
    sam = FluoroSam.from_pretrained(options.weights, device="cpu")
    rows = [row(sam, *shown, options.seed + number) for number, shown in enumerate(SHOWN)]
    Image.fromarray(torch.cat(rows).numpy()).save(options.out, quality=88, optimize=True)
    print(f"wrote {options.out}")


def row(sam: FluoroSam, region: str, target: str, angle: float, field: float, seed: int) -> Tensor:
    """The pictures of one X-ray, side by side."""
    patient = generate_patient(seed=seed, region=region, settings=PatientSettings(size=160))
    camera = Camera(sdd=1020.0, height=SIDE, width=SIDE, pixel_spacing=field * 1020 / 750 / SIDE)
    pose = carm_pose(lao_rao=angle, sod=750.0, isocenter=patient.volume.center)
    made = simulate(patient.scene(), camera, pose, seed=seed)
    truth = made.masks.mask(target)[0]
    sam.set_image(made.log_attenuation[0, 0], bone="bright")
    words = target.replace("vertebrae_", "").replace("_left", "").replace("_right", "").replace("hip", "hip bone")
    words = ("left " if "left" in target else "right " if "right" in target else "") + words
    answers = {
        words: sam.predict(words),
        "box": sam.predict(box=tight_box(truth)),
        "3 clicks": clicked(sam, truth, seed),
    }
    grey = to_grey(made.log_attenuation[0, 0])
    masks = {"truth": truth, **{name: found.logits > 0 for name, found in answers.items()}}
    titles = [
        name if name == "truth" else f"{name}: Dice {mask_overlap(mask, truth).dice:.2f}"
        for name, mask in masks.items()
    ]
    pictures = [overlay(grey, {target: mask.numpy()}) for mask in masks.values()]
    return torch.from_numpy(montage(pictures, titles).copy())


def clicked(sam: FluoroSam, truth: Tensor, seed: int, clicks: int = 3) -> Segmentation:
    """The answer after so many clicks, each where the one before was wrong."""
    points: list[tuple[float, float]] = []
    labels: list[int] = []
    found: Segmentation | None = None
    stream = question_stream(seed, "clicks")
    for _ in range(clicks):
        point = error_point(truth, None if found is None else found.logits > 0, stream)
        if point is None:
            break
        points.append(point[:2])
        labels.append(point.label)
        found = sam.predict(points=points, labels=labels, mask=found)
    if found is None:
        raise SystemExit("the X-ray does not show what is to be clicked")
    return found


if __name__ == "__main__":
    main()
