"""Cameras that no X-ray machine has are doubted in one sentence, others are not."""

import pytest
import torch
from xraykit.render import Camera, carm_pose
from xraykit.render.geometry import camera_doubts


@pytest.mark.parametrize(
    ("sdd", "spacing", "size", "words"),
    [
        (10.2, 300.0, 256, ("10.2 mm (300 to 6000)", "pixels of 300 mm", "76800 mm")),
        (1.02, 0.3, 512, ("distance of 1.02 mm",)),
        (7000.0, 0.3, 512, ("7000 mm",)),
        (1000.0, (0.3, 6.0), 64, ("pixels of 6 mm",)),
        (1000.0, 4.0, 1024, ("detector of 4096 mm",)),
        (1000.0, 0.0003, 1024, ("detector of 0.3072 mm",)),
        ((1000.0, 100.0), 0.3, 512, ("distance of 100 mm",)),
    ],
)
def test_what_no_machine_has_is_said_in_one_sentence(sdd, spacing, size, words):
    distance = torch.tensor(sdd) if isinstance(sdd, tuple) else sdd
    (sentence,) = camera_doubts(Camera(distance, size, size, pixel_spacing=spacing))
    assert all(word in sentence for word in words)


@pytest.mark.parametrize(
    ("sdd", "spacing", "size"), [(300, 0.02, 512), (6000, 0.5, 1024), (1020, 0.194, 1536), (1000, 5, 64)]
)
def test_machines_that_exist_are_not_doubted(sdd, spacing, size):
    assert camera_doubts(Camera(float(sdd), size, size, pixel_spacing=spacing)) == ()


def test_a_source_inside_the_patient_is_doubted_and_one_beside_him_is_not():
    affine, shape = torch.diag(torch.tensor([2.0, 2.0, 4.0, 1.0])).double(), (50, 100, 120)
    camera, middle = Camera(1000.0, 256, 256, pixel_spacing=1.0), torch.tensor([120.0, 100.0, 100.0])
    for sod, words in ((60.0, "inside the volume"), (700.0, "")):
        pose = carm_pose(lao_rao=180.0, sod=sod, isocenter=middle)
        assert words in "".join(camera_doubts(camera, pose, grids=[(affine, shape)]))
        assert bool(camera_doubts(camera, pose, grids=[(affine, shape)])) is bool(words)
