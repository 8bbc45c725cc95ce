"""Recover a screw: find a tool's pose in two X-rays by descending the gradient through the whole simulator.

You learn that `simulate` is differentiable in the tools' poses, with spectrum, scatter and blur in the way. How near
X-rays can bring a screw, against the Cramer-Rao bound: `python -m benchmarks.studies.recover_screw`.

    python examples/render/recover_screw.py
"""

import sys
from pathlib import Path

import torch
from torch import Tensor
from xraykit.render import Camera, PlacedTool, Scene, SimulationSettings, carm_pose, instrument, simulate, torso
from xraykit.render.geometry import se3_exp
from xraykit.render.meshes import thickness
from xraykit.render.pictures import montage, overlay, save_png, to_grey
from xraykit.render.simulation import Body, DoseSettings, MarchSettings, ScatterSettings, tool_pose
from xraykit.render.volumes import label_centroids

SCREW = instrument("pedicle_screw")


def main(out: Path, quick: bool) -> None:
    """Write `screw.png`: the X-ray with the outline of the screw at the start, and where it was found."""
    patient, rows = Body.from_volume(torso(spacing=6.0 if quick else 4.0)), 64 if quick else 200
    tip = label_centroids(patient.volume, ["vertebrae_L3"])["vertebrae_L3"] + torch.tensor([14.0, -12.0, 4.0])
    truth = tool_pose(tip, direction=(-0.3, 0.9, 0.1), turn=20.0)
    middle = truth[:3, 3] + 25.0 * truth[:3, 2]
    views = carm_pose(lao_rao=torch.tensor([45.0, -45.0]), cra_cau=8.0, sod=620.0, isocenter=middle)
    camera = Camera(sdd=1020.0, height=rows, width=rows, pixel_spacing=80.0 / rows)

    def image(pose: Tensor, **settings: object) -> Tensor:
        physics = SimulationSettings(
            scatter=ScatterSettings(0.2), march=MarchSettings(samples=150), masks=False, **settings
        )
        return simulate(Scene((patient,), (PlacedTool(SCREW, pose),)), camera, views, physics).log_attenuation

    measured = image(truth, dose=DoseSettings(photons_per_pixel=1e6))
    motion = torch.zeros(6, dtype=torch.float64, requires_grad=True)  # mm, then radians, at the screw's tip
    start = truth @ se3_exp(torch.tensor([2.0, -2.0, 2.0, 0.06, -0.05, 0.05], dtype=torch.float64))
    scale = torch.tensor([1.0, 1.0, 1.0, 0.03, 0.03, 0.03], dtype=torch.float64)
    descent = torch.optim.LBFGS([motion], max_iter=16 if quick else 30, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        descent.zero_grad()
        value = 1e3 * (image(start @ se3_exp(motion * scale)) - measured).square().mean()
        value.backward()
        return value

    descent.step(loss)
    found = (start @ se3_exp(motion * scale)).detach()
    for name, pose in (("start", start), ("found", found)):
        print(f"{name}: the tip is {float((pose - truth)[:3, 3].norm()):.2f} mm off")
    grey = to_grey(measured[0, 0])
    outlines = [thickness([SCREW], camera, views[:1], poses=pose[None])[0, 0] > 0 for pose in (start, found)]
    pictures = [overlay(grey, {"screw": outline.numpy()}, opacity=0.0) for outline in outlines]
    out.mkdir(parents=True, exist_ok=True)
    save_png(out / "screw.png", montage(pictures, ["start", "found"]))


if __name__ == "__main__":
    main(Path("out/recover_screw"), quick="--quick" in sys.argv)
