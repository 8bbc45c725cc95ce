"""Simulate a scene: a patient, two screws and a wire under a 90 kV beam with noise and scatter, and every mask.

You learn how tools are placed, which settings make an image more real, and that masks of organs and tools, also of the
parts that hide each other, come with the image. The same scene as a file: examples/scenes/spine_screws.yaml.

    python examples/render/simulate_scene.py
"""

import sys
from pathlib import Path

import torch
from xraykit.render import (
    Camera,
    PlacedTool,
    Scene,
    SimulationSettings,
    Spectrum,
    carm_pose,
    instrument,
    simulate,
    torso,
)
from xraykit.render.pictures import montage, overlay, save_png, to_grey
from xraykit.render.simulation import BeamSettings, Body, DoseSettings, ScatterSettings, tool_pose
from xraykit.render.volumes import label_centroids


def main(out: Path, quick: bool) -> None:
    """Write `scene.png`: the X-ray, and the same with masks over it."""
    patient = torso(spacing=5.0 if quick else 2.0)
    middle = label_centroids(patient, ["vertebrae_L3"])["vertebrae_L3"]
    tools = []
    for name, side in (("right screw", 1.0), ("left screw", -1.0)):
        tip = middle + torch.tensor([side * 8.0, 4.0, 2.0])
        pose = tool_pose(tip, direction=(side * 0.3, -0.9, 0.1))  # from the tip backwards to the head
        tools.append(PlacedTool(instrument("pedicle_screw"), pose, name=name))
    entry = middle + torch.tensor([-45.0, -10.0, 25.0])
    tools.append(PlacedTool(instrument("k_wire"), tool_pose(entry, direction=(-0.5, 0.0, 0.85)), name="wire"))
    scene = Scene(bodies=(Body.from_volume(patient),), tools=tuple(tools))

    rows = 96 if quick else 512
    camera = Camera(sdd=1020.0, height=rows, width=rows, pixel_spacing=290.0 / rows)
    pose = carm_pose(lao_rao=160.0, sod=700.0, isocenter=middle)
    settings = SimulationSettings(
        beam=BeamSettings(Spectrum(90.0, {"aluminium": 3.0})),
        dose=DoseSettings(photons_per_pixel=4e4),
        scatter=ScatterSettings(scatter_to_primary=0.3),
    )
    xray = simulate(scene, camera, pose, settings, seed=1)
    grey = to_grey(xray.log_attenuation[0, 0])
    names = ("vertebrae", "kidneys", "right screw", "left screw", "wire")
    shown = {name: xray.masks.mask(name)[0].numpy() for name in names}
    for name, mask in shown.items():
        print(f"{name}: {int(mask.sum())} pixels")
    out.mkdir(parents=True, exist_ok=True)
    save_png(out / "scene.png", montage([grey, overlay(grey, shown)], ["90 kV, noise, scatter", "masks"]))


if __name__ == "__main__":
    main(Path("out/simulate_scene"), quick="--quick" in sys.argv)
