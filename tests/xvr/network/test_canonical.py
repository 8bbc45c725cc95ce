"""One homography carries any X-ray to the network's detector: every ray keeps its value and lands where it must."""

import math

import pytest
import torch
from xraykit.render import Camera, Volume, carm_pose, render
from xraykit.xvr import NetworkFrame
from xraykit.xvr.network import canonical_camera, canonical_image
from xraykit.xvr.xray.shot import Shot

FRAME = NetworkFrame(sdd=1020.0, height=64, delx=4.0)
CAMERAS = {
    "landscape, finer, other distance": Camera(1300.0, 150, 210, 1.5, principal_point=(96.0, 80.0)),
    "portrait, oblong pixels": Camera(900.0, 180, 90, (1.2, 2.5), principal_point=(50.0, 70.0)),
    "principal point near the border": Camera(1020.0, 120, 120, 2.0, principal_point=(10.0, 115.0)),
}


def expected_place(u, v, camera, canonical):
    """Same ray, other detector: (u - c) spacing / sdd is kept."""
    cx, cy = camera.principal_point or (camera.width / 2, camera.height / 2)
    row, column = camera.pixel_spacing if isinstance(camera.pixel_spacing, tuple) else (camera.pixel_spacing,) * 2
    scale = canonical.sdd / canonical.pixel_spacing / camera.sdd
    return canonical.width / 2 + (u - cx) * column * scale, canonical.height / 2 + (v - cy) * row * scale


def spot(u, v, camera):
    """A round spot of about 3 mm at a pixel position."""
    x = torch.arange(camera.width) + 0.5 - u
    y = (torch.arange(camera.height) + 0.5 - v)[:, None]
    row, column = camera.pixel_spacing if isinstance(camera.pixel_spacing, tuple) else (camera.pixel_spacing,) * 2
    return torch.exp(-((x * column) ** 2 + (y * row) ** 2) / (2 * 3.0**2))


def place(image):
    """Centre of mass, in pixels with centres at halves."""
    weight = image[0, 0].double().clamp_min(0)
    total = weight.sum()
    columns, rows = torch.arange(image.shape[3]) + 0.5, torch.arange(image.shape[2]) + 0.5
    return float((weight.sum(0) * columns).sum() / total), float((weight.sum(1) * rows).sum() / total)


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
@pytest.mark.parametrize("where", [(0.0, 0.0), (12.0, -9.0), (-8.0, -25.0)])
def test_a_spot_lands_where_its_ray_meets_the_networks_detector(camera, where):
    cx, cy = camera.principal_point
    u, v = (cx + where[0], cy + where[1])
    if not (8 < u < camera.width - 8 and 8 < v < camera.height - 8):
        u, v = camera.width / 2, camera.height / 2
    canonical = canonical_camera(camera, FRAME)
    found = place(canonical_image(Shot(spot(u, v, camera), camera), FRAME))
    wanted = expected_place(u, v, camera, canonical)
    assert found == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_corners_of_the_xray_are_corners_of_what_is_seen(camera):
    """An image of ones (and one dark pixel, for contrast) covers exactly the carried rectangle; the rest is 0."""
    image = torch.ones(camera.height, camera.width)
    image[camera.height // 2, camera.width // 2] = 0.0
    canonical = canonical_camera(camera, FRAME)
    seen = canonical_image(Shot(image, camera), FRAME)[0, 0]
    left, top = expected_place(0, 0, camera, canonical)
    right, bottom = expected_place(camera.width, camera.height, camera, canonical)
    width = max(0.0, min(right, canonical.width) - max(left, 0.0))
    height = max(0.0, min(bottom, canonical.height) - max(top, 0.0))
    covered = float((seen > 0.5).double().sum())
    assert covered == pytest.approx(width * height, abs=width + height + 12)
    for u, v in ((left - 2, top - 2), (right + 2, bottom + 2)):
        if 0 <= u < canonical.width and 0 <= v < canonical.height:
            assert float(seen[int(v), int(u)]) == 0.0


def test_the_principal_point_comes_to_the_very_middle():
    camera = CAMERAS["landscape, finer, other distance"]
    found = place(canonical_image(Shot(spot(96.0, 80.0, camera), camera), FRAME))
    middle = canonical_camera(camera, FRAME).width / 2
    assert found == pytest.approx((middle, middle), abs=0.02)


def test_a_rendered_xray_becomes_the_one_that_the_networks_detector_renders():
    k, j, i = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in (40, 36, 44)), indexing="ij")
    mu = 0.02 * torch.exp(-4 * (i**2 + j**2 + k**2)) * (1 + 0.5 * torch.sin(5 * i + 3 * k))
    volume = Volume(mu, torch.diag(torch.tensor([2.0, 2.0, 2.0, 1.0])))
    pose = carm_pose(lao_rao=30.0, cra_cau=10.0, sod=750.0, isocenter=volume.center)
    camera = CAMERAS["landscape, finer, other distance"]
    seen = canonical_image(Shot(render(volume, camera, pose, backend="torch", samples=100)[0, 0], camera), FRAME)
    direct = render(volume, canonical_camera(camera, FRAME), pose, backend="torch", samples=100)
    inside = seen > 0.02
    scaled = direct / float(direct.max()) * float(seen.max())
    assert float((seen - scaled)[inside].abs().max()) < 0.02 and float(inside.double().mean()) > 0.1


def test_brightness_and_contrast_of_the_xray_do_not_matter():
    camera = CAMERAS["portrait, oblong pixels"]
    image = torch.rand(180, 90, generator=torch.Generator().manual_seed(0))
    first, second = (canonical_image(Shot(x, camera), FRAME) for x in (image, 300 * image - 40))
    torch.testing.assert_close(first, second, atol=1e-4, rtol=0)


def test_what_lies_outside_the_collimator_counts_as_bare_beam():
    camera = Camera(1020.0, 64, 64, 4.0)
    image = torch.rand(64, 64, generator=torch.Generator().manual_seed(1))
    image[:, :20] = 50.0
    valid = torch.ones(64, 64, dtype=torch.bool)
    valid[:, :20] = False
    seen = canonical_image(Shot(image, camera, valid), FRAME)[0, 0]
    assert float(seen[:, :19].abs().max()) == 0.0 and float(seen.max()) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(("spacing", "size"), [(4.0, 64), (2.0, 128), (1.9, 192), (8.0, 64), (0.001, 4096)])
def test_resolution_is_the_whole_multiple_that_keeps_the_xrays(spacing, size):
    camera = Camera(1020.0, 100, 80, spacing)
    canonical = canonical_camera(camera, FRAME)
    assert canonical.height == canonical.width == size
    assert math.isclose(canonical.pixel_spacing * size, 4.0 * 64)
