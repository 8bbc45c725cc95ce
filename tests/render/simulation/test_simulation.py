"""A simulated image is what lengths, tables and settings say, and views are independent."""

import math
from dataclasses import replace

import pytest
import torch
from support.cubes import CAMERA, POSE, block, cube, moved
from xraykit.render import Camera, GeometryError, InputError, carm_pose
from xraykit.render.materials.materials import find_material
from xraykit.render.physics.beer_lambert import transmission
from xraykit.render.physics.detector import Detector
from xraykit.render.physics.spectrum import MonochromaticSpectrum, Spectrum
from xraykit.render.radiographs import RectangularShutter
from xraykit.render.rendering import path_lengths
from xraykit.render.simulation.scene import PlacedTool, Scene
from xraykit.render.simulation.settings import (
    BeamSettings,
    DoseSettings,
    MarchSettings,
    ScatterSettings,
    SimulationSettings,
)
from xraykit.render.simulation.simulation import simulate

MONO = SimulationSettings(
    beam=BeamSettings(spectrum=MonochromaticSpectrum(60.0)),
    detector=Detector(scintillator=None, blur=None),
    march=MarchSettings(method="siddon", backend="torch", displacement_step=0.1, tool_rays=1),
)
CENTRE = (0, slice(None), 4, 5)


def test_one_energy_through_a_cube_of_metal_is_beer_lambert():
    scene = Scene(tools=(PlacedTool(cube(10.0)),))
    result = simulate(scene, CAMERA, POSE, MONO)
    mu = float(find_material("titanium").linear_attenuation(60.0))
    assert float(result.intensity[0, 0, 4, 5]) == pytest.approx(math.exp(-mu * 10.0), rel=1e-6)
    assert float(result.line_integrals[0, 0, 4, 5]) == pytest.approx(mu * 10.0, rel=1e-6)
    assert float(result.intensity[0, 0, 0, 0]) == 1.0
    assert torch.equal(result.intensity, result.primary)


def test_a_scene_without_tools_has_no_lengths_on_the_grid_of_the_image():
    settings = replace(MONO, march=replace(MONO.march, tool_rays=2))
    result = simulate(Scene((block(),)), CAMERA, POSE, settings)
    assert result.tool_lengths.shape == (1, 0, CAMERA.height, CAMERA.width)


def test_a_tool_takes_the_place_of_tissue_and_a_contrast_agent_does_not():
    body, tool = block(), PlacedTool(cube(10.0))
    grams = float(body.materials.densities[10, 10, 10].sum())
    for displaces, tissue_mm in ((True, 70.0), (False, 80.0)):
        scene = Scene((body,), (replace(tool, displaces=displaces),))
        result = simulate(scene, CAMERA, POSE, MONO)
        by_name = dict(zip((m.name for m in result.materials), result.area_densities[CENTRE], strict=True))
        assert float(by_name["titanium"]) == pytest.approx(4.506, rel=1e-6)
        tissue = sum(float(v) for name, v in by_name.items() if name != "titanium")
        assert tissue == pytest.approx(grams * tissue_mm / 10, rel=1e-5)


def test_overlapping_tools_displace_tissue_once_and_add_their_own_mass():
    tools = (PlacedTool(cube(10.0), name="a"), PlacedTool(cube(10.0, material="lead"), moved(0, 4.0), name="b"))
    result = simulate(Scene((block(),), tools), CAMERA, POSE, MONO)
    grams = float(block().materials.densities[10, 10, 10].sum())
    by_name = dict(zip((m.name for m in result.materials), result.area_densities[CENTRE], strict=True))
    assert float(by_name["titanium"]) == pytest.approx(4.506, rel=1e-6)
    assert float(by_name["lead"]) == pytest.approx(11.35, rel=1e-6)
    tissue = sum(float(v) for name, v in by_name.items() if name not in ("titanium", "lead"))
    assert tissue == pytest.approx(grams * (80.0 - 14.0) / 10, rel=1e-5)


def test_bodies_add_up_and_density_scales_are_factors():
    one = simulate(Scene((block(),)), CAMERA, POSE, MONO).area_densities
    two = simulate(Scene((block(), replace(block(), name="again"))), CAMERA, POSE, MONO).area_densities
    torch.testing.assert_close(two, 2 * one)
    scaled = replace(block(), density_scale={"soft_tissue": 0.5})
    result = simulate(Scene((scaled,)), CAMERA, POSE, MONO)
    factors = torch.tensor([0.5 if m.name == "soft_tissue" else 1.0 for m in result.materials], dtype=torch.float64)
    torch.testing.assert_close(result.area_densities, one * factors[:, None, None])


def test_a_density_scale_holds_inside_tools_too():
    scaled = replace(block(), density_scale={"soft_tissue": 0.5, "adipose": 0.5})
    tool = PlacedTool(cube(10.0))
    full = simulate(Scene((block(),), (tool,)), CAMERA, POSE, MONO)
    half = simulate(Scene((scaled,), (tool,)), CAMERA, POSE, MONO)
    tissue = [n for n, m in enumerate(full.materials) if m.name in ("soft_tissue", "adipose")]
    torch.testing.assert_close(half.area_densities[:, tissue], full.area_densities[:, tissue] / 2)


def test_a_tool_of_another_density_weighs_so_much():
    scene = Scene(tools=(PlacedTool(cube(10.0), density=2.0),))
    assert float(simulate(scene, CAMERA, POSE, MONO).area_densities[0, 0, 4, 5]) == pytest.approx(2.0, rel=1e-6)


def test_the_spectrum_and_detector_are_those_of_the_settings():
    scene = Scene((block(),), (PlacedTool(cube(10.0)),))
    settings = replace(MONO, beam=BeamSettings(spectrum=Spectrum(70.0)), detector=Detector(blur=None))
    result = simulate(scene, CAMERA, POSE, settings)
    expected = transmission(result.area_densities, result.materials, Spectrum(70.0), detector=Detector())
    torch.testing.assert_close(result.primary, expected)
    assert result.metadata["kvp"] == 70.0


def test_metal_is_darker_than_tissue_and_tissue_than_air():
    scene = Scene((block(voxels=5),), (PlacedTool(cube(10.0)),))
    image = simulate(scene, CAMERA, POSE, replace(MONO, beam=BeamSettings())).intensity[0, 0]
    assert image[4, 5] < 0.2 < image[4, 7] < 0.9
    assert float(image[4, 10]) == pytest.approx(1.0, rel=1e-6)


def test_scatter_has_the_stated_ratio_and_joins_the_image():
    scene = Scene((block(),))
    result = simulate(scene, CAMERA, POSE, replace(MONO, scatter=ScatterSettings(0.7)))
    behind = result.primary < 0.95
    assert float(result.scatter[behind].mean() / result.primary[behind].mean()) == pytest.approx(0.7, rel=1e-4)
    torch.testing.assert_close(result.intensity, result.primary + result.scatter)


def test_a_shutter_darkens_what_it_covers():
    beam = replace(MONO.beam, shutter=RectangularShutter(2, 2, 8, 7), leakage=0.01, oblique=True)
    result = simulate(Scene((block(),)), CAMERA, POSE, replace(MONO, beam=beam))
    torch.testing.assert_close(result.intensity, result.air * result.primary)
    assert float(result.air[0, 0, 0, 0]) == pytest.approx(0.01, rel=1e-2)
    assert float(result.air[0, 0, 4, 5]) == pytest.approx(1.0, rel=1e-6)


def test_noise_is_repeatable_and_a_view_does_not_depend_on_its_batch_mates():
    pose = torch.cat([POSE, carm_pose(lao_rao=25.0, sod=800.0, isocenter=(0.0, 0.0, 0.0))])
    dose = DoseSettings(photons_per_pixel=500.0, readout_quanta=3.0)
    settings = replace(MONO, dose=dose, scatter=ScatterSettings(0.3), detector=Detector())
    scene = Scene((block(),), (PlacedTool(cube(10.0)),))
    both = simulate(scene, CAMERA, pose, settings, seed=4)
    again = simulate(scene, CAMERA, pose, settings, seed=4)
    alone = simulate(scene, CAMERA, pose[:1], settings, seed=4)
    other = simulate(scene, CAMERA, pose[:1], settings, seed=5)
    assert torch.equal(both.intensity, again.intensity)
    torch.testing.assert_close(both.intensity[:1], alone.intensity, rtol=0, atol=1e-12)
    assert not torch.allclose(alone.intensity, other.intensity)
    assert not torch.allclose(both.intensity[0] - both.primary[0], both.intensity[1] - both.primary[1])


def test_the_dose_sets_the_noise():
    camera = Camera(sdd=1000.0, height=200, width=200, pixel_spacing=0.5)
    scene = Scene(tools=(PlacedTool(cube(10.0), moved(500.0)),))
    for dose in (DoseSettings(photons_per_pixel=400.0), DoseSettings(photons_per_pixel=400.0, law="gaussian")):
        image = simulate(scene, camera, POSE, replace(MONO, dose=dose)).intensity
        assert float(image.mean()) == pytest.approx(1.0, abs=0.002)
        assert float(image.var()) == pytest.approx(1 / 400, rel=0.03)
    mas = replace(MONO, dose=DoseSettings(mas=0.1))
    expected = 1e8 * 0.1 * 0.25 / 100  # output at 1 m, mAs, area in cm2
    assert simulate(scene, camera, POSE, mas).metadata["quanta_per_pixel_in_air"] == pytest.approx(expected)


def test_noise_behind_metal_is_that_of_the_hardened_beam():
    camera = Camera(sdd=1000.0, height=200, width=200, pixel_spacing=0.02)
    scene = Scene(tools=(PlacedTool(cube(10.0)),))
    dose = DoseSettings(photons_per_pixel=1e4)
    result = simulate(scene, camera, POSE, replace(MONO, beam=BeamSettings(), dose=dose))
    second = transmission(result.area_densities, result.materials, Spectrum(90.0), detector=MONO.detector, moment=2)
    quanta = result.metadata["quanta_per_pixel_in_air"]
    assert float(result.intensity.var()) == pytest.approx(float(second.mean()) / quanta, rel=0.03)
    assert float(second.mean()) > 1.1 * float(result.primary.mean())


def test_masks_paths_and_landmarks_come_along():
    tools = (PlacedTool(cube(10.0), name="in"), PlacedTool(cube(10.0), moved(900.0), name="out of view"))
    scene = Scene((block(),), tools, {"tip": (0.0, 5.0, 0.0), "aside": (400.0, 0.0, 0.0)})
    result = simulate(scene, CAMERA, POSE, replace(MONO, path_lengths=("liver",)))
    assert result.masks.names == ("liver", "in", "out of view")
    assert torch.equal(result.masks.mask("in"), result.tool_lengths[:, 0] > 0)
    assert not result.masks.mask("out of view").any()
    expected = path_lengths(scene.bodies[0].volume, CAMERA, POSE, wanted=["liver"], backend="torch")["liver"]
    assert torch.equal(result.path_lengths["liver"], expected)
    assert result.landmarks.visible.tolist() == [[True, False]]
    assert simulate(scene, CAMERA, POSE, replace(MONO, masks=False)).masks is None


def test_a_tool_may_move_between_views():
    pose = POSE.expand(2, 4, 4)
    places = torch.stack([moved(), moved(12.0)])
    result = simulate(Scene(tools=(PlacedTool(cube(10.0), places),)), CAMERA, pose, MONO)
    for b, place in enumerate(places):
        single = simulate(Scene(tools=(PlacedTool(cube(10.0), place),)), CAMERA, POSE, MONO)
        assert torch.equal(result.intensity[b], single.intensity[0])


def test_mistakes_are_named():
    scene = Scene((block(),), (PlacedTool(cube(10.0)),))
    with pytest.raises(GeometryError, match=r"pose must be \(B, 4, 4\)"):
        simulate(scene, CAMERA, torch.eye(3), MONO)
    with pytest.raises(InputError, match="path_lengths must name labels of the scene, got 'femur_left'"):
        simulate(scene, CAMERA, POSE, replace(MONO, path_lengths=("femur_left",)))
    with pytest.raises(InputError, match="seed must be a whole number from 0"):
        simulate(scene, CAMERA, POSE, replace(MONO, dose=DoseSettings(photons_per_pixel=10.0)), seed=-1)
    twice = Scene(tools=(PlacedTool(cube(), torch.stack([moved()] * 3)),))
    with pytest.raises(GeometryError, match=r"pose of cube must be \(4, 4\) or \(2, 4, 4\)"):
        simulate(twice, CAMERA, POSE.expand(2, 4, 4), MONO)
    cameras = Camera(sdd=torch.tensor([1000.0, 1100.0]), height=9, width=11, pixel_spacing=4.0)
    with pytest.raises(InputError, match="mas needs one camera for all views"):
        simulate(scene, cameras, POSE.expand(2, 4, 4), replace(MONO, dose=DoseSettings(mas=1.0)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DoseSettings(photons_per_pixel=0.0), "dose must be positive and finite, got photons_per_pixel=0.0"),
        (lambda: DoseSettings(mas=-1.0), "dose must be positive and finite, got mas=-1.0"),
        (lambda: DoseSettings(mas=1.0, photons_per_pixel=1.0), "photons_per_pixel or mas, got both"),
        (lambda: DoseSettings(readout_quanta=1.0), "readout_quanta needs a dose"),
        (lambda: DoseSettings(mas=1.0, readout_quanta=-1.0), "readout_quanta must be 0 or more"),
        (lambda: DoseSettings(law="uniform"), "law must be 'poisson' or 'gaussian'"),
        (lambda: MarchSettings(samples=0), "samples must be a whole number from 1 to 100000, got 0"),
        (lambda: MarchSettings(samples=2.0), "samples must be a whole number from 1 to 100000, got 2.0"),
        (
            lambda: MarchSettings(displacement_step=0.0),
            "displacement_step must be finite and at least 0.001 mm, got 0.0",
        ),
        (lambda: MarchSettings(displacement_step=float("nan")), "displacement_step must be finite"),
        (lambda: ScatterSettings(-0.1), "scatter_to_primary must be 0 or more"),
        (lambda: BeamSettings(MonochromaticSpectrum(60.0), anode_direction=0.0), "anode_direction needs the spectrum"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_pixel_half_covered_by_metal_lets_half_of_the_light_through():
    """The edge of a wide cube runs down the middle of a pixel: two of its four rays meet metal, in full length."""
    camera = Camera(sdd=1e6, height=4, width=4, pixel_spacing=1.0)
    pose = carm_pose(sod=0.5e6)
    magnification = 2.0
    for offset in (0.0, 0.5):
        scene = Scene(tools=(PlacedTool(cube(10.0), moved(5.0 + offset / magnification)),))
        shots = {
            n: simulate(scene, camera, pose, replace(MONO, march=replace(MONO.march, tool_rays=n))) for n in (1, 2, 4)
        }
        full = math.exp(-float(find_material("titanium").linear_attenuation(60.0)) * 10.0)
        expected = (1 + full) / 2 if offset else None
        for n in (2, 4):
            row = shots[n].primary[0, 0, 2]
            middles = [float(v) for v in row if 2 * full < float(v) < 0.95]
            if expected is None:
                assert not middles
            else:
                assert len(middles) == 1
                assert middles[0] == pytest.approx(expected, rel=1e-4)
        if expected is None:
            assert not [float(v) for v in shots[1].primary[0, 0, 2] if 2 * full < float(v) < 0.95]


@pytest.mark.parametrize("rays", [0, 9, 1.5, True])
def test_tool_rays_out_of_range_are_refused(rays):
    with pytest.raises(InputError, match="tool_rays must be a whole number from 1 to 8"):
        MarchSettings(tool_rays=rays)
