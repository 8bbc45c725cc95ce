"""Changes of grey values, against torchvision's one view at a time."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as F
from xraykit.dax.data import MultiCropSettings, draw_crops
from xraykit.dax.data.photometry import blurred, brightened, change_grey_values, contrasted, sharpened, solarized

RNG = np.random.default_rng(0)
VIEWS = torch.from_numpy(RNG.uniform(-0.15, 1.15, (5, 1, 24, 20)).astype(np.float32))  # bicubic resizing overshoots


def column(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None, None]


def each(operation, *numbers) -> torch.Tensor:
    return torch.stack([operation(view, *row) for view, *row in zip(VIEWS, *numbers, strict=True)])


def close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


FACTORS = [0.6, 0.83, 1.0, 1.2, 1.4]


def test_brightness_is_that_of_torchvision():
    close(brightened(VIEWS, column(FACTORS)), each(F.adjust_brightness, FACTORS))


def test_contrast_is_that_of_torchvision():
    close(contrasted(VIEWS, column(FACTORS)), each(F.adjust_contrast, FACTORS))


def test_sharpness_is_that_of_torchvision():
    close(sharpened(VIEWS, column(FACTORS)), each(F.adjust_sharpness, FACTORS))
    tiny = torch.rand(2, 1, 2, 9)
    assert torch.equal(sharpened(tiny, column([0.8, 1.2])), tiny)


def test_blur_is_that_of_torchvision():
    sigmas = [0.1, 0.3, 0.9, 1.5, 2.0]
    close(blurred(VIEWS, column(sigmas)), each(lambda x, s: F.gaussian_blur(x, [5, 5], [s, s]), sigmas))


def test_solarization_is_that_of_torchvision():
    views = VIEWS.clamp(0, 1)
    views[0, 0, 0, 0] = 0.5
    close(solarized(views), F.solarize(views, 0.5))


@pytest.mark.parametrize("augmentation", ["A", "B"])
def test_drawn_changes_are_the_operations_one_after_another(augmentation):
    settings = MultiCropSettings(augmentation, 24, 24, 3)
    draws = draw_crops(settings, [(40, 40)] * 12, seed=3, places=[(0, n) for n in range(12)])
    changed = 0
    for drawn in draws.views:
        views = torch.from_numpy(RNG.uniform(-0.1, 1.1, (*drawn.angles.shape, 24, 24)).astype(np.float32))
        made = change_grey_values(views.clone(), drawn)
        for b, v in np.ndindex(drawn.angles.shape):
            x = views[b, v][None]
            if drawn.jittered[b, v]:
                steps = [
                    (F.adjust_brightness, float(drawn.brightness[b, v])),
                    (F.adjust_contrast, float(drawn.contrast[b, v])),
                ]
                for operation, factor in reversed(steps) if drawn.contrast_first[b, v] else steps:
                    x = operation(x, factor)
            if drawn.blur_sigma[b, v]:
                x = F.gaussian_blur(x, [5, 5], [float(drawn.blur_sigma[b, v])] * 2)
            if not np.isnan(drawn.sharpness[b, v]):
                x = F.adjust_sharpness(x, float(drawn.sharpness[b, v]))
            if drawn.solarized[b, v]:
                x = torch.where(x >= 0.5, 1 - x, x)
            torch.testing.assert_close(made[b, v], x[0], atol=2e-6, rtol=0)
            changed += int(not torch.equal(x[0], views[b, v]))
    assert changed > 40
