"""Domain randomisation changes what X-rays change, and leaves the geometry alone."""

import sys

import pytest
import torch
from xraykit.render import BackendUnavailableError, Camera, InputError
from xraykit.xvr.train.augment import COLLIMATED, Randomisation, collimated, measured

pytest.importorskip("kornia", reason="needs the extra: pip install 'xraykit-xvr[train]'")
CAMERA = Camera(sdd=1020.0, height=32, width=32, pixel_spacing=8.0)


def images(n=8):
    y, x = torch.meshgrid(torch.linspace(-1, 1, 32), torch.linspace(-1, 1, 32), indexing="ij")
    return (4 * torch.exp(-3 * ((x - 0.2) ** 2 + y**2))).expand(n, 1, 32, 32).clone()


def test_probability_0_changes_nothing():
    assert Randomisation(0.0)(images()) is not None
    torch.testing.assert_close(Randomisation(0.0)(images()), images())


def test_without_kornia_the_extra_and_the_way_without_it_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "kornia.augmentation", None)
    with pytest.raises(BackendUnavailableError, match=r"--augment above 0\) needs kornia.*'xraykit-xvr\[train\]'"):
        Randomisation(0.5)


def test_images_change_each_by_itself_and_stay_in_range():
    torch.manual_seed(3)
    changed = Randomisation(0.5)(images(16))
    assert changed.shape == (16, 1, 32, 32)
    assert float(changed.min()) > -0.1 and float(changed.max()) < 1.1
    assert len({round(float(image.sum()), 3) for image in changed}) > 8


def test_equal_seeds_randomise_equally():
    change = Randomisation(0.333)
    found = []
    for _ in range(2):
        torch.manual_seed(5)
        found.append(change(images()))
    assert torch.equal(found[0], found[1])


def test_collimation_takes_a_border_and_nothing_else():
    torch.manual_seed(0)
    size = 50
    left = collimated(torch.ones(64, 1, size, size), 0.5)[:, 0]
    widths = (left[:, size // 2] == 0).sum(dim=1)  # of left and right together
    assert 10 < int((widths > 0).sum()) < 45 and int(widths.max()) <= 2 * (COLLIMATED * size + 1)
    inner = int(COLLIMATED * size) + 1
    assert bool((left[:, inner:-inner, inner:-inner] == 1).all())


def test_a_detector_s_image_has_noise_scatter_and_the_same_content():
    torch.manual_seed(1)
    clean = images()
    seen = measured(clean, CAMERA)
    difference = seen - clean
    assert 1e-4 < float(difference.std()) < 0.6
    flat = torch.stack([seen.flatten(), clean.flatten()])
    assert float(torch.corrcoef(flat)[0, 1]) > 0.95


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_a_probability_outside_0_to_1_is_refused(p):
    with pytest.raises(InputError, match="must lie in 0 to 1"):
        Randomisation(p)
