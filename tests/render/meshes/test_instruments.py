"""The built-in instruments: closed, of the right size, recognisable by their numbers."""

import pytest
import torch
from xraykit.render import Camera, InputError, carm_pose, instrument
from xraykit.render.materials.materials import find_material
from xraykit.render.meshes import INSTRUMENTS, self_intersections, thickness

LONGEST = {  # mm, over all seeds
    "cannulated_screw": (30, 130),
    "clamp": (110, 240),
    "drill_bit": (110, 180),
    "femoral_component": (60, 80),
    "hip_stem": (140, 220),
    "k_wire": (150, 280),
    "needle": (70, 170),
    "pedicle_screw": (45, 75),
    "plate": (40, 170),
    "tibial_component": (65, 85),
}
ACROSS = ("femoral_component", "tibial_component")  # widest from side to side


@pytest.mark.parametrize("name", INSTRUMENTS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_instrument_is_a_sound_mesh_of_plausible_size(name: str, seed: int) -> None:
    tool = instrument(name, seed=seed)  # the constructor has seen that it is closed and outward
    low, high = LONGEST[name]
    longest = float(tool.size.max())
    assert low <= longest <= high and tool.size.argmax() == (0 if name in ACROSS else 2)
    assert abs(float(tool.bounds[0, 2])) < 1e-4  # the tip is at the origin
    assert self_intersections(tool) == 0
    assert tool.name == name and "mm" in tool.description and find_material(tool.material).name == tool.material
    assert len(tool.faces) < 40_000


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_no_ray_has_less_than_no_metal(name: str) -> None:
    tool = instrument(name, seed=1)
    middle = tool.bounds.mean(dim=0)
    pose = carm_pose(lao_rao=31.0, cra_cau=12.0, roll=27.0, sod=800.0, isocenter=middle)
    camera = Camera(sdd=1000.0, height=96, width=96, pixel_spacing=float(tool.size.max()) * 1.3 / 96)
    seen = thickness([tool], camera, pose)
    assert seen.min() == 0 and 0.5 < seen.max() <= tool.size.norm()
    # The picture holds the volume: at the distance of the tool a pixel covers (0.8 spacing)^2, to 2 % for its depth.
    pixel = (0.8 * float(tool.size.max()) * 1.3 / 96) ** 2
    assert abs(float(seen.double().sum()) * pixel / tool.volume - 1) < 0.1


def test_same_seed_same_mesh_and_other_seeds_vary() -> None:
    for name in INSTRUMENTS:
        first = instrument(name, seed=7)
        assert torch.equal(first.vertices, instrument(name, seed=7).vertices)
        assert len({instrument(name, seed=n).description for n in range(5)}) > 1


def test_volume_of_the_wire_is_that_of_a_rod() -> None:
    wire = instrument("k_wire", seed=1)
    radius, length = float(wire.size[0]) / 2, float(wire.size[2])
    assert abs(wire.volume / (torch.pi * radius**2 * length) - 1) < 0.04


def test_needle_is_hollow() -> None:
    needle = instrument("needle", seed=1)
    pose = carm_pose(lao_rao=0.0, cra_cau=90.0, roll=0.0, sod=800.0, isocenter=(0.0, 0.0, 40.0))
    seen = thickness([needle], Camera(sdd=900.0, height=31, width=31, pixel_spacing=0.3), pose)[0, 0]
    assert seen[15, 15] == 0 and seen.max() > 60


def test_plate_has_as_many_holes_as_it_says() -> None:
    plate = instrument("plate", seed=3)
    edges = torch.cat([plate.faces[:, [0, 1]], plate.faces[:, [1, 2]], plate.faces[:, [2, 0]]])
    count = len(edges.sort(dim=1).values.unique(dim=0))
    euler = len(plate.vertices) - count + len(plate.faces)
    assert f"{1 - euler // 2} screw holes" in plate.description  # V - E + F = 2 - 2 holes


def test_unknown_instrument_is_refused_with_the_list() -> None:
    with pytest.raises(InputError, match=r"must be one of cannulated_screw, clamp, .* got 'saw'"):
        instrument("saw")
