"""What `correspondences` refuses, and projections and packing by themselves."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support.corr_truth import F64, camera, poses, random_support
from xraykit.corr.ground_truth import (
    Support,
    change_projection,
    correspondences,
    image_projection,
    pack_matrix,
    turn_patches,
    unpack_matrix,
)
from xraykit.render import Camera, GeometryError, InputError, carm_pose
from xraykit.render.geometry import crop_camera, project, resize_camera

SUPPORT = random_support()
VIEWS = image_projection(camera(), poses(3))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"grid": 0}, "grid must be a whole number of patches per side from 1 to 128, got 0"),
        ({"grid": 7.5}, "grid must be a whole number"),
        ({"grid": 129}, "from 1 to 128, got 129"),
        ({"mode": "soft"}, "mode must be one of share, hard, volume, joseph16, paper, got 'soft'"),
        ({"chunk": 0}, "chunk must be a positive whole number of cells"),
        ({"pairs": [(0, 3)]}, r"a pair must be two numbers of views from 0 to 2, got \(0, 3\)"),
        ({"pairs": [(0, 1, 2)]}, "a pair must be two numbers"),
    ],
)
def test_bad_options_are_refused_in_one_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        correspondences(SUPPORT, VIEWS, **options)


@pytest.mark.parametrize(
    ("projections", "error", "sentence"),
    [
        (VIEWS[:1], InputError, "at least two views, got 1"),
        (VIEWS[0], GeometryError, r"projections must be \(V, 3, 4\)"),
        (VIEWS * float("nan"), GeometryError, "projections must be finite"),
        (VIEWS * 2, GeometryError, "third row of a projection must be a unit beam axis"),
        (VIEWS * torch.tensor([[0.0], [1.0], [1.0]]), GeometryError, "must be invertible"),
    ],
)
def test_bad_projections_are_refused_in_one_sentence(projections, error, sentence):
    with pytest.raises(error, match=sentence):
        correspondences(SUPPORT, projections)


@pytest.mark.parametrize("mode", ["share", "hard", "volume", "joseph16", "paper"])
def test_a_camera_that_misses_the_volume_is_named(mode):
    away = image_projection(camera(), poses(1, center=(2000.0, 0.0, 0.0), seed=1))
    if float((SUPPORT.points @ away[0, 2, :3] + away[0, 2, 3]).min()) < 0:
        away = image_projection(camera(), poses(1, center=(2000.0, 0.0, 0.0), seed=2))
    with pytest.raises(GeometryError, match=r"view 1 misses the volume: none of .* cells lies in its field"):
        correspondences(SUPPORT, torch.cat([VIEWS[:1], away]), mode=mode)


def test_views_of_different_parts_share_nothing_and_are_no_error():
    ends = Support(torch.tensor([[0, 0, 0], [9, 0, 0]]), torch.diag(torch.tensor([20.0, 20, 20, 1])), (10, 1, 1))
    narrow = Camera(1000.0, height=32, width=32, pixel_spacing=1.0)
    pose = carm_pose(sod=800.0, isocenter=torch.tensor([[0.0, 0, 0], [180.0, 0, 0]]))
    assert not bool(correspondences(ends, image_projection(narrow, pose), mode="hard").any())


@pytest.mark.parametrize("mode", ["share", "hard", "joseph16"])
def test_a_source_inside_the_patient_is_refused(mode):
    inside = image_projection(camera(), poses(sod=1.0))
    with pytest.raises(GeometryError, match=r"a cell is \d+\.\d mm behind that of view 0; check the pose"):
        correspondences(SUPPORT, inside, mode=mode)


@pytest.mark.parametrize("mode", ["share", "volume", "hard", "joseph16", "paper"])
def test_a_source_close_to_the_patient_gives_finite_shares(mode):
    close = correspondences(SUPPORT, image_projection(camera(zoom=0.05), poses(sod=60.0)), mode=mode, grid=8)
    assert bool(torch.isfinite(close).all()) and float(close.max()) <= 1


def test_an_image_projection_is_where_the_core_projects():
    points = SUPPORT.points
    seen = project(points, camera(), poses(3))
    image = torch.cat([points, torch.ones(len(points), 1, dtype=F64)], dim=1) @ VIEWS.mT
    torch.testing.assert_close(image[..., 2], seen.depth)
    torch.testing.assert_close(image[..., :2] / image[..., 2:], seen.uv / torch.tensor([41.0, 30.0], dtype=F64))


def test_pixels_do_not_matter_but_their_area_does():
    resized = image_projection(resize_camera(camera(), height=256, width=17), poses(3))
    torch.testing.assert_close(resized, VIEWS)
    cropped = image_projection(crop_camera(camera(), top=3, left=5, height=20, width=25), poses(3))
    change = torch.tensor([[41 / 25, 0, -5 / 25], [0, 30 / 20, -3 / 20], [0, 0, 1]], dtype=F64)
    torch.testing.assert_close(change_projection(VIEWS, change), cropped)


def test_one_pose_may_come_without_a_batch_and_in_float32():
    single = image_projection(camera(), poses(1)[0].float())
    assert single.dtype == F64 and single.shape == (1, 3, 4)
    torch.testing.assert_close(single, image_projection(camera(), poses(1)), atol=1e-2, rtol=1e-6)


def test_changes_and_poses_that_are_none_are_refused():
    with pytest.raises(GeometryError, match="the last row of a change of image must be 0 0 1"):
        change_projection(VIEWS, torch.ones(3, 3))
    with pytest.raises(GeometryError, match="must be a rigid motion"):
        image_projection(camera(), 2 * poses(1))
    many = Camera(torch.full((2,), 1000.0), height=8, width=8)
    with pytest.raises(GeometryError, match="give one camera, or one for each of 3 poses, got 2"):
        image_projection(many, poses(3))
    with pytest.raises(InputError, match="L a square number"):
        turn_patches(torch.zeros(5, 5))


@given(patches=st.integers(1, 20), seed=st.integers(0, 100), batch=st.booleans())
def test_packed_matrices_come_back(patches, seed, batch):
    shape = (3, patches, patches) if batch else (patches, patches)
    matrix = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    back = unpack_matrix(pack_matrix(matrix))
    assert back.dtype == torch.float32 and back.shape == matrix.shape
    assert float((back - matrix).abs().max()) <= 1 / 510 + 1e-6
    zeros_and_ones = (matrix > 0.5).float()
    packed = pack_matrix(zeros_and_ones, bits=True)
    assert packed.shape == (*shape[:-1], -(-patches // 8))
    assert torch.equal(unpack_matrix(packed, bits=True), zeros_and_ones)
    assert torch.equal(unpack_matrix(pack_matrix(zeros_and_ones)), zeros_and_ones)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: pack_matrix(torch.full((2, 2), 0.5), bits=True), "bits hold zeros and ones only"),
        (lambda: pack_matrix(torch.full((2, 2), 1.5)), r"entries must lie in \[0, 1\]"),
        (lambda: pack_matrix(torch.full((2, 2), float("nan"))), r"entries must lie in \[0, 1\]"),
        (lambda: pack_matrix(torch.zeros(2, 3)), r"matrix must be \(..., L, L\)"),
        (lambda: unpack_matrix(torch.zeros(9, 1).byte(), bits=True), "packed must be .* uint8"),
        (lambda: unpack_matrix(torch.zeros(9, 9)), "packed must be .* uint8"),
    ],
)
def test_bad_matrices_are_refused_in_one_sentence(wrong, sentence):
    with pytest.raises(InputError, match=sentence):
        wrong()
