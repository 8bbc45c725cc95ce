"""Register an X-ray: find where the C-arm stood relative to the patient's CT, and whether to believe it.

You learn what an X-ray needs besides its pixels (the camera), what a start is, what `register` returns, and that
`judge` tells a good answer from a lost one without knowing the truth. On the shell: `xraykit xvr register`.

    python examples/xvr/register_xray.py
"""

import sys
from pathlib import Path

import torch
from xraykit.render import Camera, Scene, SimulationSettings, carm_pose, render, simulate, torso
from xraykit.render.pictures import montage, save_png, to_grey
from xraykit.render.simulation import Body, DoseSettings
from xraykit.xvr import Shot, judge, register, true_tre
from xraykit.xvr.start import StartErrors


def main(out: Path, quick: bool) -> None:
    """Write `registered.png`: the X-ray, and the CT rendered at the start and at the pose that was found."""
    ct = torso(spacing=6.0 if quick else 3.0)
    rows = 96 if quick else 256
    camera = Camera(sdd=1020.0, height=rows, width=rows, pixel_spacing=290.0 / rows)
    truth = carm_pose(lao_rao=190.0, cra_cau=10.0, sod=760.0, isocenter=ct.center).double()
    physics = SimulationSettings(dose=DoseSettings(photons_per_pixel=5e4), masks=False)
    image = simulate(Scene((Body.from_volume(ct),)), camera, truth, physics, seed=1).log_attenuation[0, 0]
    xray = Shot(image, camera)  # from a file: read_shot("xray.dcm")

    start = StartErrors().perturb(truth, ct.center, torch.Generator().manual_seed(3))  # from a network, tags or a guess
    found = register(xray, ct, start)
    trust = judge(found, [xray], [ct])
    for name, pose in (("start", start), ("found", found.poses[0])):
        error = float(true_tre(pose, truth, fiducials=ct.center[None]))
        print(f"{name}: {error:.2f} mm off in the middle of the patient")
    chance = trust.success_probability
    print(f"similarity {found.similarity:.3f}, {found.seconds:.1f} s, chance of success {chance:.2f}")

    poses = (start, found.poses[0])
    pictures = [to_grey(image), *(to_grey(render(ct, camera, pose.float())[0, 0]) for pose in poses)]
    out.mkdir(parents=True, exist_ok=True)
    save_png(out / "registered.png", montage(pictures, ["X-ray", "CT at the start", "CT as found"]))


if __name__ == "__main__":
    main(Path("out/register_xray"), quick="--quick" in sys.argv)
