"""Follow the gradient: move the camera until its image is the one that was given.

You learn that images have a gradient with respect to the pose, that a motion of six numbers (`se3_exp`) is what an
optimiser should hold, and how far such a plain descent reaches. `xraykit.xvr.register` does this properly.

    python examples/render/follow_gradient.py
"""

import sys
from pathlib import Path

import torch
from torch import Tensor
from xraykit.render import Camera, carm_pose, render, torso
from xraykit.render.geometry import geodesic_distance, se3_exp
from xraykit.render.pictures import montage, save_png, to_grey


def likeness(a: Tensor, b: Tensor) -> Tensor:
    """The correlation coefficient of two images, in [-1, 1]."""
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1]


def main(out: Path, quick: bool) -> None:
    """Write `poses.png`: the image that was given, the one at the start, and the one that was found."""
    patient = torso(spacing=6.0)
    rows = 64 if quick else 128
    camera = Camera(sdd=1020.0, height=rows, width=rows, pixel_spacing=440.0 / rows)
    truth = carm_pose(lao_rao=185.0, cra_cau=5.0, sod=760.0, isocenter=patient.center).double()
    given = render(patient, camera, truth)

    start = carm_pose(lao_rao=179.0, cra_cau=9.0, roll=4.0, sod=760.0, isocenter=patient.center).double()
    motion = torch.zeros(6, dtype=torch.float64, requires_grad=True)  # for `se3_exp`: translation, then rotation
    scale = torch.tensor([20.0, 20.0, 20.0, 0.05, 0.05, 0.05], dtype=torch.float64)  # mm and radians of one unit
    optimizer = torch.optim.Adam([motion], lr=0.1)
    pivot = torch.eye(4, dtype=torch.float64)
    pivot[:3, 3] = patient.center  # turn about the patient, not about the world's origin
    for step in range(40 if quick else 120):
        optimizer.zero_grad()
        pose = pivot @ se3_exp(motion * scale) @ torch.linalg.inv(pivot) @ start
        value = likeness(render(patient, camera, pose), given)
        (-value).backward()
        optimizer.step()
        if step % 20 == 0:
            angle, apart = (float(error) for error in geodesic_distance(pose.detach(), truth))
            print(f"step {step:3d}: likeness {value.item():.4f}, {angle:.2f} degrees and {apart:.1f} mm off")

    found = pose.detach()
    angle, apart = (float(error) for error in geodesic_distance(found, truth))
    print(f"found: {angle:.2f} degrees off, the source {apart:.1f} mm")
    images = [render(patient, camera, at)[0, 0] for at in (truth, start, found)]
    pictures = [to_grey(image, window=(0.0, float(given.max()))) for image in images]
    out.mkdir(parents=True, exist_ok=True)
    save_png(out / "poses.png", montage(pictures, ["given", "start", "found"]))


if __name__ == "__main__":
    main(Path("out/follow_gradient"), quick="--quick" in sys.argv)
