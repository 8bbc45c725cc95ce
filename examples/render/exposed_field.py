"""Where was this X-ray exposed? Find the collimator's opening in the picture and draw it, as a crop needs it.

An X-ray of the procedural patient is simulated behind a rectangular collimator, with leakage, scatter and noise;
`exposed_field` then finds the opening from the pixels alone. For a file: `exposed_field(xray, file=xray.source)` with
`xray = read_radiograph(path)`, which counts the shutters that a DICOM file declares too.

    python examples/render/exposed_field.py [-o FOLDER]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from xraykit.render import Camera, Scene, SimulationSettings, carm_pose, simulate, torso
from xraykit.render.pictures import montage, overlay, save_png, to_grey
from xraykit.render.radiographs import RectangularShutter, exposed_field, shutter_mask
from xraykit.render.simulation import BeamSettings, Body, DoseSettings, ScatterSettings


def main(out: Path, quick: bool = False) -> float:
    """Write exposed_field.png and print how well the found field and the opening agree; the overlap comes back."""
    pixels = 160 if quick else 400
    volume = torso(spacing=8.0 if quick else 3.0)
    camera = Camera(sdd=1100.0, height=pixels, width=pixels, pixel_spacing=400.0 / pixels)
    pose = carm_pose(lao_rao=150.0, sod=750.0, isocenter=volume.center)
    opening = RectangularShutter(0.12 * pixels, 0.2 * pixels, 0.8 * pixels, 0.95 * pixels)
    settings = SimulationSettings(
        beam=BeamSettings(shutter=opening, penumbra=2.0, leakage=0.005),
        dose=DoseSettings(photons_per_pixel=3000.0),
        scatter=ScatterSettings(scatter_to_primary=0.5),
    )
    image = simulate(Scene([Body.from_volume(volume)]), camera, pose, settings).log_attenuation[0, 0]

    field = exposed_field(image)

    truth = shutter_mask(opening, camera)[0, 0] > 0.5
    overlap = float((field & truth).sum() / (field | truth).sum())
    low, high = torch.quantile(image[field], torch.tensor([0.01, 0.99])).tolist()
    grey = to_grey(image, window=(low, high))
    pictures = [overlay(grey, {"opening": truth.numpy()}), overlay(grey, {"found": field.numpy()})]
    out.mkdir(parents=True, exist_ok=True)
    path = save_png(out / "exposed_field.png", montage(pictures, ["the collimator", "what was found"]))
    print(f"{path}: overlap of field and opening {overlap:.3f}")
    return overlap


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("exposed_field"))
    main(parser.parse_args().output)
