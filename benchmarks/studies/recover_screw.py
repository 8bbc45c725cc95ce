"""Find where a pedicle screw is from one noisy X-ray, by descending the gradient through the whole simulator.

A screw sits in a vertebra of the procedural patient. An oblique X-ray of it is simulated with a 90 kV spectrum,
scatter, the detector's blur and quantum noise; the dose is that of a lumbar spine, some 3 uGy behind the patient. From
a start 8 mm and 10 degrees off, the screw's six pose parameters then follow the gradient of the picture's likelihood,
first of blurred pictures, then of sharp ones. The tulip head makes the roll visible. How far away the screw is shows in
its magnification alone, three parts in ten thousand for 0.2 mm.

    python -m benchmarks.studies.recover_screw [--views 2] [-o picture.png]

prints the remaining error and the Cramer-Rao bound, below which no unbiased method can come on average. The X-ray comes
from the same simulator that explains it: what real images add in errors of the model is not shown here.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad
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
from xraykit.render.geometry import rigid_inverse, se3_exp, se3_log
from xraykit.render.meshes import thickness
from xraykit.render.physics import Detector, detected_quanta
from xraykit.render.pictures import montage, overlay, save_png, to_grey
from xraykit.render.simulation import BeamSettings, Body, DoseSettings, MarchSettings, ScatterSettings, tool_pose
from xraykit.render.volumes import label_centroids

SPECTRUM, DETECTOR, SCREW = Spectrum(90.0), Detector(), instrument("pedicle_screw")
DIRECTIONS = torch.tensor([45.0, -45.0], dtype=torch.float64)  # LAO of the first and the second view [degrees]
PHOTONS = 1.5e7  # per square millimetre of detector, in air
NO_NOISE = DoseSettings()

# Right, down and away as the first camera sees it [mm], and turns about these axes [radians].
START = torch.tensor([4.0, -3.0, 6.0, 0.10, -0.11, 0.09], dtype=torch.float64)
SCALES = torch.tensor([1.0, 1.0, 20.0, 0.05, 0.05, 0.05], dtype=torch.float64)  # what changes the picture about equally
PROBE = torch.tensor([0.05, 0.05, 0.5, 0.004, 0.004, 0.004], dtype=torch.float64)


@dataclass(frozen=True)
class Setting:
    """Patient and views; `frame` stands in the screw's middle, its axes are those of the first camera."""

    body: Body
    camera: Camera
    views: Tensor
    frame: Tensor
    quanta: float

    def image(self, pose: Tensor, *, dose: DoseSettings = NO_NOISE, seed: int = 0) -> Tensor:
        """Square roots of the intensities, (V, 1, H, W), with the screw at `pose`: their noise is alike everywhere."""
        settings = SimulationSettings(
            beam=BeamSettings(spectrum=SPECTRUM),
            detector=DETECTOR,
            scatter=ScatterSettings(scatter_to_primary=0.2),
            dose=dose,
            march=MarchSettings(samples=250),
            masks=False,
        )
        scene = Scene(bodies=(self.body,), tools=(PlacedTool(SCREW, pose),))
        return simulate(scene, self.camera, self.views, settings, seed=seed).intensity.double().clamp(min=1e-9).sqrt()

    def moved(self, pose: Tensor, motion: Tensor) -> Tensor:
        """The pose after a motion (6,) along and about the axes of `frame`."""
        return self.frame @ se3_exp(motion) @ rigid_inverse(self.frame) @ pose

    def error(self, pose: Tensor, truth: Tensor) -> Tensor:
        """By how much a pose is off: mm right, down and away, then degrees about these axes."""
        off = se3_log(rigid_inverse(self.frame) @ pose @ rigid_inverse(truth) @ self.frame)
        return torch.cat([off[:3], off[3:].rad2deg()])

    def information(self, pose: Tensor) -> Tensor:
        """Fisher's information on a motion, (6, 6): the sum over pixels of 4 quanta (d sqrt I)^2.

        Counts taken as Poisson: that the beam hardens behind the patient adds about a tenth to the noise.
        """
        with torch.no_grad():
            slopes = [
                (self.image(self.moved(pose, step)) - self.image(self.moved(pose, -step))).flatten() / (2 * step.sum())
                for step in torch.diag(PROBE)
            ]
        return 4 * self.quanta * torch.stack(slopes) @ torch.stack(slopes).T


@dataclass(frozen=True)
class Result:
    """Poses (4, 4); errors as of `Setting.error`, with the roll about the screw's own axis [degrees] at their end."""

    setting: Setting
    measured: Tensor
    truth: Tensor
    start: Tensor
    found: Tensor
    error: Tensor
    bound: Tensor


def recover(*, views: int = 1, pixels: int = 200, spacing: float = 0.4, seed: int = 0) -> Result:
    """Simulate, start off, descend."""
    patient = torso(spacing=3.0)
    place = label_centroids(patient, ["vertebrae_L3"])["vertebrae_L3"] + torch.tensor([14.0, -12.0, 4.0])
    truth = tool_pose(place, direction=(-0.3, 0.9, 0.1), turn=20.0)
    middle = truth[:3, 3] + 30.0 * truth[:3, 2]
    poses = carm_pose(lao_rao=DIRECTIONS[:views], cra_cau=8.0, sod=620.0, isocenter=middle)
    frame = poses[0].clone()
    frame[:3, 3] = middle
    camera = Camera(sdd=1020.0, height=pixels, width=pixels, pixel_spacing=spacing)
    dose = DoseSettings(photons_per_pixel=PHOTONS * spacing**2)
    quanta = PHOTONS * spacing**2 * detected_quanta(SPECTRUM, DETECTOR)
    setting = Setting(Body.from_volume(patient), camera, poses, frame, quanta)

    start = setting.moved(truth, START)
    with torch.no_grad():
        measured = setting.image(truth, dose=dose, seed=seed)
    found = start
    for blur in (3.2, 1.2):
        found = descend(setting, found, measured, torch.diag(SCALES), blur=blur / spacing, steps=15)
    whitened = torch.linalg.cholesky(setting.information(found)).inverse().mT
    found = descend(setting, found, measured, whitened, blur=0.0, steps=20)

    covariance = setting.information(found).inverse()
    axis = frame[:3, :3].T @ truth[:3, 2]
    variance = torch.cat([covariance.diagonal(), (axis @ covariance[3:, 3:] @ axis)[None]])
    bound = torch.cat([variance[:3].sqrt(), variance[3:].sqrt().rad2deg()])
    error = setting.error(found, truth)
    return Result(setting, measured, truth, start, found, torch.cat([error, (axis @ error[3:])[None]]), bound)


def descend(setting: Setting, pose: Tensor, measured: Tensor, units: Tensor, *, blur: float, steps: int) -> Tensor:
    """The most likely pose near a first one, by L-BFGS on the simulator's gradient.

    The columns of `units` (6, 6) are the motions that count as one step: a millimetre away changes the picture far less
    than a millimetre sideways. A Gaussian of `blur` pixels over both pictures widens the reach and loses detail.
    """
    step = torch.zeros(6, dtype=torch.float64, requires_grad=True)
    descent = torch.optim.LBFGS([step], max_iter=steps, line_search_fn="strong_wolfe", tolerance_change=1e-6)
    goal = blurred(measured, blur)

    def loss() -> Tensor:
        descent.zero_grad()
        picture = blurred(setting.image(setting.moved(pose, units @ step)), blur)
        value = 2 * setting.quanta * (picture - goal).square().sum()
        value.backward()
        return value

    descent.step(loss)
    return setting.moved(pose, units @ step.detach())


def blurred(image: Tensor, sigma: float) -> Tensor:
    """The image (V, 1, H, W) under a Gaussian of `sigma` pixels; 0 leaves it."""
    if sigma == 0:
        return image
    reach = math.ceil(3 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=image.dtype) / sigma) ** 2)
    weights = weights / weights.sum()
    wide = pad(image, (reach,) * 4, mode="replicate")
    return conv2d(conv2d(wide, weights[None, None, None]), weights[None, None, :, None])


def picture(result: Result) -> np.ndarray:
    """A row per view: the X-ray, the screw's outline at the start and where it was found, and what is unexplained."""
    setting, rows = result.setting, []
    for view in range(len(result.measured)):
        xray = to_grey(-2 * result.measured[view, 0].log())
        panels, captions = [xray], ["the X-ray"]
        for name, pose in (("start", result.start), ("found", result.found)):
            outline = thickness([SCREW], setting.camera, setting.views, poses=pose[None])[view, 0] > 0
            panels.append(overlay(xray, {"screw": outline.numpy()}, opacity=0.0))
            captions.append(f"outline at {name}")
        for name, pose in (("start", result.start), ("found", result.found)):
            with torch.no_grad():
                off = (result.measured - setting.image(pose))[view, 0] * 2 * math.sqrt(setting.quanta)
            panels.append((127.5 + 127.5 * (off / 5).clamp(-1, 1)).byte().numpy())
            captions.append(f"X-ray minus {name}, black to white: 10 standard deviations of the noise")
        rows.append(montage([panel.repeat(2, axis=0).repeat(2, axis=1) for panel in panels], captions))
    return np.concatenate(rows)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--views", type=int, choices=(1, 2), default=1, help="how many X-rays (default 1)")
    parser.add_argument("--seed", type=int, default=0, help="of the noise")
    parser.add_argument("-o", "--output", help="write a picture, PNG")
    options = parser.parse_args()
    result = recover(views=options.views, seed=options.seed)
    print("            right     down     away [mm]     turns about these     roll [degrees]")
    for name, numbers in (("error", result.error), ("bound", result.bound)):
        print(f"{name:8s}" + "".join(f"{number:9.4f}" for number in numbers.tolist()))
    print(f"off by {result.error[:3].norm():.3f} mm and {result.error[3:6].norm():.3f} degrees")
    if options.output:
        save_png(options.output, picture(result))


if __name__ == "__main__":
    main()
