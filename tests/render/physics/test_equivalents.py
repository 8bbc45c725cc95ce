"""Two materials for all tissues: the attenuation and the images they must keep, and what they cannot carry."""

import numpy as np
import pytest
import torch
from support.scenes import oblique_affine
from xraykit.render import Camera, Volume, carm_pose
from xraykit.render.errors import InputError
from xraykit.render.materials.materials import MATERIALS, Material
from xraykit.render.physics.area_density import MaterialVolume, area_densities
from xraykit.render.physics.beer_lambert import transmission
from xraykit.render.physics.equivalents import equivalents
from xraykit.render.physics.spectrum import Spectrum
from xraykit.render.simulation.scene import Body

BASIS = ("soft_tissue", "cortical_bone")
CAMERA = Camera(sdd=200.0, height=12, width=10, pixel_spacing=2.0)


def materials(*names):
    return tuple(MATERIALS[name] for name in names)


def body_of_every_tissue() -> Volume:
    """Slabs from lung to dense bone, 2 mm voxels, wide enough for a transmission of a few per cent."""
    hu = torch.linspace(-900, 1800, 48)[torch.randperm(48, generator=torch.Generator().manual_seed(1))]
    grid = hu.reshape(1, 48, 1).expand(30, 48, 40).clone()
    return Volume.from_hu(grid, oblique_affine())


def test_materials_of_the_basis_are_themselves():
    weights = equivalents(materials(*BASIS), materials(*BASIS))
    np.testing.assert_allclose(weights, np.eye(2), atol=1e-9)


def test_a_mixture_by_mass_is_found_again():
    """The attenuation of a mixture is that of its parts, so its weights are their shares of the mass."""
    soft, bone = materials(*BASIS)
    parts = {}
    for material, share in ((soft, 0.7), (bone, 0.3)):
        for symbol, fraction in material.composition:
            parts[symbol] = parts.get(symbol, 0.0) + share * fraction
    marrow = Material("marrow", 1.2, tuple(parts.items()))
    np.testing.assert_allclose(equivalents((marrow,), (soft, bone)), [[0.7, 0.3]], rtol=1e-6)


@pytest.mark.parametrize(("name", "worst"), [("lung", 0.001), ("adipose", 0.007), ("water", 0.003), ("pmma", 0.01)])
def test_tissues_attenuate_as_their_equivalents_do(name, worst):
    energies = np.linspace(25, 140, 400)
    ((soft, bone),) = equivalents(materials(name), materials(*BASIS))
    carried = soft * MATERIALS[BASIS[0]].mass_attenuation(energies) + bone * MATERIALS[BASIS[1]].mass_attenuation(
        energies
    )
    assert np.abs(carried / MATERIALS[name].mass_attenuation(energies) - 1).max() < worst


def test_fat_holds_less_than_no_bone():
    ((soft, bone),) = equivalents(materials("adipose"), materials(*BASIS))
    assert soft > 1
    assert -0.1 < bone < 0


@pytest.mark.parametrize("name", ["iodine_contrast", "titanium", "lead"])
def test_what_two_tissues_cannot_carry_is_refused(name):
    with pytest.raises(InputError, match=rf"must attenuate as {name} does within 1% .* got \d.*%; leave the basis out"):
        equivalents(materials(name), materials(*BASIS))


@pytest.mark.parametrize("kvp", [50.0, 80.0, 120.0])
@pytest.mark.parametrize("storage", [torch.int16, torch.float32])
def test_images_of_a_body_of_every_tissue_are_the_same(kvp, storage):
    volume = body_of_every_tissue()
    pose = carm_pose(lao_rao=25.0, cra_cau=8.0, sod=150.0, isocenter=volume.center)
    images = []
    for basis in (None, BASIS):
        held = MaterialVolume.from_volume(volume, basis=basis, storage=storage)
        area = area_densities(held, CAMERA, pose, samples=100)
        images.append(transmission(area, held.materials, Spectrum(kvp, (("aluminium", 2.5),))))
    assert held.densities.shape[3] == 2
    whole = -images[0].log()
    assert float(whole.max()) > 1.5
    assert (images[1].log() - images[0].log()).abs().max() < 0.003 * whole.max()


def test_labels_are_carried_too_and_bodies_take_a_basis():
    volume = body_of_every_tissue()
    labels = torch.zeros(volume.shape, dtype=torch.uint8)
    labels[:, :20] = 3
    assert volume.hu is not None
    volume = Volume.from_hu(volume.hu, volume.affine, labels=labels, label_names={3: "muscle"})
    body = Body.from_volume(volume, label_materials={"muscle": "muscle"}, basis=BASIS)
    assert tuple(material.name for material in body.materials.materials) == BASIS
    density = body.materials.densities[..., 0].double() * body.materials.scales[0]
    assert density[5, :20, 5].min() >= 0
    with pytest.raises(InputError, match="must attenuate as titanium does"):
        Body.from_volume(volume, label_materials={"muscle": "titanium"}, basis=BASIS)
