"""ITK's three transform files, parsed by ourselves: equal to ITK where ITK is right, one sentence where it crashes."""

import struct

import numpy as np
import pytest
import SimpleITK
import torch
from xraykit.render.converters import read_itk_transform
from xraykit.render.errors import FileError
from xraykit.render.geometry import swap_ras_lps_transform

C, T = (10.0, -20.0, 30.0), (1.0, 2.0, 3.0)
V = (0.0, 0.6, 0.0, 0.8)
SHAPES = {
    "affine": SimpleITK.AffineTransform((1.1, 0.1, 0, 0.2, 0.9, 0.3, 0, 0.1, 1.2), T, C),
    "euler": SimpleITK.Euler3DTransform(C, 0.3, -0.2, 0.7, T),
    "versor": SimpleITK.VersorTransform((0.0, 0.6, 0.8), 0.4, C),
    "rigid": SimpleITK.VersorRigid3DTransform((0.0, 0.6, 0.8), 0.4, T, C),
    "similar": SimpleITK.Similarity3DTransform(1.3, (0.0, 0.6, 0.8), 0.4, T, C),
    "scale": SimpleITK.ScaleTransform(3, (1.1, 0.9, 1.3)),
    "scale_versor": SimpleITK.ScaleVersor3DTransform((1.1, 0.9, 1.3), (0.0, 0.6, 0.8), 0.4, T, C),
    "skew": SimpleITK.ScaleSkewVersor3DTransform((1.1, 0.9, 1.3), (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), V, T, C),
    "composed": SimpleITK.ComposeScaleSkewVersor3DTransform((1.1, 0.9, 1.3), (0.1, 0.2, 0.3), V, T, C),
    "shift": SimpleITK.TranslationTransform(3, T),
    "identity": SimpleITK.Transform(3, SimpleITK.sitkIdentity),
}
HEAD = "#Insight Transform File V1.0\n#Transform 0\nTransform: {}\nParameters: {}\nFixedParameters: {}\n"
AFFINE = HEAD.format("AffineTransform_double_3_3", "1 0 0 0 1 0 0 0 1 4 5 6", "0 0 0")


def read(path):
    return read_itk_transform(path, direction="fixed_to_moving")


def as_itk(transform):
    """The 4x4 RAS map of the points that ITK itself moves."""
    corners = np.array([transform.TransformPoint(tuple(map(float, p))) for p in (*np.zeros((1, 3)), *np.eye(3))])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = (corners[1:] - corners[0]).T, corners[0]
    return swap_ras_lps_transform(torch.from_numpy(matrix))


@pytest.mark.parametrize("ending", ["tfm", "mat", "h5"])
@pytest.mark.parametrize("name", SHAPES)
def test_every_linear_kind_is_what_itk_makes_of_it(tmp_path, name, ending):
    path = tmp_path / f"t.{ending}"
    SimpleITK.WriteTransform(SHAPES[name], str(path))
    torch.testing.assert_close(read(path), as_itk(SHAPES[name]), atol=1e-10, rtol=0)


@pytest.mark.parametrize("ending", ["tfm", "h5"])
def test_a_composite_acts_from_its_last_part_to_its_first(tmp_path, ending):
    path = tmp_path / f"t.{ending}"
    chain = SimpleITK.CompositeTransform([SimpleITK.Transform(SHAPES[name]) for name in ("skew", "euler", "shift")])
    SimpleITK.WriteTransform(chain, str(path))
    torch.testing.assert_close(read(path), as_itk(chain), atol=1e-10, rtol=0)


ELASTIX = """// made by elastix
(Transform "{}")
(NumberOfParameters {})
(TransformParameters {})
(InitialTransformParameterFileName "{}")
(HowToCombineTransforms "Compose")
(CenterOfRotationPoint 10.000 -20.000 30.000) // mm
(ComputeZYX "false")
(UseDirectionCosines "true")
"""


def elastix(path, kind, itk, *, before="NoInitialTransform", changed=("", "")):
    numbers = itk.GetParameters()
    text = ELASTIX.format(kind, len(numbers), " ".join(f"{n:.17g}" for n in numbers), before)
    path.write_text(text.replace(*changed) if changed[0] else text)
    return path


@pytest.mark.parametrize(
    ("kind", "name"),
    [("Euler", "euler"), ("Affine", "affine"), ("Similarity", "similar"), ("Translation", "shift")],
)
def test_what_elastix_writes_is_what_itk_makes_of_its_numbers(tmp_path, kind, name):
    path = elastix(tmp_path / "TransformParameters.0.txt", f"{kind}Transform", SHAPES[name])
    torch.testing.assert_close(read(path), as_itk(SHAPES[name]), atol=1e-10, rtol=0)


def test_an_initial_transform_of_elastix_lies_beside_it_and_acts_first(tmp_path):
    elastix(tmp_path / "T.0.txt", "EulerTransform", SHAPES["euler"])
    path = elastix(tmp_path / "T.1.txt", "AffineTransform", SHAPES["affine"], before="C:\\out\\T.0.txt")
    wanted = as_itk(SHAPES["affine"]) @ as_itk(SHAPES["euler"])
    torch.testing.assert_close(read(path), wanted, atol=1e-10, rtol=0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("AffineTransform", "BSplineTransform"), "must hold a linear transform .* got BSplineTransform"),
        (('"true"', '"false"'), "must use direction cosines"),
        (('"NoInitialTransform"', '"T.txt"'), "a chain of more than 20"),
        (('"NoInitialTransform"', '"gone.txt"'), "was expected at .*gone.txt"),
        (("Compose", "Add"), None),
        (("(NumberOf", "NumberOf"), "got the line 'NumberOfParameters"),
        (("(TransformParameters ", "(TransformParameters a "), "must give its parameters as numbers"),
        (("(TransformParameters ", "(TransformParameters 1 "), "must give 12 parameters"),
    ],
)
def test_what_elastix_cannot_mean_is_refused(tmp_path, changed, words):
    path = elastix(tmp_path / "T.txt", "AffineTransform", SHAPES["affine"], changed=changed)
    if words is None:  # there is nothing to add it to
        torch.testing.assert_close(read(path), as_itk(SHAPES["affine"]), atol=1e-10, rtol=0)
        return
    with pytest.raises(FileError, match=words):
        read(path)


def test_euler_angles_in_the_other_order_and_single_numbers_are_read(tmp_path):
    turn = SimpleITK.Euler3DTransform(C, 0.3, -0.2, 0.7, T)
    turn.SetComputeZYX(True)
    (path := tmp_path / "a.tfm").write_text(
        HEAD.format("Euler3DTransform_float_3_3", "0.3 -0.2 0.7 1 2 3", "10 -20 30 1")
    )
    torch.testing.assert_close(read(path), as_itk(turn), atol=1e-10, rtol=0)
    (path := tmp_path / "q.tfm").write_text(
        HEAD.format("QuaternionRigidTransform_double_3_3", "0 0 1 0 1 2 3", "0 0 0")
    )
    assert read(path).diagonal()[:3].tolist() == [-1, -1, 1]


@pytest.mark.parametrize("ending", [".txt", ".mat", ".xfm"])
def test_the_first_bytes_say_which_kind_of_file_it_is(tmp_path, ending):
    (path := tmp_path / f"t{ending}").write_bytes(b"\xef\xbb\xbf" + AFFINE.replace("\n", "\r\n").encode())
    assert read(path)[:3, 3].tolist() == [-4, -5, 6]


@pytest.mark.parametrize("spelling", ["Transform", "Tranform"], ids=["ITK 5", "ITK 4"])
@pytest.mark.parametrize("packed", [None, "gzip"])
@pytest.mark.parametrize("version", ["earliest", "v108"])
def test_hdf5_of_older_and_newer_libraries_is_read(tmp_path, version, packed, spelling):
    h5py = pytest.importorskip("h5py", reason="needs the peers group: uv sync --group peers")
    with h5py.File(tmp_path / "t.h5", "w", libver=(version, "latest")) as file:
        group = file.create_group("TransformGroup/0")
        group.create_dataset("TransformType", data=["AffineTransform_double_3_3"], dtype=h5py.string_dtype())
        numbers = np.array([1.0, 0, 0, 0, 1, 0, 0, 0, 1, 4, 5, 6])
        group.create_dataset(
            f"{spelling}Parameters", data=numbers, compression=packed, chunks=(12,) if packed else None
        )
        group.create_dataset(f"{spelling}FixedParameters", data=np.zeros(3, "f4"))
    assert read(tmp_path / "t.h5")[:3, 3].tolist() == [-4, -5, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "#Transform 0\nTransform: Euler3DTransform_double_3_3\nParameters: \x1b[31m 0.2\nFixedParameters: 1\n",
            "as num",
        ),
        (HEAD.format("Euler3DTransform_double_3_3", "1 2 3", "0 0 0"), "must give 6 parameters and 3 or 4 fixed ones"),
        (HEAD.format("DisplacementFieldTransform_double_3_3", "0 0 0", "3 3 3 1e308"), "NaN or numbers beyond 1e"),
        (
            HEAD.format("DisplacementFieldTransform_double_3_3", "0 0 0", "3 3 3"),
            "got DisplacementFieldTransform in 3D",
        ),
        (HEAD.format("Euler3DTransform_double_3_3", "0.1 0.2 2147483647 4 5 1e24", "1 2 3 0"), "numbers beyond 1e"),
        (
            HEAD.format("VersorTransform_double_3_3", "1 1 1", "0 0 0"),
            "must hold a rotation in VersorTransform, got a v",
        ),
        (HEAD.format("QuaternionRigidTransform_double_3_3", "0 0 0 0 1 2 3", "0 0 0"), "got a quaternion of length 0"),
        (HEAD.format("AffineTransform_double_3_3", "1 0 0 0 1 0 0 0 1 4 5 6", "0 0"), "must give 12 parameters and 3"),
        (AFFINE + AFFINE, "must hold one transform or a composite, got 2 side by side"),
        (AFFINE + "Parameters: 1\n", "got the line 'Parameters: 1'"),
        (AFFINE.replace("FixedParameters: 0 0 0\n", ""), "must give 12 parameters and 3 fixed ones .* got 12 and 0"),
        ("#Insight Transform File V1.0\n", "got none in it"),
        (AFFINE.replace("1 0 0 0 1 0 0 0 1", " ".join(["1e11"] * 9)), "finite, invertible"),
    ],
)
def test_damaged_text_is_refused_in_one_sentence(tmp_path, text, message):
    (path := tmp_path / "t.tfm").write_text(text)
    with pytest.raises(FileError, match=message) as caught:
        read(path)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


def test_other_bytes_and_sizes_are_refused(tmp_path):
    (path := tmp_path / "t.tfm").write_bytes(AFFINE.encode() + b"\xb7\xff")
    with pytest.raises(FileError, match="got bytes that are no text"):
        read(path)
    with path.open("wb") as file:
        file.truncate(3 << 20)
    with pytest.raises(FileError, match="take less than 1 MiB, got 3145728 bytes"):
        read(path)
    with pytest.raises(FileError, match=r"an ITK transform file was expected at .* check the path"):
        read("a\0.tfm")


def test_a_matlab_file_that_promises_more_than_it_holds_is_refused(tmp_path):
    path = tmp_path / "t.mat"
    for rows, columns in ((1 << 29, 1), (12, 1 << 20), (-12, 1), (-5, -5)):
        head = struct.pack("<5i", 0, rows, columns, 0, 27) + b"AffineTransform_double_3_3\0"
        path.write_bytes(head + bytes(96))
        with pytest.raises(FileError, match="must be a whole MATLAB file"):
            read(path)
    path.write_bytes(struct.pack("<5i", 0, 3, 1, 0, 6) + b"fixed\0" + bytes(24))
    with pytest.raises(FileError, match="must hold pairs of parameters"):
        read(path)


@pytest.mark.parametrize("ending", ["h5", "mat", "tfm"])
def test_no_single_damaged_byte_ends_in_anything_but_a_matrix_or_a_sentence(tmp_path, ending):
    path, rng = tmp_path / f"t.{ending}", np.random.default_rng(7)
    SimpleITK.WriteTransform(SimpleITK.CompositeTransform([SimpleITK.Transform(SHAPES["euler"])]), str(path))
    whole = bytearray(path.read_bytes())
    interesting = [n for n in range(len(whole)) if any(whole[max(0, n - 8) : n + 8])]
    for at in rng.choice(interesting, 400):
        damaged = whole.copy()
        damaged[at] = rng.choice([0, 1, 127, 255, damaged[at] ^ 1, damaged[at] ^ 128])
        path.write_bytes(damaged[: rng.choice([len(damaged), len(damaged), at])])
        try:
            said = str(bool(read(path).isfinite().all()))
        except FileError as error:
            said = str(error)
        assert said == "True" or (said.startswith(str(path)) and len(said) < 300 + len(str(path)) and "\n" not in said)
