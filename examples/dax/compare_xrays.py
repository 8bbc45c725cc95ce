"""Compare X-rays by their features: which of six pictures is most like which, told by the backbone that ships.

You learn how an X-ray becomes a vector (`XrayEmbedder` applies the preprocessing that belongs to the weights), how
likeness is the cosine of two vectors, and how maps and attention come from the same call. On the shell:
`xraykit dax embed` for tables, `xraykit dax look` for pictures.

    python examples/dax/compare_xrays.py
"""

import sys
from pathlib import Path

import torch
from torch.nn.functional import normalize
from xraykit.dax import XrayEmbedder
from xraykit.render import PatientSettings, generate_patient, simulate, standard_view
from xraykit.render.pictures import montage, save_png, to_grey

VIEWS = {"knee": "knee_ap_left", "skull": "skull_ap", "wrist_hand": "hand_pa_left"}


def main(out: Path, quick: bool) -> torch.Tensor:
    """Write `alike.png`: each X-ray with the one that its features are nearest to. Returns the cosines (6, 6)."""
    names, xrays = [], []
    for region, view in VIEWS.items():
        for seed in (1, 2):
            settings = PatientSettings(size=48 if quick else 128, side="left")
            patient = generate_patient(seed=seed, region=region, settings=settings)
            plan = standard_view(patient.volume, view, size=(112, 112), landmarks=patient.landmarks)
            xrays.append(simulate(patient.scene(), plan.camera, plan.pose).intensity[0, 0])
            names.append(f"{region} {seed}")

    embedder = XrayEmbedder("shipped")  # or a folder of your own training, or a published name
    vectors = normalize(embedder.embed(xrays))
    cosines = vectors @ vectors.mT
    nearest = (cosines - 2 * torch.eye(len(names))).argmax(1)
    for name, other, row in zip(names, nearest.tolist(), cosines.tolist(), strict=True):
        print(f"{name:13} is most like {names[other]:13} (cosine {row[other]:.3f})")
    maps = next(embedder.batches(xrays)).maps
    print("maps:", ", ".join(f"{one.name} {tuple(one.values.shape[1:])} at stride {one.stride}" for one in maps))

    pairs = [image for n, other in enumerate(nearest.tolist()) for image in (xrays[n], xrays[other])]
    captions = [text for n, other in enumerate(nearest.tolist()) for text in (names[n], f"like {names[other]}")]
    out.mkdir(parents=True, exist_ok=True)
    save_png(out / "alike.png", montage([to_grey(image) for image in pairs], captions))
    return cosines


if __name__ == "__main__":
    main(Path("out/compare_xrays"), quick="--quick" in sys.argv)
