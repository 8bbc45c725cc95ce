"""Changed views: what the image shows is where the changed projection says, and nothing is aliased."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from xraykit.corr.data import ImageChange, ImageChangeSettings, XrayInputSettings, change_image, draw_changes
from xraykit.corr.data.image_changes import shown_patches
from xraykit.corr.ground_truth import turn_change

SAME = ImageChange(torch.eye(3, dtype=torch.float64))
PLAIN = XrayInputSettings(low=0.0, high=100.0)


def noise(size: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(size, size, generator=torch.Generator().manual_seed(seed))


def blob(size: int, x: float, y: float, width: float = 0.03) -> torch.Tensor:
    """A Gaussian about (x, y) in shares of the image."""
    at = (torch.arange(size) + 0.5) / size
    return torch.exp(-((at[None] - x) ** 2 + (at[:, None] - y) ** 2) / (2 * width**2))


def centre(image: torch.Tensor) -> torch.Tensor:
    """Centroid in shares of the image."""
    at = (torch.arange(image.shape[-1]) + 0.5) / image.shape[-1]
    return torch.stack([(image * at).sum(), (image * at[:, None]).sum()]) / image.sum()


def test_no_change_leaves_the_image():
    lines = noise(32)
    image, seen = change_image(lines, None, SAME, 32, PLAIN)
    spread = (lines - lines.min()) / (lines.max() - lines.min())
    torch.testing.assert_close(image[0], spread, atol=1e-5, rtol=0)
    assert bool(seen.all())


@pytest.mark.parametrize(("turns", "mirror"), [(0, True), (1, False), (3, True), (2, False)])
def test_quarter_turns_and_mirror_images_are_exact(turns, mirror):
    change = ImageChange(turn_change(turns, mirror=mirror))
    lines = noise(32)
    wanted = change_image(lines, None, SAME, 32)[0][0]
    wanted = torch.rot90(wanted.flip(-1) if mirror else wanted, turns)
    torch.testing.assert_close(change_image(lines, None, change, 32)[0][0], wanted, atol=1e-4, rtol=0)


def test_what_is_seen_moves_as_the_change_says():
    settings, rng, found = ImageChangeSettings(brightness=0, contrast=0, gamma=0, invert=0, noise=0), None, 0
    rng = np.random.default_rng(0)
    for _ in range(30):
        x, y = rng.uniform(0.35, 0.65, 2)
        (change,) = draw_changes(settings, rng, 1)
        wanted = (change.matrix @ torch.tensor([x, y, 1.0]).double())[:2]
        if bool(((wanted > 0.15) & (wanted < 0.85)).all()):
            image, _ = change_image(blob(84, x, y), None, change, 64, PLAIN)
            assert float((centre(image[0]).double() - wanted).abs().max()) * 64 < 0.25
            found += 1
    assert found > 10


def test_zoom_roll_shift_and_mirror_are_those_that_were_drawn():
    settings = ImageChangeSettings(roll=20, zoom=0.3, shift=0.1, mirror=0.5)
    rng = np.random.default_rng(1)
    items = [draw_changes(settings, rng, 2) for _ in range(300)]
    linear = torch.stack([torch.stack([change.matrix[:2, :2] for change in item]) for item in items])
    signs = torch.linalg.det(linear).sign()
    assert bool((signs[:, 0] == signs[:, 1]).all())  # both views or none
    assert 0.4 < float((signs < 0).double().mean()) < 0.6
    zoom = torch.linalg.det(linear).abs().sqrt()
    assert 0.7 <= float(zoom.min()) < 0.75 and 1.25 < float(zoom.max()) <= 1.3
    torch.testing.assert_close(zoom[0, 0], torch.tensor(items[0][0].zoom).double())
    middle = torch.stack([change.matrix @ torch.tensor([0.5, 0.5, 1]).double() for item in items for change in item])
    assert 0.09 < float((middle[:, :2] - 0.5).abs().max()) <= 0.1
    angle = torch.rad2deg(torch.atan2(linear[..., 1, 1] * 0 - linear[..., 0, 1], linear[..., 1, 1]))
    assert 19 < float(angle.abs().max()) <= 20


def test_nothing_is_aliased():
    stripes = (torch.arange(96) % 2).float().expand(96, 96)  # the finest there is
    (change,) = draw_changes(ImageChangeSettings(45, 0, 0, 0, 0, 0, 0, 0, 0), np.random.default_rng(3), 1)
    small = ImageChange(change.matrix)
    lines = stripes + 10 * blob(96, 0.5, 0.5, 0.05)  # so that grey values are not spread over the stripes alone
    image, seen = change_image(lines, None, small, 36, PLAIN)
    far = seen & (change_image(blob(96, 0.5, 0.5, 0.05), None, small, 36, PLAIN)[0][0] < 1e-4)
    assert float(image[0][far].std()) < 0.006  # the stripes alone have 0.05


def test_what_lies_outside_is_0_and_is_told():
    inside = torch.ones(40, 40, dtype=torch.bool)
    inside[:, :10] = False
    lines = torch.where(inside, noise(40) + 5, torch.tensor(-9.0))
    image, seen = change_image(lines, inside, SAME, 20)
    assert bool((image[0, :, :5] == 0).all()) and not bool(seen[:, :5].any()) and bool(seen[:, 5:].all())
    torch.testing.assert_close(shown_patches(seen, 4).reshape(4, 4)[0], torch.tensor([False, True, True, True]))
    turned = ImageChange(SAME.matrix.clone(), zoom=0.5)
    turned.matrix[:2] = torch.tensor([[0.5, 0, 0.25], [0, 0.5, 0.25]])
    image, seen = change_image(noise(40), None, turned, 20)
    assert int(seen.sum()) == 100 and not bool(image[0][~seen].any())


def test_grey_values_change_one_after_another_and_only_where_there_is_an_image():
    lines = noise(16)
    grey = change_image(lines, None, SAME, 16)[0][0]

    def changed(**options):
        return change_image(lines, None, replace(SAME, **options), 16)[0][0]

    torch.testing.assert_close(changed(inverted=True), 1 - grey)
    torch.testing.assert_close(changed(gamma=2.0), grey**2)
    torch.testing.assert_close(changed(brightness=0.1), (grey + 0.1).clamp(0, 1))
    torch.testing.assert_close(changed(contrast=0.5), (grey + grey.mean()) / 2)
    noisy = changed(noise=0.02, seed=5)
    assert torch.equal(noisy, changed(noise=0.02, seed=5)) and not torch.equal(noisy, changed(noise=0.02, seed=6))
    middle = (grey > 0.1) & (grey < 0.9)
    assert 0.015 < float((noisy - grey)[middle].std()) < 0.025


def test_without_settings_nothing_is_drawn():
    for change in draw_changes(ImageChangeSettings.none(), np.random.default_rng(0), 3):
        torch.testing.assert_close(change.matrix, torch.eye(3).double())
        rest = (change.zoom, change.brightness, change.contrast, change.gamma, change.inverted, change.noise)
        assert rest == (1, 0, 1, 1, False, 0)
