"""Gradients through the whole simulator are its central differences.

The scene: a body of voxels whose density varies, a small hip stem that displaces some of it, a tube spectrum, scatter,
the detector's blur. Its image is smooth except where a ray meets an edge of the mesh, or a sample a face between two
voxels: surfaces in the space of parameters, which a point at random misses with probability one. A central difference
tells something only where its steps stay on one side of all of them. Every test here asserts that they do, for all
pixels: each comparison and rounding of the five runs has the same outcome.
"""

from dataclasses import replace
from functools import cache

import pytest
import torch
from support.cubes import wavy
from support.decisions import decisions_of, same_decisions
from torch import Tensor
from xraykit.render import Camera, carm_pose, instrument
from xraykit.render.geometry import se3_exp
from xraykit.render.physics.area_density import MaterialVolume
from xraykit.render.physics.spectrum import Spectrum
from xraykit.render.rendering.options import Backend
from xraykit.render.simulation.scene import Body, PlacedTool, Scene, tool_pose
from xraykit.render.simulation.settings import (
    BeamSettings,
    DoseSettings,
    MarchSettings,
    ScatterSettings,
    SimulationSettings,
)
from xraykit.render.simulation.simulation import simulate
from xraykit.render.training import one_thread

STEPS = {
    "tool x": 1e-4,
    "tool y": 1e-4,
    "tool z": 1e-4,
    "tool turn x": 5e-6,
    "tool turn y": 5e-6,
    "tool turn z": 5e-6,
    "source x": 1e-4,
    "source y": 1e-4,
    "source z": 1e-4,
    "lao": 1e-4,
    "sdd": 1e-3,
    "principal point": 1e-4,
    "bone density scale": 1e-4,
    "tool density": 1e-3,
}
"""The parameters, and the step of each: mm, radians, degrees for "lao", pixels for the principal point, g/cm3."""

START = torch.zeros(len(STEPS), dtype=torch.float64)
PLACE = tool_pose((-11.3, -7.1, -22.7), direction=(0.35, 0.2, 0.9), turn=21.0)
WEIGHTS = torch.rand(7, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@cache
def body(storage: torch.dtype = torch.float64) -> Body:
    """Bone whose densities are whole multiples of 2^-13 g/cm3: the same numbers in int16, float32 and float64."""
    patient = wavy(hu=500.0)
    stack, unit = patient.materials, 2.0**-13
    codes = (stack.densities[..., -2:] / unit).round()  # of soft tissue and bone; there is nothing else at 500 HU
    densities = codes.to(storage) if storage == torch.int16 else (codes * unit).to(storage)
    scales = (unit if storage == torch.int16 else 1.0,) * 2
    return replace(patient, materials=MaterialVolume(densities, stack.materials[-2:], stack.affine, scales))


def loss(x: Tensor, patient: Body, *, backend: Backend = "torch", dose: DoseSettings | None = None) -> Tensor:
    """A weighted sum of all pixels of the simulated image, at the parameters x."""
    tool, source, (lao, sdd, column, bone, density) = x[:6], x[6:9], x[9:]
    stem = instrument("hip_stem")
    vertices = 0.4 * stem.vertices
    stem = stem.with_vertices(vertices.double() if backend == "torch" else vertices)
    patient = replace(patient, density_scale={"cortical_bone": 1.1 + bone})
    placed = PlacedTool(stem, PLACE @ se3_exp(tool), density=4.0 + density)
    centre = torch.tensor([1.7, -0.6, 2.2], dtype=torch.float64)
    pose = carm_pose(lao_rao=11.0 + lao, cra_cau=7.0, roll=3.0, sod=800.0, isocenter=centre)
    pose = pose + torch.nn.functional.pad(source[:, None], (3, 0, 0, 1))
    middle = torch.stack([3.8 + column, torch.full_like(column, 3.6)])
    camera = Camera(sdd=1000.0 + sdd, height=7, width=8, pixel_spacing=6.0, principal_point=middle)
    settings = SimulationSettings(
        beam=BeamSettings(spectrum=Spectrum(80.0)),
        scatter=ScatterSettings(0.4),
        dose=DoseSettings() if dose is None else dose,
        march=MarchSettings(samples=30, backend=backend, displacement_step=0.5),
        masks=False,
    )
    image = simulate(Scene((patient,), (placed,)), camera, pose, settings, seed=3).intensity
    return (image.double() * WEIGHTS).sum()


def gradient(storage: torch.dtype = torch.float64, backend: Backend = "torch", **options) -> dict[str, float]:
    """Of the loss with respect to every parameter, from one backward pass."""
    x = START.clone().requires_grad_()
    value = loss(x, body(storage), backend=backend, **options)
    return dict(zip(STEPS, torch.autograd.grad(value, x)[0].tolist(), strict=True))


def central_difference(name: str, **options) -> float:
    """Of fourth order, from four runs of the reference that take the same decisions as the one in the middle."""
    direction = torch.tensor([float(name == other) for other in STEPS], dtype=torch.float64)
    patient = body()
    _, expected = decisions_of(lambda: loss(START, patient, **options))
    values = {}
    for steps in (-2, -1, 1, 2):
        x = START + steps * STEPS[name] * direction
        values[steps], decisions = decisions_of(lambda x=x: loss(x, patient, **options))
        assert same_decisions(decisions, expected), f"{name}: a step of {STEPS[name]} meets a kink; halve it"
    near, far = float(values[1] - values[-1]), float(values[2] - values[-2])
    return (8 * near - far) / (12 * STEPS[name])


@pytest.fixture(autouse=True)
def alone():
    with one_thread():
        yield


exact, gradient_of = cache(central_difference), cache(gradient)


# The worst seen: 3e-8 in float64, 3e-6 with the single-precision kernels, where the gradient almost vanishes.
@pytest.mark.parametrize("name", STEPS)
def test_gradient_of_the_reference_is_the_central_difference_to_one_in_a_million(name):
    found = gradient_of(torch.float64, "torch")[name]
    assert found == pytest.approx(exact(name), rel=1e-6, abs=0.0)
    assert abs(found) > 1e-5


@pytest.mark.parametrize("storage", [torch.float32, torch.int16])
@pytest.mark.parametrize("name", STEPS)
def test_gradient_of_single_precision_kernels_is_the_central_difference_to_one_in_a_thousand(name, storage):
    assert gradient_of(storage, "numba")[name] == pytest.approx(exact(name), rel=1e-3, abs=0.0)


@pytest.mark.parametrize("name", ["tool x", "bone density scale"])
def test_noise_that_is_held_fixed_has_its_gradient_too(name):
    dose = DoseSettings(photons_per_pixel=3000.0, law="gaussian")
    assert gradient(dose=dose)[name] == pytest.approx(central_difference(name, dose=dose), rel=1e-6)


def test_a_kink_on_the_way_is_noticed():
    patient, moved = body(), START.clone()
    moved[0] = 0.3
    before, again, after = (decisions_of(lambda x=x: loss(x, patient))[1] for x in (START, START, moved))
    assert same_decisions(before, again)
    assert not same_decisions(before, after)
