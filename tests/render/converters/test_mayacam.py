"""MayaCam 2.0 text, and plain text of K, R, t or P, in the forms that people have; refusals name the fault."""

import pytest
import torch
from support.views import assert_same_view, box, camera, pixels, poses
from xraykit.render.converters import read_mayacam, to_krt, to_projection_matrix, write_mayacam
from xraykit.render.errors import FileError, GeometryError

F64 = torch.float64
MADE_UP = """image size
41,30

camera matrix
400,0,17
0,340,18.25
0,0,1

rotation
1,0,0
0,0,-1
0,1,0

translation
5
-6
700
"""


def rows(matrix: torch.Tensor, separator: str) -> str:
    return "\n".join(separator.join(map(repr, row)) for row in matrix.tolist())


def test_a_file_is_read_as_it_stands(tmp_path):
    path = tmp_path / "cam1.txt"
    path.write_text(MADE_UP)
    view = read_mayacam(path, sdd=1000.0)
    assert (view.camera.height, view.camera.width, view.mirrored) == (30, 41, False)
    _, spacing, centre = view.camera.tensors(dtype=F64, device="cpu")
    torch.testing.assert_close(spacing, torch.tensor([[1000 / 340, 2.5]], dtype=F64))
    torch.testing.assert_close(centre, torch.tensor([[17.5, 18.75]], dtype=F64))
    point = torch.tensor([[10.0, 20.0, 30.0]], dtype=F64)  # x = (10 + 5, -30 - 6, 20 + 700)
    expected = torch.tensor([[[400 * 15 / 720 + 17.5, 340 * -36 / 720 + 18.75]]], dtype=F64)
    torch.testing.assert_close(pixels(point, view.camera, view.pose), expected)


@pytest.mark.parametrize("mirrored", [False, True])
def test_round_trip_keeps_every_number(tmp_path, mirrored):
    write_mayacam(tmp_path / "a.txt", camera(), poses()[:1], mirrored=mirrored)
    view = read_mayacam(tmp_path / "a.txt", sdd=1020.0)
    assert view.mirrored is mirrored
    assert_same_view(view, (camera(), poses()[:1]))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("form", ["labels", "bare", "brackets", "matrix", "named matrix"])
def test_plain_text_says_the_same(tmp_path, form, ends):
    K, R, t = (part[0] for part in to_krt(camera(), poses()[:1]))
    P = -3.0 * to_projection_matrix(camera(), poses()[:1], pixel_center="integer")[0]
    text = {
        "labels": f"# made by hand\nK:\n{rows(K, ' ')}\nR:\n{rows(R, ' ')}\nt:\n{rows(t[None], ' ')}",
        "bare": "\n".join([rows(K, "\t"), rows(R, "\t"), rows(t[None], "\t")]),
        "brackets": f"K = {K.tolist()}\nR = {R.tolist()}\nt = {t.tolist()}",
        "matrix": rows(P, " "),
        "named matrix": f"projection matrix\n{rows(P, ', ')}",
    }[form]
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", ends).encode())
    view = read_mayacam(tmp_path / "a.txt", height=30, width=41, sdd=1020.0)
    assert_same_view(view, (camera(), poses()[:1]), atol=1e-5)


def test_a_matrix_without_scale_shows_the_same_image(tmp_path):
    matrix = to_projection_matrix(camera(), poses()[1:2], pixel_center="integer")[0]
    (tmp_path / "p.txt").write_text(rows(matrix, " "))
    view = read_mayacam(tmp_path / "p.txt", height=30, width=41)
    torch.testing.assert_close(pixels(box(), view.camera, view.pose), pixels(box(), camera(), poses()[1:2]))


BAD = {
    "another size": (MADE_UP, {"height": 31, "width": 41}, "30 rows x 41 columns, got one of 31 x 41"),
    "half a size": (MADE_UP.replace("41,30", "41.5,30"), {}, "two whole numbers of pixels"),
    "no size": (MADE_UP.partition("\n\n")[2], {}, "does not state the size of its image"),
    "cut off": (MADE_UP.partition("700")[0], {}, "must give 3 numbers for translation, got 2"),
    "no rotation": (
        MADE_UP.replace("rotation\n1,0,0\n0,0,-1\n0,1,0\n", ""),
        {},
        "got image size, camera matrix, transl",
    ),
    "twice": (MADE_UP + "rotation\n1,0,0\n0,1,0\n0,0,1\n", {}, "gives rotation twice"),
    "a word": (MADE_UP.replace("700", "far"), {}, "headings image size, .* got 'far'"),
    "a broken number": (MADE_UP.replace("700", "7O0"), {}, "numbers for translation, got '7O0'"),
    "nan": (MADE_UP.replace("700", "+nan"), {}, "finite numbers for translation"),
    "distortion": (MADE_UP + "distortion\n0.1\n", {}, "may have the headings .* got 'distortion'"),
    "no rotation matrix": (MADE_UP.replace("0,0,-1", "0,0,-2"), {}, "states no camera: .*orthonormal"),
    "skew": (MADE_UP.replace("400,0,17", "400,9,17"), {}, "states no camera: .*no skew"),
    "MayaCam 1.0": ("0,0,90\n-90,0,0\n0,0,-120\n512,512,4000\n0.03,1024,1024\n", {}, "got MayaCam 1.0; export"),
    "nine numbers": ("1 0 0 0 1 0 0 0 1", {}, "got 9 numbers without headings"),
    "singular": ("1 0 0 0 " * 3, {"height": 30, "width": 41}, "states no camera"),
    "empty": ("", {}, "got nothing"),
    "binary": ("a\0b", {}, "bytes that are no text"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_say_what_is_wrong(tmp_path, case):
    text, size, says = BAD[case]
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(FileError, match=says) as caught:
        read_mayacam(tmp_path / "a.txt", **size)
    assert len(str(caught.value)) < 700
    assert "\n" not in str(caught.value)


def test_missing_files_and_several_views_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"a camera file was expected at .*No such file"):
        read_mayacam(tmp_path / "absent.txt")
    (tmp_path / "latin.txt").write_bytes(b"image size\n\xff\xfe")
    with pytest.raises(FileError, match="bytes that are no text"):
        read_mayacam(tmp_path / "latin.txt")
    with pytest.raises(GeometryError, match="holds one view, got 4"):
        write_mayacam(tmp_path / "b.txt", camera(), poses())
    assert not (tmp_path / "b.txt").exists()
