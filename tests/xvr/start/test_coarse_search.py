"""The search for the C-arm without a network."""

import pytest
import torch
from xraykit.render import Camera, InputError, Volume, carm_pose, render, torso
from xraykit.render.geometry import project, rigid_inverse, transform_points
from xraykit.xvr import Shot, starts_from_search
from xraykit.xvr.start import SearchSettings
from xraykit.xvr.start.sliding_match import SearchImages, best_places, turned_template

CAMERA = Camera(sdd=1020.0, height=160, width=160, pixel_spacing=1.9)


@pytest.fixture(scope="module")
def pelvis() -> Volume:
    patient = torso(spacing=8.0)
    return Volume(patient.mu[:45], patient.affine)


def pose_of(volume: Volume, **changes: float) -> torch.Tensor:
    numbers = {"lao_rao": 203.0, "cra_cau": -14.0, "roll": 8.0, "sod": 690.0, **changes}
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in numbers.items()}
    return carm_pose(**tensors, isocenter=volume.center, offset=torch.tensor([30.0, 0.0, -40.0], dtype=torch.float64))


def xray(volume: Volume, pose: torch.Tensor) -> Shot:
    """Primary beam, wide scatter and quantum noise by another projector than the search renders with."""
    primary = 2000 * torch.exp(-render(volume, CAMERA, pose, method="siddon")[0, 0])
    scatter = torch.nn.functional.avg_pool2d(primary[None], 61, 1, 30, count_include_pad=False)[0] * 0.5
    counts = torch.poisson(primary + scatter, generator=torch.Generator().manual_seed(0)) + 1
    return Shot(-torch.log(counts / counts.max()), CAMERA)


@pytest.mark.slow
def test_a_simulated_xray_is_found_within_reach_of_refinement(pelvis):
    true = pose_of(pelvis)
    told = []
    starts = starts_from_search(xray(pelvis, true), pelvis, report=lambda done, total: told.append((done, total)))
    assert starts.shape[1:] == (1, 4, 4) and starts.dtype == torch.float64 and 1 <= len(starts) <= 5
    points = pelvis.center + 60 * torch.cat([torch.eye(3), -torch.eye(3)]).double()
    apart = transform_points(rigid_inverse(starts[:, 0]), points) - transform_points(rigid_inverse(true), points)
    across = apart[..., :2].norm(dim=-1).mean(-1)
    assert float(across[0]) < 8.0  # mm across the beam, over a ball of 60 mm, rotation included
    assert float(apart[0, :, 2].mean().abs()) < 45.0  # mm along the beam
    assert told[-1][0] == told[-1][1] and told == sorted(told)


def test_a_view_from_behind_is_found_where_nobody_says_from_where(pelvis):
    true = pose_of(pelvis, lao_rao=17.0, cra_cau=8.0, roll=-6.0)
    narrow = SearchSettings(cra_cau=(0.0, 15.0), roll=(-10.0, 0.0), sod=(660.0, 720.0), offset=60.0)
    starts = starts_from_search(xray(pelvis, true), pelvis, narrow)
    points = pelvis.center + 60 * torch.cat([torch.eye(3), -torch.eye(3)]).double()
    apart = transform_points(rigid_inverse(starts[:, 0]), points) - transform_points(rigid_inverse(true), points)
    assert float(apart[0, :, :2].norm(dim=-1).mean()) < 8.0
    assert float(apart[0, :, 2].mean().abs()) < 45.0


@pytest.mark.parametrize("roll", [0.0, 20.0, -35.0])
def test_a_template_turned_back_is_what_a_camera_without_roll_sees(pelvis, roll):
    small = Camera(sdd=1020.0, height=48, width=64, pixel_spacing=(6.0, 5.0), principal_point=(30.0, 25.0))
    turned = render(pelvis, small, pose_of(pelvis, roll=roll))[0, 0]
    template = turned_template(turned, torch.ones_like(turned, dtype=torch.bool), small, roll)
    side = template.values.shape[-1]
    canvas = Camera(
        sdd=1020.0, height=side, width=side, pixel_spacing=(6.0, 5.0), principal_point=template.principal_point
    )
    upright = render(pelvis, canvas, pose_of(pelvis, roll=0.0))
    weight = template.weight > 0
    assert float(weight.sum()) * 30 > 0.85 * 48 * 64 * 30  # the whole image is on the canvas
    error = (template.values - upright)[weight].abs()
    assert float(error.mean()) < 0.02 * float(upright.max())


def test_a_cut_out_is_found_where_it_was_cut_whatever_its_gain():
    images = torch.rand(3, 1, 40, 50, generator=torch.Generator().manual_seed(1))
    patch = 3.0 * images[1, 0, 9:25, 17:37] + 7.0
    camera = Camera(sdd=1000.0, height=16, width=20, pixel_spacing=1.0)
    valid = torch.ones(16, 20, dtype=torch.bool)
    valid[:4, :6] = False
    template = turned_template(patch, valid, camera, 0.0)  # a square canvas of 20 px: two empty rows above and below
    score, shift = best_places(SearchImages(images), template)
    assert shift[1].tolist() == [17, 7]
    assert float(score[1]) > 0.99 and float(score[[0, 2]].max()) < 0.7


def test_scores_equal_the_formula(pelvis):
    images = torch.rand(1, 1, 24, 24, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    patch = torch.rand(16, 16, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    camera = Camera(sdd=1000.0, height=16, width=16, pixel_spacing=1.0)
    template = turned_template(patch, torch.ones(16, 16, dtype=torch.bool), camera, 0.0)
    score, shift = best_places(SearchImages(images), template)

    def edges(image: torch.Tensor) -> torch.Tensor:
        smooth = torch.tensor([1.0, 2.0, 1.0]).double()
        slope = torch.tensor([1.0, 0.0, -1.0]).double()
        kernels = torch.stack([torch.outer(smooth, slope), torch.outer(slope, smooth)])[:, None]
        return torch.nn.functional.conv2d(image[None, None], kernels)[0]

    def formula(x: int, y: int) -> float:
        window = images[0, 0, y : y + 16, x : x + 16]
        alike = torch.corrcoef(torch.stack([window.flatten(), patch.flatten()]))[0, 1]
        first, second = edges(window).flatten(), edges(patch).flatten()
        return float((alike + first @ second / (first.norm() * second.norm())) / 2)

    x, y = shift[0].tolist()
    assert float(score) == pytest.approx(formula(x, y), abs=1e-9)
    assert float(score) >= max(formula(a, b) for a in range(9) for b in range(9)) - 1e-9


def test_the_volumes_centre_appears_at_the_found_place(pelvis):
    true = pose_of(pelvis)
    near = SearchSettings(lao_rao=(203, 203), cra_cau=(-14, -14), roll=(8, 8), sod=(690, 690), candidates=1)
    found = starts_from_search(xray(pelvis, true), pelvis, near)
    seen = project(pelvis.center[None], CAMERA, torch.cat([found[0], true])).uv
    assert float((seen[0] - seen[1]).norm() * 1.9) < 8.0  # mm at the detector, of pixels of 6.3 and 4.8 mm


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lao_rao": (30, -30)}, "lao_rao must be a range"),
        ({"roll": (0, float("nan"))}, "roll must be a range"),
        ({"sod": (0.0, 500.0)}, "sod must be positive"),
        ({"step": 0.0}, "step > 0"),
        ({"size": 8}, "size in 32 to 256"),
        ({"candidates": 0}, "candidates >= 1"),
    ],
)
def test_a_range_that_is_none_is_refused(changes, reason):
    with pytest.raises(InputError, match=reason):
        SearchSettings(**changes)


def test_a_distance_beyond_the_detector_is_refused(pelvis):
    shot = Shot(torch.rand(160, 160), CAMERA)
    with pytest.raises(InputError, match="smaller than sdd = 1020 mm"):
        starts_from_search(shot, pelvis, SearchSettings(sod=(700, 1100)))
