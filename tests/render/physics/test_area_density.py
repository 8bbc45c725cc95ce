"""Area densities: slabs in closed form, agreement with the plain renderer, gradients."""

import pytest
import torch
from support.scenes import oblique_affine
from xraykit.render import Camera, GeometryError, Volume, carm_pose, render
from xraykit.render.errors import InputError
from xraykit.render.materials.materials import MATERIALS
from xraykit.render.physics.area_density import MaterialVolume, area_densities
from xraykit.render.physics.beer_lambert import transmission
from xraykit.render.physics.spectrum import MonochromaticSpectrum
from xraykit.render.physics.tissue import TissueLaw

CAMERA = Camera(sdd=200.0, height=6, width=5, pixel_spacing=2.0)


def random_ct(seed: int = 0) -> Volume:
    generator = torch.Generator().manual_seed(seed)
    hu = torch.rand((9, 10, 12), generator=generator) * 2600 - 1000
    labels = torch.randint(0, 3, hu.shape, generator=generator).to(torch.uint8)
    return Volume.from_hu(hu, oblique_affine(), labels=labels, label_names={1: "vertebrae_L1", 2: "screw"})


def view_of(volume: Volume) -> torch.Tensor:
    return carm_pose(lao_rao=20.0, cra_cau=8.0, sod=100.0, isocenter=volume.center)


@pytest.mark.parametrize("method", ["siddon", "trilinear", "joseph"])
@pytest.mark.parametrize("backend", ["torch", "numba"])
def test_at_the_energy_of_the_ct_the_materials_render_as_mu_does(method, backend):
    volume = random_ct()
    mu = (1 + volume.hu / 1000) * float(MATERIALS["water"].linear_attenuation(70.0))
    expected = render(volume.with_mu(mu), CAMERA, view_of(volume), method=method, backend=backend, samples=40)
    tissues = MaterialVolume.from_volume(volume, with_air=True)
    areas = area_densities(tissues, CAMERA, view_of(volume), method=method, backend=backend, samples=40)
    image = transmission(areas, tissues.materials, MonochromaticSpectrum(70.0))
    torch.testing.assert_close(-image.log(), expected, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("backend", ["torch", "numba"])
def test_a_slab_of_bone_has_its_length_times_its_density(backend):
    law = TissueLaw()
    hu = torch.full((30, 30, 30), law.knots[4] + 20)
    volume = Volume.from_hu(hu, torch.eye(4))
    tissues = MaterialVolume.from_volume(volume)
    pose = carm_pose(sod=5000.0, isocenter=volume.center)
    camera = Camera(sdd=5020.0, height=1, width=1)
    areas = area_densities(tissues, camera, pose, method="siddon", backend=backend)[0, :, 0, 0]
    density = law.density(torch.tensor(law.knots[4] + 20, dtype=torch.float64)).item()
    assert areas[3].item() == pytest.approx(3.0 * density, rel=1e-4)
    torch.testing.assert_close(areas[:3], torch.zeros(3), atol=2e-3, rtol=0)


@pytest.mark.parametrize(
    "storage, worst", [(torch.float64, 1e-7), (torch.float32, 1e-6), (torch.int16, 7e-5), (torch.float16, 1e-3)]
)
def test_storage_keeps_the_density_within_what_it_promises(storage, worst):
    volume = random_ct()
    stored = MaterialVolume.from_volume(volume, storage=storage, with_air=True)
    truth = TissueLaw().partial_densities(volume.hu).movedim(0, -1)
    decoded = stored.densities.double() * torch.tensor(stored.scales, dtype=torch.float64)
    assert stored.densities.dtype == storage
    assert (decoded - truth).abs().max() < worst


def test_whole_hounsfield_numbers_are_split_as_any_others():
    hu = random_ct().hu
    assert hu is not None
    whole, dented = hu.round(), hu.round()
    dented[:, 0, 0] += 0.5  # every slice now holds a fraction, which rules out looking numbers up
    made = [
        MaterialVolume.from_volume(Volume.from_hu(h, torch.eye(4)), storage=torch.float32).densities
        for h in (whole, dented)
    ]
    torch.testing.assert_close(made[0][:, 1:], made[1][:, 1:])
    assert not torch.equal(made[0][:, 0, 0], made[1][:, 0, 0])


def test_air_is_left_out_unless_asked_for():
    volume = Volume.from_hu(torch.full((4, 4, 4), -1000.0), torch.eye(4))
    assert not MaterialVolume.from_volume(volume).densities.any()
    with_air = MaterialVolume.from_volume(volume, with_air=True)
    assert with_air.materials[0].name == "air"
    assert with_air.densities[..., 0].all()


def test_a_label_gives_its_voxels_one_material_that_keeps_their_hounsfield_number():
    volume = random_ct()
    assert volume.labels is not None and volume.hu is not None
    stored = MaterialVolume.from_volume(
        volume, labels={"vertebrae": "cortical_bone", 2: "titanium"}, storage=torch.float64, with_air=True
    )
    names = [material.name for material in stored.materials]
    assert names == ["air", "lung", "adipose", "soft_tissue", "cortical_bone", "titanium"]
    screw, bone = volume.labels == 2, volume.labels == 1
    assert not stored.densities[screw][:, :5].any()
    assert not stored.densities[bone][:, [0, 1, 2, 3, 5]].any()
    assert not stored.densities[volume.labels == 0][:, 5].any()
    mu = (stored.densities[screw][:, 5] * float(MATERIALS["titanium"].mass_attenuation(70.0))) / 10
    water = float(MATERIALS["water"].linear_attenuation(70.0))
    torch.testing.assert_close(mu, water * (1 + volume.hu[screw].double() / 1000), rtol=1e-5, atol=1e-8)


def test_a_batch_equals_its_loop_and_scale_multiplies():
    volume = random_ct()
    tissues = MaterialVolume.from_volume(volume)
    pose = torch.cat([view_of(volume), carm_pose(lao_rao=60.0, sod=100.0, isocenter=volume.center)])
    both = area_densities(tissues, CAMERA, pose, samples=30)
    assert both.shape == (2, 4, 6, 5)
    assert torch.equal(both[1:], area_densities(tissues, CAMERA, pose[1:], samples=30))
    assert torch.equal(both[1:], area_densities(tissues, CAMERA, pose[1], samples=30))
    scale = torch.tensor([1.0, 1.0, 0.5, 2.0])
    torch.testing.assert_close(
        area_densities(tissues, CAMERA, pose, samples=30, scale=scale), both * scale[:, None, None]
    )


def test_a_ray_that_misses_everything_meets_no_mass_and_no_warning():
    volume = random_ct()
    away = carm_pose(sod=100.0, isocenter=volume.center + 1000.0)
    assert not area_densities(MaterialVolume.from_volume(volume), CAMERA, away, samples=20).any()


@pytest.mark.parametrize("method", ["siddon", "trilinear"])
def test_gradients_of_pose_density_and_scale_are_those_of_central_differences(method):
    volume = random_ct()
    assert volume.hu is not None
    densities = TissueLaw().partial_densities(volume.hu.double())[1:].movedim(0, -1).contiguous()
    materials = MaterialVolume.from_volume(volume).materials
    camera, pose = Camera(sdd=200.0, height=2, width=2, pixel_spacing=6.1), view_of(volume)
    scale = torch.tensor([1.1, 0.9, 1.0, 0.8], dtype=torch.float64, requires_grad=True)
    shift = torch.tensor([0.11, -0.23, 0.07], dtype=torch.float64, requires_grad=True)
    thicken = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)

    def image(scale, shift, thicken):
        volume = MaterialVolume(densities * thicken, materials, oblique_affine(), (1.0,) * 4)
        moved = torch.cat([torch.cat([pose[:, :3, :3], pose[:, :3, 3:] + shift[:, None]], dim=2), pose[:, 3:]], dim=1)
        areas = area_densities(volume, camera, moved, method=method, samples=25, backend="torch", scale=scale)
        return transmission(areas, materials, MonochromaticSpectrum(60.0))

    assert torch.autograd.gradcheck(image, (scale, shift, thicken), eps=1e-6, rtol=1e-6, atol=1e-9)


def test_gradient_reaches_the_pose_through_the_kernels():
    volume = random_ct()
    tissues = MaterialVolume.from_volume(volume)
    grads = []
    for backend in ("torch", "numba"):
        pose = view_of(volume).requires_grad_()
        area_densities(tissues, CAMERA, pose, samples=30, backend=backend).sum().backward()
        grads.append(pose.grad)
    assert (grads[0] - grads[1]).abs().max() < 1e-3 * grads[0].abs().max()


def plain(**changes) -> Volume:
    return Volume(torch.ones(3, 3, 3), torch.eye(4), **changes)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: MaterialVolume.from_volume(plain()), "need Hounsfield numbers"),
        (lambda: MaterialVolume.from_volume(random_ct(), storage=torch.int8), "storage must be one of"),
        (lambda: MaterialVolume.from_volume(random_ct(), labels={"tail": "lead"}), "no label matches 'tail'"),
        (lambda: MaterialVolume.from_volume(random_ct(), labels={1: "ivory"}), "got 'ivory'"),
        (
            lambda: MaterialVolume.from_volume(plain(hu=torch.zeros(3, 3, 3)), labels={1: "lead"}),
            "need a volume with a label map",
        ),
        (
            lambda: MaterialVolume(torch.zeros(2, 2, 2, 3), (MATERIALS["water"],), torch.eye(4), (1.0,)),
            r"densities must be \(D, H, W, M\)",
        ),
        (
            lambda: area_densities(MaterialVolume.from_volume(random_ct()), CAMERA, torch.eye(4), samples=0),
            "samples must be a positive whole number",
        ),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_a_pose_of_the_wrong_shape_is_refused():
    with pytest.raises(GeometryError, match=r"pose must be \(B, 4, 4\)"):
        area_densities(MaterialVolume.from_volume(random_ct()), CAMERA, torch.eye(3))
