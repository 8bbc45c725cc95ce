"""Closed-form solids: their chords against geometry worked out by hand, and against their own voxels."""

import math

import pytest
import torch
from xraykit.render import Camera, InputError, carm_pose
from xraykit.render.geometry.rotations import rotation_about
from xraykit.render.volumes import Box, Cylinder, Ellipsoid, line_integrals, voxelise
from xraykit.render.volumes.phantom import segments

FAR = torch.tensor([0.0, -1000.0, 0.0], dtype=torch.float64)
TILT = rotation_about("Z", torch.tensor(0.4, dtype=torch.float64)) @ rotation_about(
    "X", torch.tensor(0.7, dtype=torch.float64)
)


def chord(solid, start, end):
    return float(solid.chord(torch.as_tensor(start, dtype=torch.float64), torch.as_tensor(end, dtype=torch.float64)))


def test_ray_through_box_centre_has_length_of_edge():
    assert chord(Box((10, 20, 30)), (0, -50, 0), (0, 50, 0)) == pytest.approx(20, abs=1e-12)


def test_diagonal_of_cube_has_length_of_space_diagonal():
    assert chord(Box((2, 2, 2)), (-5, -5, -5), (5, 5, 5)) == pytest.approx(2 * math.sqrt(3), abs=1e-12)


def test_sphere_chord_follows_pythagoras():
    for distance in (0.0, 3.0, 9.999):
        assert chord(Ellipsoid((10, 10, 10)), (distance, -80, 0), (distance, 80, 0)) == pytest.approx(
            2 * math.sqrt(100 - distance**2), abs=1e-9
        )


def test_ellipsoid_axis_has_length_of_its_diameter():
    assert chord(Ellipsoid((4, 7, 9)), (0, 0, -50), (0, 0, 50)) == pytest.approx(18, abs=1e-12)


def test_cylinder_is_as_long_as_its_axis_and_as_wide_as_its_diameter():
    cylinder = Cylinder(6, 40)
    assert chord(cylinder, (0, 0, -99), (0, 0, 99)) == pytest.approx(40, abs=1e-12)
    assert chord(cylinder, (-99, 0, 3), (99, 0, 3)) == pytest.approx(12, abs=1e-12)
    assert chord(cylinder, (0, 0, -20), (12, 0, 20)) == pytest.approx(math.hypot(6, 20), abs=1e-12)


@pytest.mark.parametrize("solid", [Box((10, 20, 30)), Ellipsoid((5, 10, 15)), Cylinder(5, 30)])
def test_rays_that_miss_or_stop_short_have_no_length(solid):
    assert chord(solid, (100, -50, 0), (100, 50, 0)) == 0
    assert chord(solid, (0, 0, -99), (100, 0, -99)) == 0
    assert chord(solid, (0, -90, 0), (0, -60, 0)) == 0


@pytest.mark.parametrize("solid", [Box((10, 20, 30)), Ellipsoid((5, 10, 15)), Cylinder(5, 30)])
def test_segment_that_ends_inside_counts_only_its_part(solid):
    whole = chord(solid, (0, -60, 0), (0, 60, 0))
    assert chord(solid, (0, -60, 0), (0, 0, 0)) == pytest.approx(whole / 2, abs=1e-12)


@pytest.mark.parametrize("kind", ["box", "ellipsoid", "cylinder"])
def test_chord_is_the_same_when_ray_and_solid_move_together(kind):
    centre = torch.tensor([3.0, -4.0, 5.0], dtype=torch.float64)
    make = {"box": lambda **k: Box((8, 9, 7), **k), "ellipsoid": lambda **k: Ellipsoid((8, 9, 7), **k)}
    make["cylinder"] = lambda **k: Cylinder(8, 13, **k)
    start = torch.randn(40, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 4 - 30
    end = -start.flip(0)
    still = make[kind]().chord(start, end)
    moved = make[kind](center=centre, rotation=TILT).chord(start @ TILT.mT + centre, end @ TILT.mT + centre)
    assert still.max() > 5
    torch.testing.assert_close(moved, still, atol=1e-10, rtol=0)


def test_chord_agrees_with_counting_points_inside():
    solids = [Box((8, 9, 7), rotation=TILT), Ellipsoid((8, 5, 7), rotation=TILT), Cylinder(6, 11, rotation=TILT)]
    start = torch.randn(20, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) * 3 - 20
    end = torch.randn(20, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) * 3 + 20
    share = (torch.arange(20000, dtype=torch.float64) + 0.5)[:, None, None] / 20000
    points = start + share * (end - start)
    for solid in solids:
        counted = solid.contains(points).double().mean(dim=0) * (end - start).norm(dim=-1)
        torch.testing.assert_close(solid.chord(start, end), counted, atol=0.01, rtol=0)


def test_central_pixel_of_a_sphere_shows_mu_times_diameter():
    camera = Camera(sdd=1000.0, height=9, width=9, pixel_spacing=1.0)
    image = line_integrals([Ellipsoid((20, 20, 20), mu=0.03)], camera, carm_pose(sod=700.0))
    assert image.shape == (1, 1, 9, 9)
    assert float(image[0, 0, 4, 4]) == pytest.approx(0.03 * 40, abs=1e-12)


def test_bead_appears_where_perspective_puts_it():
    camera = Camera(sdd=1000.0, height=60, width=80, pixel_spacing=(0.5, 0.25), principal_point=(30.0, 25.0))
    pose = torch.eye(4, dtype=torch.float64)
    bead = Ellipsoid((1.0, 1.0, 1.0), mu=1.0, center=(2.0, 3.0, 500.0))
    image = line_integrals([bead], camera, pose)[0, 0]
    rows, columns = torch.meshgrid(torch.arange(60) + 0.5, torch.arange(80) + 0.5, indexing="ij")
    assert float((image * columns).sum() / image.sum()) == pytest.approx(30 + 2 * 1000 / 500 / 0.25, abs=0.05)
    assert float((image * rows).sum() / image.sum()) == pytest.approx(25 + 3 * 1000 / 500 / 0.5, abs=0.05)


def test_every_ray_ends_on_the_detector_plane():
    camera = Camera(sdd=800.0, height=3, width=5, pixel_spacing=2.0)
    pose = carm_pose(sod=500.0, lao_rao=30.0, cra_cau=-20.0, isocenter=FAR)
    source, pixels = segments(camera, pose)
    depth = ((pixels - source) * pose[0, :3, 2].double()).sum(dim=-1)
    torch.testing.assert_close(depth, torch.full_like(depth, 800.0), atol=1e-3, rtol=0)


def test_overlapping_solids_add_up():
    camera = Camera(sdd=1000.0, height=7, width=7, pixel_spacing=5.0)
    first, second = Box((30, 30, 30), mu=0.01), Ellipsoid((10, 10, 10), mu=0.04)
    pose = carm_pose(sod=600.0, lao_rao=40.0)
    both = line_integrals([first, second], camera, pose)
    torch.testing.assert_close(both, line_integrals([first], camera, pose) + line_integrals([second], camera, pose))


def test_chord_of_a_sphere_has_the_right_pose_gradient():
    camera = Camera(sdd=1000.0, height=4, width=4, pixel_spacing=6.0)
    solids = [Ellipsoid((20, 25, 30), mu=0.02, rotation=TILT), Box((15, 15, 15), mu=0.01)]

    def image(shift):
        return line_integrals(solids, camera, carm_pose(sod=600.0, lao_rao=20.0, offset=shift))

    assert torch.autograd.gradcheck(image, torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64, requires_grad=True))


def test_voxels_keep_the_mass_of_the_solid():
    volume = voxelise([Ellipsoid((9, 7, 5), mu=0.02, rotation=TILT)], spacing=1.0, supersampling=2)
    exact = 0.02 * 4 / 3 * math.pi * 9 * 7 * 5
    assert float(volume.mu.double().sum()) == pytest.approx(exact, rel=5e-3)


def test_aligned_box_is_voxelised_exactly():
    volume = voxelise([Box((8, 6, 4), mu=0.02, center=(1, 2, 3))], spacing=1.0, margin=2.0)
    assert volume.shape == (8, 10, 12)
    torch.testing.assert_close(volume.center, torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))
    assert int((volume.mu == 0.02).sum()) == 8 * 6 * 4
    assert int((volume.mu > 0).sum()) == 8 * 6 * 4


def test_solids_can_be_put_on_a_grid_of_ones_own():
    affine = torch.diag(torch.tensor([-1.0, 1.0, 2.0, 1.0], dtype=torch.float64))
    volume = voxelise([Box((3, 3, 4), mu=1.0)], affine=affine, shape=(3, 4, 5), supersampling=1)
    assert volume.shape == (3, 4, 5)
    assert float(volume.mu[0, 0, 0]) == 1.0
    assert float(volume.mu[0, 0, 2]) == 0.0


@pytest.mark.parametrize("make", [lambda: Box((1, 0, 1)), lambda: Ellipsoid((1, math.nan, 1)), lambda: Cylinder(-1, 2)])
def test_sizes_must_be_positive(make):
    with pytest.raises(InputError, match="three positive lengths in mm"):
        make()


def test_a_mirror_is_no_rotation():
    with pytest.raises(InputError, match="rotation must be a 3x3 rotation matrix"):
        Box((1, 1, 1), rotation=torch.diag(torch.tensor([1.0, 1.0, 2.0])))
    with pytest.raises(InputError, match="rotation must be a 3x3 rotation matrix"):
        Box((1, 1, 1), rotation=torch.diag(torch.tensor([1.0, 1.0, -1.0])))


def test_a_grid_needs_affine_and_shape_together():
    with pytest.raises(InputError, match="affine and shape together"):
        voxelise([Box((1, 1, 1))], affine=torch.eye(4))
    with pytest.raises(InputError, match="at least one solid"):
        voxelise([])
