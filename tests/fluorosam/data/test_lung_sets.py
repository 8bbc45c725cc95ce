"""Three public layouts of chest X-rays with lung masks, on tiny files."""

import numpy as np
import pytest
import torch
from PIL import Image
from xraykit.fluorosam.data import LungSet
from xraykit.render import FileError, InputError

SIZE = 64


def ellipse(x, size=SIZE):
    rows, columns = np.mgrid[:size, :size] + 0.5
    return ((columns - x * size) / (0.15 * size)) ** 2 + ((rows - size / 2) / (0.3 * size)) ** 2 < 1


LEFT, RIGHT = ellipse(0.72), ellipse(0.28)


def picture(path, mask):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def grey(path, size=(SIZE, SIZE)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.linspace(0, 255, size[0] * size[1]).astype(np.uint8).reshape(size)).save(path)


@pytest.fixture(scope="module")
def jsrt(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jsrt")
    (folder / "All247images").mkdir()
    columns = np.arange(2048, dtype=np.uint16) * 2 % 4096
    np.tile(columns, (2048, 1)).astype(">u2").tofile(folder / "All247images/JPCLN001.IMG")
    for name, mask in (("left lung", LEFT), ("right lung", RIGHT), ("heart", ellipse(0.5)), ("left clavicle", LEFT)):
        picture(folder / "scratch/fold1/masks" / name / "JPCLN001.gif", mask)
    return folder


def test_jsrt_is_big_endian_bone_dark_with_masks_of_scr(jsrt):
    xray = LungSet(jsrt, "jsrt", longest=SIZE).read(0)
    assert (xray.name, xray.bone, xray.image.shape) == ("JPCLN001", "dark", (SIZE, SIZE))
    assert xray.spacing == pytest.approx(0.175 * 2048 / SIZE)
    found = dict(zip(xray.labels, xray.masks, strict=True))
    assert set(found) == {"lung_left", "lung_right", "heart", "clavicula_left"}
    assert (
        torch.equal(found["lung_left"], torch.from_numpy(LEFT)) and not (found["lung_right"] & found["lung_left"]).any()
    )
    row = xray.image[SIZE // 2]
    assert row[0] < 200 and row[-1] > 3900 and bool((row.diff() > 0).all())


def test_montgomery_has_a_folder_for_each_side(tmp_path):
    grey(tmp_path / "CXR_png/MCUCXR_0001_0.png", (2 * SIZE, 2 * SIZE))
    for name, mask in (("leftMask", LEFT), ("rightMask", RIGHT)):
        picture(tmp_path / "ManualMask" / name / "MCUCXR_0001_0.png", mask)
    xray = LungSet(tmp_path, "montgomery").read(0)
    assert xray.bone == "bright" and xray.image.shape == (2 * SIZE, 2 * SIZE) and xray.spacing == 0.0875
    assert xray.labels == ("lung_left", "lung_right")
    assert xray.masks[0][:, SIZE:].sum() == xray.masks[0].sum() > 0


def test_sides_that_lie_the_other_way_round_are_exchanged(tmp_path):
    grey(tmp_path / "CXR_png/A.png")
    for name, mask in (("leftMask", RIGHT), ("rightMask", LEFT)):
        picture(tmp_path / "ManualMask" / name / "A.png", mask)
    xray = LungSet(tmp_path, "montgomery").read(0)
    found = dict(zip(xray.labels, xray.masks, strict=True))
    assert torch.equal(found["lung_left"], torch.from_numpy(LEFT))


def test_shenzhen_has_one_mask_for_both_lungs(tmp_path):
    grey(tmp_path / "CXR_png/CHNCXR_0001_0.png", (SIZE, 2 * SIZE))
    grey(tmp_path / "CXR_png/CHNCXR_0002_0.png")
    picture(tmp_path / "mask/CHNCXR_0001_0_mask.png", np.repeat(LEFT | RIGHT, 2, axis=1))
    data = LungSet(tmp_path, "shenzhen", longest=SIZE)
    xray = data.read(0)
    assert data.names == ("CHNCXR_0001_0",) and xray.labels == ("lungs",) and xray.spacing is None
    assert xray.image.shape == (SIZE // 2, SIZE) and xray.masks.shape == (1, SIZE // 2, SIZE)


def test_a_file_of_another_length_or_content_is_refused(tmp_path):
    picture(tmp_path / "masks/left lung/A.gif", LEFT)
    (tmp_path / "A.IMG").write_bytes(b"\0" * 100)
    with pytest.raises(FileError, match=r"A.IMG must hold 2048 x 2048 numbers of 16 bits, got 100 bytes"):
        LungSet(tmp_path, "jsrt").read(0)
    np.full((2048, 2048), 100, dtype="<u2").tofile(tmp_path / "A.IMG")
    with pytest.raises(FileError, match="must hold 12-bit numbers, high byte first, got 25600"):
        LungSet(tmp_path, "jsrt").read(0)


def test_masks_of_another_shape_and_damaged_ones_are_refused(tmp_path):
    grey(tmp_path / "CXR_png/A.png")
    picture(tmp_path / "mask/A_mask.png", LEFT[:20])
    with pytest.raises(FileError, match=r"A_mask.png must have the shape of its X-ray, 64 x 64, got 20 x 64"):
        LungSet(tmp_path, "shenzhen").read(0)
    (tmp_path / "mask/A_mask.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")
    with pytest.raises(FileError, match=r"A_mask.png must be a whole picture of a mask, got a damaged one"):
        LungSet(tmp_path, "shenzhen").read(0)


def test_a_folder_without_masks_and_an_unknown_layout_are_refused(tmp_path):
    grey(tmp_path / "CXR_png/A.png")
    with pytest.raises(
        FileError, match="must hold the Montgomery set, X-rays with masks in folders called leftmask, r"
    ):
        LungSet(tmp_path, "montgomery")
    with pytest.raises(InputError, match="layout must be one of jsrt, montgomery, shenzhen, got 'nih'"):
        LungSet(tmp_path, "nih")
