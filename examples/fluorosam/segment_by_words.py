"""Find both lungs of a patient by words, one of them by clicks alone, and the heart by a box.

You learn how `FluoroSam` takes an X-ray once and answers as many prompts as you like, that an answer carries how sure
it is and may be "not visible", and how click after click corrects it. On the shell: `xraykit fluorosam segment` and,
with a page, `xraykit fluorosam app`.

    python examples/fluorosam/segment_by_words.py
"""

import sys
from pathlib import Path

import numpy as np
import torch
from xraykit.fluorosam import FluoroSam
from xraykit.fluorosam.evaluate import error_point, mask_overlap, tight_box
from xraykit.render import Camera, PatientSettings, carm_pose, generate_patient, simulate
from xraykit.render.pictures import overlay, save_png, to_grey

SIDES = ("right", "left")


def main(out: Path, quick: bool) -> dict[str, float]:
    """Write `by_words.png`, `by_clicks.png` and `by_box.png`. Returns the Dice of each answer."""
    side = 192 if quick else 512
    patient = generate_patient(seed=3002, region="thorax", settings=PatientSettings(size=96 if quick else 192))
    camera = Camera(sdd=1100.0, height=side, width=side, pixel_spacing=720 / side)
    pose = carm_pose(lao_rao=180.0, sod=800.0, isocenter=patient.volume.center)  # from behind
    made = simulate(patient.scene(), camera, pose, seed=7)
    xray, masks = made.log_attenuation[0, 0], made.masks

    lobes = {side: [name for name in masks.names if name.startswith("lung") and side in name] for side in SIDES}
    lungs = {f"{side} lung": torch.stack([masks.mask(name)[0] for name in lobes[side]]).any(0) for side in SIDES}

    sam = FluoroSam.from_pretrained("shipped")  # or a folder of your own training
    sam.set_image(xray, bone="bright")  # or a file: DICOM, PNG, TIFF
    found, scores = {}, {}
    for words in ("right lung", "left lung", "left kneecap"):
        found[words] = sam.predict(words)
        scores[words] = mask_overlap(found[words].mask, lungs[words]).dice if words in lungs else float("nan")
        state = f"confidence {found[words].confidence:.2f}" if found[words].visible else "not visible"
        print(f"{words}: {state}, Dice {scores[words]:.2f}")

    truth, stream, points, labels = lungs["right lung"], np.random.default_rng(0), [], []
    answer = None
    for _ in range(5):  # a user who clicks where the answer is wrong, and says nothing
        point = error_point(truth, torch.zeros_like(truth) if answer is None else answer.mask, stream)
        points.append(point[:2])
        labels.append(point.label)
        answer = sam.predict(points=points, labels=labels, mask=answer)
        scores[f"{len(points)} clicks"] = mask_overlap(answer.mask, truth).dice
    heart = masks.mask("heart")[0]
    boxed = sam.predict(box=tight_box(heart))
    scores["box"] = mask_overlap(boxed.mask, heart).dice
    clicked = f"{scores['1 clicks']:.2f} after one click and {scores['5 clicks']:.2f} after five"
    print(f"right lung without words: Dice {clicked}; heart by a box: {scores['box']:.2f}")

    grey = to_grey(xray)
    out.mkdir(parents=True, exist_ok=True)
    save_png(out / "by_words.png", overlay(grey, {words: one.mask.numpy() for words, one in found.items()}))
    save_png(out / "by_clicks.png", overlay(grey, {"answer": answer.mask.numpy(), "right lung": truth.numpy()}))
    save_png(out / "by_box.png", overlay(grey, {"answer": boxed.mask.numpy(), "heart": heart.numpy()}))
    return scores


if __name__ == "__main__":
    main(Path("out/segment_by_words"), quick="--quick" in sys.argv)
