"""Render a DRR: from a volume, a camera and a pose to line integrals, and to one channel for each label.

You learn which three things an image needs, how angles are given, that the channels of all labels add up to the image,
and how numbers become a picture. With a CT of your own, `Volume.from_file("ct.nii.gz", labels="seg.nii.gz")` takes the
place of the torso.

    python examples/render/render_drr.py
"""

import sys
from pathlib import Path

from xraykit.render import Camera, carm_pose, render, torso
from xraykit.render.pictures import montage, save_png, to_grey
from xraykit.render.volumes import find_labels


def main(out: Path, quick: bool) -> None:
    """Write `drr.png`: the torso from the front and from the side, and the bones alone."""
    patient = torso(spacing=6.0 if quick else 2.5)
    rows = 96 if quick else 384
    camera = Camera(sdd=1800.0, height=rows, width=rows, pixel_spacing=640.0 / rows)

    pictures = []
    for lao_rao in (180.0, 90.0):  # the detector behind the patient, then at the left
        pose = carm_pose(lao_rao=lao_rao, sod=1500.0, isocenter=patient.center)  # (1, 4, 4), camera to world
        image = render(patient, camera, pose)  # (1, 1, rows, rows), without unit
        pictures.append(to_grey(image[0, 0], detail=0.5))
        print(f"lao_rao {lao_rao:g}: the densest ray has a line integral of {float(image.max()):.2f}")

    pose = carm_pose(lao_rao=180.0, sod=1500.0, isocenter=patient.center)
    channels = render(patient, camera, pose, labels="hard")[0]  # one per label number; they add up to the image
    apart = float((channels.sum(0) - render(patient, camera, pose)[0, 0]).abs().max())
    print(f"{len(channels)} channels add up to the image within {apart:.1e}")
    bones = [*find_labels(patient.label_names, "vertebrae"), *find_labels(patient.label_names, "ribs")]
    pictures.append(to_grey(channels[bones].sum(0)))

    out.mkdir(parents=True, exist_ok=True)
    save_png(out / "drr.png", montage(pictures, ["from the front", "from the side", "spine and ribs alone"]))


if __name__ == "__main__":
    main(Path("out/render_drr"), quick="--quick" in sys.argv)
