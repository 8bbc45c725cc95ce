"""What a network's numbers mean: every published frame lands on the right camera in the patient's world."""

import math

import pytest
import torch
from support.motions import random_poses
from xraykit.render import GeometryError, InputError, Volume, carm_pose
from xraykit.render.converters import from_deepfluoro
from xraykit.render.geometry import rigid_inverse, se3_exp
from xraykit.xvr import NetworkFrame

F64 = torch.float64
LPS = torch.diag(torch.tensor([-1.0, -1.0, 1.0, 1.0], dtype=F64))


def volume(flip=(1.0, 1.0, 1.0)):
    """Unequal sizes and spacings away from the origin, in any axis-aligned orientation."""
    affine = torch.diag(torch.tensor([2.0, 1.5, 3.0, 1.0], dtype=F64)) * torch.tensor([*flip, 1.0], dtype=F64)
    affine[:3, 3] = torch.tensor([40.0, -70.0, 300.0])
    return Volume(torch.zeros(20, 30, 26), affine)


def frame(**options):
    return NetworkFrame(**({"sdd": 1020.0, "height": 64, "delx": 4.35} | options))


def straight(distance=850.0):
    """E of a beam through the centre: no angles, the source `distance` in front along y."""
    E = torch.eye(4, dtype=F64)[None]
    E[:, 1, 3] = distance
    return E


CASES = [("AP", True), ("AP", False), ("PA", True), ("PA", False)]


@pytest.mark.parametrize(("orientation", "reverse"), CASES)
@pytest.mark.parametrize("kind", ["centred", "template", "isocentre_offset"])
def test_to_world_and_from_world_undo_each_other(orientation, reverse, kind):
    f = frame(orientation=orientation, reverse_x_axis=reverse, frame=kind)
    warp = random_poses(1, seed=9)[0] if kind == "template" else None
    E = random_poses(4, seed=1)
    pose = f.to_world(E, volume(), warp=warp)
    torch.testing.assert_close(f.from_world(pose, volume(), warp=warp), E, atol=1e-9, rtol=0)


@pytest.mark.parametrize("reverse", [True, False])
def test_no_angles_is_the_ap_view_of_the_centre(reverse):
    pose = frame(reverse_x_axis=reverse).to_world(straight(), volume())
    expected = carm_pose(lao_rao=180.0, sod=850.0, isocenter=volume().center)
    torch.testing.assert_close(pose, expected, atol=1e-9, rtol=0)


def test_first_generation_numbers_are_second_generation_ones_turned_half_round():
    E = random_poses(3, seed=2)
    first = frame(orientation="PA", reverse_x_axis=True)
    second = frame(orientation="AP", reverse_x_axis=False)
    turned = E @ torch.diag(torch.tensor([-1.0, -1.0, 1.0, 1.0], dtype=F64))
    torch.testing.assert_close(first.to_world(E, volume()), second.to_world(turned, volume()), atol=1e-9, rtol=0)
    assert first.mirrored and second.mirrored


@pytest.mark.parametrize(
    ("orientation", "reverse", "mirrored"),
    [("AP", True, False), ("AP", False, True), ("PA", True, True), ("PA", False, False)],
)
def test_only_left_handed_detectors_see_mirrored_images(orientation, reverse, mirrored):
    assert frame(orientation=orientation, reverse_x_axis=reverse).mirrored is mirrored


def test_a_template_frame_is_carried_by_the_warp_alone():
    warp, E = random_poses(1, seed=4)[0], random_poses(2, seed=5)
    at_origin = frame().to_world(E, volume()) - torch.nn.functional.pad(volume().center, (0, 1))[:, None] * LPS[3]
    torch.testing.assert_close(
        frame(frame="template").to_world(E, volume(), warp=warp), warp @ at_origin, atol=1e-9, rtol=0
    )


@pytest.mark.parametrize("flip", [(1.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (-1.0, -1.0, 1.0)])
def test_diffpose_without_offset_looks_from_behind_with_the_head_up(flip):
    """The source lies half the distance to the detector behind the centre; the proper camera has x to the right."""
    patient = volume(flip)
    pose = frame(frame="isocentre_offset").to_world(torch.eye(4, dtype=F64)[None], patient)[0]
    expected = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]]  # x right, y to the feet, z to the front
    torch.testing.assert_close(pose[:3, :3], torch.tensor(expected, dtype=F64), atol=1e-12, rtol=0)
    torch.testing.assert_close(pose[:3, 3], patient.center + torch.tensor([0.0, -510.0, 0.0], dtype=F64))


def test_diffpose_offsets_agree_with_deepfluoros_own_camera():
    """DiffPose's chain from DeepFluoro's matrices to its offset, against our reader of the same matrices.

    As its data set class composes them (first map first): shift by half the focal length, exchange x and z, camera
    to world, world to CT, origin to the corner of the voxels (half a voxel before the first centre).
    """
    patient = volume(flip=(-1.0, -1.0, 1.0))  # voxel axes along LPS, as DeepFluoro stores its CTs
    extrinsic, placement = random_poses(3, seed=6), random_poses(3, seed=7)
    focal = -1020.0 / 0.194
    K = torch.tensor([[focal, 0.0, 767.5], [0.0, focal, 767.5], [0.0, 0.0, 1.0]], dtype=F64)
    view = from_deepfluoro(extrinsic, K, num_rows=1536, num_cols=1536, pixel_spacing=0.194, camera_to_volume=placement)
    shift = torch.eye(4, dtype=F64)
    shift[0, 3] = -510.0
    swap = torch.eye(4, dtype=F64)
    swap[:3, :3] = torch.tensor([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    corner = torch.eye(4, dtype=F64)
    lps_affine = LPS @ patient.affine
    corner[:3, 3] = -(lps_affine @ torch.tensor([-0.5, -0.5, -0.5, 1.0], dtype=F64))[:3]
    camera = corner @ placement @ rigid_inverse(extrinsic) @ swap @ shift
    depth, height, width = patient.shape
    isocentre = torch.eye(4, dtype=F64)
    isocentre[:3, :3] = _about_z(math.pi / 2) @ _about_x(-math.pi / 2)
    isocentre[:3, 3] = torch.tensor([width, height, depth], dtype=F64) * patient.spacing / 2
    offset = camera @ rigid_inverse(isocentre)
    ours = frame(frame="isocentre_offset", parameterization="se3_log_map").to_world(offset, patient)
    torch.testing.assert_close(ours, view.pose, atol=1e-8, rtol=0)
    assert view.mirrored and frame(frame="isocentre_offset").mirrored


def test_numbers_become_e_with_the_translation_in_the_turned_mount():
    f = frame(parameterization="euler_angles", unit_factor=10.0)
    E = f.extrinsic(torch.tensor([[math.pi / 2, 0.0, 0.0]]), torch.tensor([[0.0, 85.0, 0.0]]))
    torch.testing.assert_close(E[0, :3, 3], torch.tensor([-850.0, 0.0, 0.0]), atol=1e-3, rtol=0)


def test_poses_keep_the_gradient_of_the_numbers():
    twist = torch.tensor([[10.0, 800.0, 5.0, 0.1, 0.2, 0.3]], dtype=F64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda t: frame().to_world(se3_exp(t), volume())[:, :3], twist)


def test_camera_keeps_the_field_of_view_at_any_size():
    for height in (64, 192):
        camera = frame().camera(height)
        assert camera.width == height and math.isclose(camera.pixel_spacing * height, 64 * 4.35)


def test_template_frame_without_warp_is_refused_with_the_reason():
    with pytest.raises(InputError, match=r"frame of the template.*needs the warp.*xraykit xvr align"):
        frame(frame="template").to_world(straight(), volume())


@pytest.mark.parametrize("kind", ["centred", "isocentre_offset"])
def test_a_warp_where_none_belongs_is_refused(kind):
    with pytest.raises(InputError, match="warp has no meaning"):
        frame(frame=kind).to_world(straight(), volume(), warp=torch.eye(4))


def test_a_warp_that_is_not_rigid_or_not_finite_is_refused():
    f = frame(frame="template")
    with pytest.raises(GeometryError, match=r"warp\[0\] must be a rigid motion.*scaling"):
        f.to_world(straight(), volume(), warp=torch.diag(torch.tensor([1.1, 1.1, 1.1, 1.0])))
    with pytest.raises(GeometryError, match=r"warp\[0\].*not finite"):
        f.to_world(straight(), volume(), warp=torch.full((4, 4), torch.nan))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sdd": 0.0}, "sdd of a network must be a positive, finite number"),
        ({"delx": math.nan}, "delx of a network"),
        ({"unit_factor": "m"}, "unit_factor of a network"),
        ({"height": 64.5}, "height of a network must be a positive whole number"),
        ({"std": -1.0}, "std of a network"),
        ({"mean": math.inf}, "mean of a network must be a finite number"),
        ({"orientation": "LAT"}, "orientation must be one of AP, PA"),
        ({"frame": "world"}, "frame must be one of centred, template"),
        ({"reverse_x_axis": 1}, "reverse_x_axis must be true or false"),
        ({"equalize": "yes"}, "equalize must be true or false"),
        ({"parameterization": "euler"}, "parameterization must be one of axis_angle.*se3_log_map"),
        ({"parameterization": "euler_angles", "convention": "ZZX"}, "convention must be three letters"),
    ],
)
def test_settings_that_describe_no_network_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        frame(**options)


def _about_z(angle):
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]], dtype=F64)


def _about_x(angle):
    c, s = math.cos(angle), math.sin(angle)
    return torch.tensor([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]], dtype=F64)
