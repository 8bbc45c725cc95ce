"""The components of a knee replacement: their sizes, their shapes, and the cuts they fit."""

import numpy as np
import pytest
import torch
from xraykit.render import Camera, carm_pose, instrument
from xraykit.render.meshes import Mesh, thickness
from xraykit.render.meshes.knee_components import component_size, femoral_cuts

SEEDS = range(12)


def seen_from_the_front(mesh: Mesh) -> torch.Tensor:
    """Metal [mm] on rays along y, (91, 91), a millimetre apart in the middle of the mesh; +x to the right."""
    pose = carm_pose(lao_rao=0.0, cra_cau=0.0, roll=0.0, sod=1e5, isocenter=mesh.bounds.mean(dim=0))
    return thickness([mesh], Camera(sdd=1.01e5, height=91, width=91, pixel_spacing=1.01), pose)[0, 0]


@pytest.mark.parametrize(
    ("name", "low", "high", "volume"),
    [
        ("femoral_component", (60, 52, 44), (80, 72, 66), (20e3, 60e3)),
        ("tibial_component", (65, 38, 37), (85, 57, 56), (8e3, 35e3)),
    ],
)
def test_sizes_are_those_of_catalogues(name, low, high, volume):
    meshes = [instrument(name, seed=seed) for seed in SEEDS]
    for mesh in meshes:
        assert bool((mesh.size > torch.tensor(low)).all() and (mesh.size < torch.tensor(high)).all()), mesh.size
        assert volume[0] < mesh.volume < volume[1]
    assert np.ptp([float(mesh.size[0]) for mesh in meshes]) > 10


@pytest.mark.parametrize("seed", SEEDS)
def test_the_femoral_component_keeps_the_box_of_the_cuts_free(seed):
    mesh = instrument("femoral_component", seed=seed)
    assert "femoral component" in mesh.description
    width, depth = component_size("femoral_component", seed)
    assert mesh.size[:2].tolist() == pytest.approx([width, depth], abs=0.4)
    cuts = femoral_cuts(width, depth)
    (back, _), _, (_, distal), *_, (front, top) = cuts
    x, y, z = mesh.vertices.double().numpy().T
    assert z.max() == pytest.approx(top, abs=0.3)
    beside = np.abs(x) > 0.4 * mesh.size[0].item()  # not the pegs, not the box of the ligament
    within = beside & (y > back + 0.1) & (y < front - 0.5)
    assert bool((z <= np.interp(y, *cuts.T) + 0.1)[within].all())
    assert y.min() < back - 5 and y.max() > front + 4 and distal > 6  # the shell's thickness


def test_condyles_a_notch_and_a_flange_that_leans_to_the_side():
    mesh = instrument("femoral_component", seed=1)
    assert "cruciate-retaining" in mesh.description
    x, y, z = mesh.vertices.double().numpy().T
    half = mesh.size[0].item() / 2
    behind = y < 0
    assert np.abs(x[behind & (z < 8)]).min() > 0.15 * half  # nothing in the notch
    for side in (-1, 1):
        assert np.ptp((side * x)[behind & (side * x > 0)]) > 0.6 * half
    tip = z > z.max() - 6
    assert x[tip].max() > 1.2 * -x[tip].min()  # the flange is higher on the lateral side
    groove = z > 0.5 * z.max()
    ridge = y[groove & (np.abs(np.abs(x) - 0.35 * half) < 3)].max()
    assert y[groove & (np.abs(x) < 1)].max() < ridge - 1


def test_the_tray_is_a_plate_with_a_notch_behind_on_a_keel():
    mesh = instrument("tibial_component", seed=2)
    x, y, z = mesh.vertices.double().numpy().T
    top = z > z.max() - 0.1
    rim = np.hypot(x, y) > 8
    middle = y[top & rim & (np.abs(x) < 2)].min()
    lobe = y[top & (np.abs(np.abs(x) - 0.25 * mesh.size[0].item()) < 3)].min()
    assert middle > lobe + 3
    plate = z[np.abs(x) > 0.98 * x.max()]
    assert 3 <= np.ptp(plate) <= 5
    low = z < 10
    assert np.hypot(x[low], y[low]).max() < 10  # the stem
    fins = (z < plate.min() - 1) & (np.abs(x) > 15)
    assert bool(fins.any()) and np.abs(y[fins]).max() < 14


@pytest.mark.parametrize("name", ["femoral_component", "tibial_component"])
def test_metal_from_the_front_is_the_volume(name):
    mesh = instrument(name, seed=3)
    assert abs(float(seen_from_the_front(mesh).double().sum()) / mesh.volume - 1) < 0.04
