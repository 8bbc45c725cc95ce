"""Find both lungs of a patient by words, and the heart by a box and clicks.

You learn how `FluoroSam` takes an X-ray once and answers as many prompts as you like, that an answer carries how sure
it is and may be "not visible", and how a click goes on from the mask before it. On the shell: `xraykit fluorosam
segment` and, with a page, `xraykit fluorosam app`.

    python examples/fluorosam/segment_by_words.py
"""

import sys
from pathlib import Path

import numpy as np
from xraykit.fluorosam import FluoroSam
from xraykit.fluorosam.evaluate import error_point, mask_overlap, tight_box
from xraykit.render import Camera, PatientSettings, carm_pose, generate_patient, simulate
from xraykit.render.pictures import overlay, save_png, to_grey


def main(out: Path, quick: bool) -> dict[str, float]:
    """Write `by_words.png` and `by_box_and_clicks.png`. Returns the Dice of each answer."""
    side = 192 if quick else 512
    patient = generate_patient(seed=3002, region="thorax", settings=PatientSettings(size=96 if quick else 192))
    camera = Camera(sdd=1100.0, height=side, width=side, pixel_spacing=720 / side)
    pose = carm_pose(lao_rao=180.0, sod=800.0, isocenter=patient.volume.center)  # from behind
    made = simulate(patient.scene(), camera, pose, seed=7)
    xray, masks = made.log_attenuation[0, 0], made.masks

    sam = FluoroSam.from_pretrained("shipped")  # or a folder of your own training
    sam.set_image(xray, bone="bright")  # or a file: DICOM, PNG, TIFF
    found, scores = {}, {}
    for words in ("right lung", "left lung", "patella"):
        found[words] = sam.predict(words)
        lobes = [masks.mask(name)[0] for name in masks.names if name.startswith("lung") and words[:4] in name]
        scores[words] = mask_overlap(found[words].mask, sum(lobes) > 0).dice if lobes else float("nan")
        state = f"confidence {found[words].confidence:.2f}" if found[words].visible else "not visible"
        print(f"{words}: {state}, Dice {scores[words]:.2f}")

    heart, stream, points, labels = masks.mask("heart")[0], np.random.default_rng(0), [], []
    answer = sam.predict(box=tight_box(heart))
    scores["box"] = mask_overlap(answer.mask, heart).dice
    for _ in range(3):  # a user who clicks where the answer is wrong
        point = error_point(heart, answer.mask, stream)
        points.append(point[:2])
        labels.append(point.label)
        answer = sam.predict(points=points, labels=labels, mask=answer)
    scores["clicks"] = mask_overlap(answer.mask, heart).dice
    print(f"heart by a box: Dice {scores['box']:.2f}; and three clicks: {scores['clicks']:.2f}")

    grey = to_grey(xray)
    out.mkdir(parents=True, exist_ok=True)
    save_png(out / "by_words.png", overlay(grey, {words: one.mask.numpy() for words, one in found.items()}))
    save_png(out / "by_box_and_clicks.png", overlay(grey, {"answer": answer.mask.numpy(), "heart": heart.numpy()}))
    return scores


if __name__ == "__main__":
    main(Path("out/segment_by_words"), quick="--quick" in sys.argv)
