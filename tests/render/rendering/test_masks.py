"""Bit-set masks agree with the march, with closed forms, and with each other."""

import math

import pytest
import torch
from support.scenes import random_scene
from xraykit.render import Camera, InputError, Volume, carm_pose, label_masks, render
from xraykit.render.geometry import project
from xraykit.render.rendering.masks import MaskEntry, MaskSet, path_lengths, scene_masks
from xraykit.render.volumes import Box, voxelise

CAMERA = Camera(sdd=1000.0, height=24, width=30, pixel_spacing=2.0)
POSE = carm_pose(lao_rao=0.0, sod=800.0, isocenter=(0.0, 0.0, 0.0))


def blocks():
    """Ten 4 mm voxels a side about the origin: rib_left_1 is 2x2x10 voxels at -x, liver 4x4x4 at +x."""
    affine = torch.diag(torch.tensor([4.0, 4.0, 4.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = -18.0
    labels = torch.zeros(10, 10, 10, dtype=torch.uint8)
    labels[:, 4:6, 1:3] = 92
    labels[3:7, 3:7, 5:9] = 5
    return Volume(torch.full((10, 10, 10), 0.02), affine, labels=labels, label_names={5: "liver", 92: "rib_left_1"})


def test_every_mask_is_that_of_the_march():
    volume, camera, pose = random_scene(views=2)
    masks = scene_masks([volume], camera, pose)
    assert masks.names == ("one", "two")
    assert torch.equal(masks.stack(), label_masks(volume, camera, pose)[:, 1:])
    assert torch.equal(masks.mask("two"), masks.stack()[:, 1])


def test_a_group_is_the_pixelwise_or_of_its_members():
    bits = torch.randint(-(2**31), 2**31 - 1, (2, 3, 6, 5), generator=torch.Generator().manual_seed(1)).to(torch.int32)
    numbers = (3, 31, 32, 63, 70)
    entries = [MaskEntry(f"rib_left_{n}", "organ", n, n) for n in numbers]
    masks = MaskSet(bits, (*entries, MaskEntry("heart", "organ", 4, 4)))
    expected = torch.zeros(2, 6, 5, dtype=torch.bool)
    for n in numbers:
        expected |= (bits[:, n // 32].long() >> (n % 32)) & 1 == 1
    for name in ("ribs_left", "left ribs", "ribs", "rib_*"):
        assert torch.equal(masks.mask(name), expected)
    assert torch.equal(masks.mask("organs"), expected | ((bits[:, 0].long() >> 4) & 1 == 1))


def test_masks_of_tools_follow_the_organs_and_more_than_32_fit():
    thickness = torch.zeros(1, 40, 24, 30)
    thickness[0, 0, 3, 4] = 2.0
    thickness[0, 31, 5, 6] = 1e-3
    thickness[0, 39, 7, 8] = 5.0
    names = [f"screw_{n}" for n in range(40)]
    masks = scene_masks([blocks()], CAMERA, POSE, thickness=thickness, tool_names=names)
    assert masks.names == ("liver", "rib_left_1", *names)
    assert torch.equal(masks.stack()[:, 2:], thickness > 0)
    assert torch.equal(masks.mask("tools"), (thickness > 0).any(dim=1))
    assert torch.equal(masks.mask("organs"), masks.stack()[:, :2].any(dim=1))
    assert masks.find("liver") == (0,)


def test_two_volumes_keep_their_masks_apart_and_share_a_name():
    volume = blocks()
    moved = Volume(volume.mu, volume.affine + 0.0, labels=volume.labels, label_names=volume.label_names)
    moved.affine[0, 3] += 12.0
    masks = scene_masks([volume, moved], CAMERA, POSE)
    first, second = (scene_masks([v], CAMERA, POSE).mask("liver") for v in (volume, moved))
    assert not torch.equal(first, second)
    assert torch.equal(masks.stack()[:, 0], first)
    assert torch.equal(masks.stack()[:, 2], second)
    assert torch.equal(masks.mask("liver"), first | second)


def test_values_without_a_name_are_listed_where_they_are_seen():
    labels = blocks().labels.clone()
    labels[0, 0, 0] = 40
    volume = Volume(blocks().mu, blocks().affine, labels=labels, label_names={5: "liver", 6: "spleen"})
    masks = scene_masks([volume], CAMERA, POSE)
    assert masks.names == ("liver", "spleen", "label 40", "label 92")
    assert masks.areas()[0, 1] == 0


def test_a_box_holds_its_mask_with_borders_at_integers():
    bits = torch.zeros(1, 1, 24, 30, dtype=torch.int32)
    bits[0, 0, 3:9, 4:17] = 1 << 1
    bits[0, 0, 23, 29] |= 1 << 2
    entries = tuple(MaskEntry(name, "organ", n, n) for n, name in ((1, "a"), (2, "b"), (3, "empty")))
    masks = MaskSet(bits, entries)
    assert masks.boxes().tolist() == [[[4, 3, 17, 9], [29, 23, 30, 24], [0, 0, 0, 0]]]
    assert masks.areas().tolist() == [[78, 1, 0]]


def test_a_box_is_the_projected_solid_to_half_a_pixel():
    masks = scene_masks([blocks()], CAMERA, POSE)
    corners = torch.tensor([[x, y, z] for x in (0.0, 16.0) for y in (-8.0, 8.0) for z in (-8.0, 8.0)])
    uv = project(corners, CAMERA, POSE).uv[0]
    low, high = uv.amin(dim=0), uv.amax(dim=0)
    x0, y0, x1, y1 = masks.boxes()[0, 0].tolist()
    for border, true in ((x0, low[0]), (y0, low[1]), (x1, high[0]), (y1, high[1])):
        assert abs(border - float(true)) <= 0.5 + 1e-6


def test_path_lengths_are_chords_and_groups_add_up():
    volume = blocks()
    lengths = path_lengths(volume, CAMERA, POSE, backend="torch")
    box = Box((16.0, 16.0, 16.0), mu=1.0, center=(8.0, 0.0, 0.0))
    source, pixels = POSE[:, None, :3, 3], _pixels()
    expected = box.chord(source.expand(1, 1, 3), pixels).reshape(1, 24, 30)
    assert set(lengths) == {"liver", "rib_left_1"}
    torch.testing.assert_close(lengths["liver"].double(), expected, atol=2e-4, rtol=0)
    assert math.isclose(float(lengths["liver"].max()), 16.0, abs_tol=0.01)
    both = path_lengths(volume, CAMERA, POSE, wanted=["left ribs", "*"], backend="torch")
    torch.testing.assert_close(both["*"], lengths["liver"] + lengths["rib_left_1"])
    torch.testing.assert_close(both["left ribs"], lengths["rib_left_1"])
    assert torch.equal(lengths["liver"] > 0, scene_masks([volume], CAMERA, POSE, backend="torch").mask("liver"))


def test_path_lengths_have_the_gradient_of_the_projector():
    volume = blocks()
    pose = POSE.clone().requires_grad_()
    path_lengths(volume, CAMERA, pose, wanted=["liver"], backend="torch")["liver"].sum().backward()
    gradient, pose.grad = pose.grad, None
    inside = torch.where(volume.labels == 5, 1.0, 0.0)
    render(volume.with_mu(inside), CAMERA, pose, method="siddon", backend="torch").sum().backward()
    torch.testing.assert_close(gradient, pose.grad)


def _pixels():
    from xraykit.render.volumes.phantom import segments

    return segments(CAMERA, POSE)[1]


def test_unknown_names_and_unfitting_tools_are_refused():
    masks = scene_masks([blocks()], CAMERA, POSE)
    with pytest.raises(InputError, match="no mask matches 'femur_left'; there are liver, rib_left_1"):
        masks.mask("femur_left")
    with pytest.raises(InputError, match="no mask matches 'tools'"):
        masks.mask("tools")
    with pytest.raises(InputError, match="tool_names must name each of 2 tools"):
        scene_masks([blocks()], CAMERA, POSE, thickness=torch.zeros(1, 2, 24, 30), tool_names=["a"])
    bare = voxelise([Box((10, 10, 10))], spacing=4.0, supersampling=1)
    with pytest.raises(InputError, match="path_lengths needs a volume with a label map"):
        path_lengths(bare, CAMERA, POSE)
    assert scene_masks([bare], CAMERA, POSE).names == ()
