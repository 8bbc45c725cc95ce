"""A CT finds its place in a template: to a fraction of a voxel, from any grid, whole or in part."""

import os
import sys

import numpy as np
import pytest
import torch
from support.bodies import MOTION, body
from xraykit.render import BackendUnavailableError, FileError, InputError, Volume
from xraykit.render.converters import write_itk_transform
from xraykit.render.geometry import box_corners, transform_points
from xraykit.xvr import AlignmentSettings, align_to_template
from xraykit.xvr.template import alignment_picture

QUICK = AlignmentSettings(spacing=4.0, iterations=60, starts=1)


def error(warp, motion=MOTION):
    """The largest error at the corners of the body's box [mm]."""
    corners = box_corners(body().shape, body().affine)
    return float((transform_points(warp, corners) - transform_points(motion, corners)).norm(dim=-1).max())


@pytest.fixture(scope="module")
def template():
    return body()


def oblique_left_handed():
    """Voxels of 5 mm along turned axes, x against the patient's right."""
    affine = MOTION.clone()
    affine[:3, :3] = affine[:3, :3] @ torch.diag(torch.tensor([-5.0, 5.0, 5.0], dtype=torch.float64))
    affine[:3, 3] -= affine[:3, :3] @ torch.tensor([18.0, 15.0, 17.0], dtype=torch.float64)
    return affine


def test_a_moved_ct_is_found(template):
    lines = []
    found = align_to_template(body(moved=MOTION), template, QUICK, report=lines.append)
    assert error(found.warp) < 1.0 < error(torch.eye(4, dtype=torch.float64))
    assert found.similarity > found.before and found.method == "simpleitk"
    assert 0.7 < found.overlap <= 1.0 and len(lines) == 4


def test_an_oblique_left_handed_ct_is_found(template):
    ct = body(affine=oblique_left_handed(), shape=(36, 32, 38), moved=MOTION)
    assert float(torch.linalg.det(ct.affine[:3, :3])) < 0
    assert error(align_to_template(ct, template, QUICK).warp) < 1.0


def test_a_part_of_the_body_far_from_the_middle_is_found():
    """A third of the body, its middle 100 mm off the template's: centroids and middles miss it, the steps do not."""
    affine = torch.diag(torch.tensor([5.0, 5.0, 5.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([-95.0, -70.0, -175.0])
    long = body(affine=affine, shape=(72, 28, 38))
    part = body(moved=MOTION, shape=(28, 36, 48))
    settings = AlignmentSettings(spacing=5.0, iterations=60, starts=3)
    assert error(align_to_template(part, long, settings).warp) < 2.0


def test_a_given_start_is_used(template):
    far = torch.eye(4, dtype=torch.float64)
    far[0, 3] = 5000.0
    ct = body(moved=MOTION)
    assert error(align_to_template(ct, template, QUICK, start=MOTION).warp) < 1.0
    with pytest.raises(InputError, match="must meet the template somewhere"):
        align_to_template(ct, template, QUICK, start=far)


def test_an_image_that_shows_nothing_is_refused(template):
    empty = Volume.from_hu(torch.zeros(20, 20, 20), template.affine)
    with pytest.raises(InputError, match="the CT must show a body"):
        align_to_template(empty, template, QUICK)
    with pytest.raises(InputError, match="the template must span at least 8 voxels"):
        align_to_template(template, Volume.from_hu(torch.rand(3, 20, 20), template.affine), QUICK)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "elastix"}, "method must be one of simpleitk, greedy, ants"),
        ({"spacing": 0.0}, "spacing must be"),
        ({"iterations": 0}, "iterations and starts must be 1 or more"),
        ({"bins": 2}, "bins 8 or more"),
    ],
)
def test_settings_out_of_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        AlignmentSettings(**options)


def program(folder, name, code):
    """An executable that records its arguments and runs `code`."""
    path = folder / name
    record = f"open({str(folder / 'arguments')!r}, 'w').write(' '.join(sys.argv[1:]))"
    path.write_text(f"#!{sys.executable}\nimport shutil, sys\n{record}\n{code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


needs_posix = pytest.mark.skipif(os.name != "posix", reason="stands in for programs by scripts with a #! line")


@needs_posix
def test_greedy_gets_template_as_fixed_and_ct_as_moving_and_its_ras_matrix_is_the_warp(template, path):
    rows = "\\n".join(" ".join(map(str, row)) for row in MOTION.tolist())
    program(path, "greedy", f"open('warp.mat', 'w').write('{rows}')")
    found = align_to_template(body(moved=MOTION), template, AlignmentSettings(method="greedy", spacing=4.0))
    torch.testing.assert_close(found.warp, MOTION, atol=1e-9, rtol=0)
    words = (path / "arguments").read_text()
    assert "-dof 6" in words and "-i template.nii.gz ct.nii.gz" in words and found.method == "greedy"


@needs_posix
def test_ants_writes_an_itk_transform_from_template_to_ct(template, path):
    write_itk_transform(path / "result.mat", MOTION, direction="fixed_to_moving")
    program(path, "antsRegistration", f"shutil.copy({str(path / 'result.mat')!r}, 'warp0GenericAffine.mat')")
    found = align_to_template(body(moved=MOTION), template, AlignmentSettings(method="ants", spacing=4.0))
    torch.testing.assert_close(found.warp, MOTION, atol=1e-6, rtol=0)
    assert "MI[template.nii.gz,ct.nii.gz" in (path / "arguments").read_text()


@needs_posix
def test_a_program_that_fails_is_quoted(template, path):
    program(path, "greedy", "sys.exit('no memory left')")
    with pytest.raises(InputError, match="greedy failed with status 1: no memory left"):
        align_to_template(template, template, AlignmentSettings(method="greedy", spacing=4.0))
    program(path, "greedy", "open('warp.mat', 'w').write('1 2 3')")
    with pytest.raises(FileError, match=r"16 numbers to warp\.mat, got 3"):
        align_to_template(template, template, AlignmentSettings(method="greedy", spacing=4.0))
    program(path, "greedy", "")
    with pytest.raises(FileError, match="16 numbers"):
        align_to_template(template, template, AlignmentSettings(method="greedy", spacing=4.0))


@pytest.mark.parametrize(("method", "name"), [("greedy", "greedy"), ("ants", "antsRegistration")])
def test_a_program_that_is_not_there_is_named(template, path, method, name):
    with pytest.raises(BackendUnavailableError, match=f"program {name} on the PATH"):
        align_to_template(template, template, AlignmentSettings(method=method, spacing=4.0))


def test_the_check_picture_is_grey_where_ct_and_template_coincide(template):
    ct = body(moved=MOTION)
    right, wrong = (alignment_picture(ct, template, warp).astype(int) for warp in (MOTION, torch.eye(4)))
    tint = [np.abs(picture[..., 0] - picture[..., 1]).mean() for picture in (right, wrong)]
    assert right.shape == wrong.shape and tint[0] < 0.5 * tint[1]
