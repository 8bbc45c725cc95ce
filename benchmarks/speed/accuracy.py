"""What the images should be: our torch projectors in float64, at the exact integral of the same interpolant."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from xraykit.render import Camera, Volume, render

from ..common.scenes import SDD, Scene, View

RAYS = 4096  # about; the rows in the middle of the detector stand for all of them
REFERENCE = {
    "siddon": "xraykit siddon, torch, float64 (exact for piecewise constant voxels)",
    "trilinear": "xraykit trilinear, torch, float64, eight times the samples",
    "joseph": "xraykit joseph, torch, float64",
}


@dataclass(frozen=True, eq=False)
class Truth:
    """Reference pixels of the first pose in a band of whole rows."""

    rows: slice
    pixels: Tensor

    def errors(self, image: Tensor) -> dict[str, float]:
        """Largest and root-mean-square deviation, relative to the largest reference pixel."""
        off = (image[:1, :, self.rows].detach().cpu().double() - self.pixels) / self.pixels.max()
        return {"error_max": float(off.abs().max()), "error_rms": float(off.square().mean().sqrt())}


def truth(scene: Scene, view: View, method: str) -> Truth:
    """Compute the reference of a method for a regime, on the CPU in float64."""
    height = min(view.height, -(-RAYS // view.width))
    top = (view.height - height) // 2
    camera = Camera(
        sdd=SDD,
        height=height,
        width=view.width,
        pixel_spacing=view.pixel_spacing,
        principal_point=(view.width / 2, view.height / 2 - top),
    )
    volume = Volume(scene.mu.cpu().double(), scene.affine)
    pose = replace(view, batch=1).poses(scene, dtype=torch.float64).cpu()
    samples = view.samples * 8
    with torch.no_grad():
        image = render(volume, camera, pose, method=method, samples=samples, backend="torch")  # type: ignore[arg-type]
    return Truth(slice(top, top + height), image)
