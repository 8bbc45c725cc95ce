"""RTK's own geometry object, and a bead projected by its Joseph filter, against ours through the converter."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.rtk import later_rtk
from support.views import CENTER, box, camera, pixels, poses
from xraykit.render.converters import from_projection_matrix, from_rtk, read_rtk, to_rtk
from xraykit.render.geometry import affine_to_itk, swap_ras_lps_points

itk, rtk = later_rtk()

pytestmark = [pytest.mark.peer, pytest.mark.slow]  # loading RTK takes 15 s
F64 = torch.float64


def geometry(views):
    result = rtk.ThreeDCircularProjectionGeometry.New()
    for view in views:
        result.AddProjection(*view.arguments)
    return result


def matrices(views):
    made = geometry(views)
    return torch.stack([torch.from_numpy(itk.array_from_matrix(made.GetMatrix(i))) for i in range(len(views))])


def test_rtk_computes_the_matrix_that_we_state():
    views = to_rtk(camera(), poses())
    torch.testing.assert_close(torch.stack([view.matrix for view in views]), matrices(views), atol=1e-5, rtol=1e-9)


def test_rtk_places_the_source_where_ours_is():
    views = to_rtk(camera(), poses())
    made = geometry(views)
    theirs = torch.tensor([list(made.GetSourcePosition(i))[:3] for i in range(4)], dtype=F64)
    torch.testing.assert_close(theirs, swap_ras_lps_points(poses()[:, :3, 3]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("isocenter", [torch.zeros(3, dtype=F64), CENTER])
def test_rtks_matrix_puts_box_corners_on_our_pixels(isocenter):
    views = to_rtk(camera(), poses(), isocenter=isocenter)
    fixed = torch.nn.functional.pad(swap_ras_lps_points(box() - isocenter), (0, 1), value=1.0)
    seen = fixed @ matrices(views).mT
    uv = seen[..., :2] / seen[..., 2:]
    origin, spacing, direction = (
        torch.tensor(getattr(views[0], n), dtype=F64) for n in ("origin", "spacing", "direction")
    )
    ours = pixels(box(), camera(), poses())
    torch.testing.assert_close((uv - origin) * direction / spacing + 0.5, ours, atol=1e-6, rtol=0)


def test_any_nine_numbers_are_read_as_rtk_means_them():
    views = [
        replace(view, source_offset=(12.0, -7.0), projection_offset=(-30.0, 22.0), gantry_angle=view.gantry_angle + 3)
        for view in to_rtk(camera(), poses(), isocenter=CENTER)
    ]
    ours = from_rtk(views, isocenter=CENTER)
    fixed = torch.nn.functional.pad(swap_ras_lps_points(box() - CENTER), (0, 1), value=1.0)
    seen = fixed @ matrices(views).mT
    index = (seen[..., :2] / seen[..., 2:] - torch.tensor(views[0].origin)) / torch.tensor(views[0].spacing)
    theirs = index * torch.tensor(views[0].direction) + 0.5
    torch.testing.assert_close(pixels(box(), ours.camera, ours.pose), theirs, atol=1e-4, rtol=0)


def test_rtks_matrix_decomposes_into_the_same_view():
    """RTK's matrix ends in detector mm with v up; its third row grows towards the source."""
    views = to_rtk(camera(), poses())
    view = views[0]
    to_pixels = torch.tensor(
        [
            [1 / view.spacing[0], 0, 0.5 - view.origin[0] / view.spacing[0]],
            [0, -1 / view.spacing[1], 0.5 + view.origin[1] / view.spacing[1]],
            [0, 0, 1],
        ],
        dtype=F64,
    )
    where = {"world": "LPS", "in_front": swap_ras_lps_points(CENTER)}
    back = from_projection_matrix(to_pixels @ matrices(views), height=30, width=41, sdd=1020.0, **where)
    assert not back.mirrored
    torch.testing.assert_close(back.pose, poses(), atol=1e-6, rtol=0)


def test_a_bead_projected_by_rtk_lies_where_our_camera_sees_it():
    """Row order, column order and half pixels, through RTK's renderer and ITK's images."""
    view, pose = camera(height=64, width=80), poses()[1:2]
    affine = torch.diag(torch.tensor([-2.0, 2.0, 2.0, 1.0], dtype=F64))  # an LAS grid about CENTER
    affine[:3, 3] = CENTER - affine[:3, :3] @ torch.full((3,), 8.0, dtype=F64)
    bead = CENTER + affine[:3, :3] @ torch.tensor([3.0, -4.0, 2.0], dtype=F64)
    voxels = np.zeros((17, 17, 17), dtype=np.float32)
    voxels[10, 4, 11] = 1.0
    volume = itk.image_from_array(voxels)
    origin, spacing, direction = affine_to_itk(affine)
    volume.SetOrigin(origin)
    volume.SetSpacing(spacing)
    volume.SetDirection(itk.matrix_from_array(np.array(direction)))
    (numbers,) = to_rtk(view, pose)
    blank = itk.image_from_array(np.zeros((1, *numbers.size[::-1]), dtype=np.float32))
    blank.SetOrigin([*numbers.origin, 0.0])
    blank.SetSpacing([*numbers.spacing, 1.0])
    blank.SetDirection(itk.matrix_from_array(np.diag([*map(float, numbers.direction), 1.0])))
    kind = itk.Image[itk.F, 3]
    projector = rtk.JosephForwardProjectionImageFilter[kind, kind].New()
    projector.SetGeometry(geometry([numbers]))
    projector.SetInput(0, blank)
    projector.SetInput(1, volume)
    projector.Update()
    image = torch.from_numpy(itk.array_from_image(projector.GetOutput()))[0].double()
    rows, columns = torch.arange(64.0) + 0.5, torch.arange(80.0) + 0.5
    weight = image / image.sum()
    seen = torch.stack([(weight.sum(0) * columns).sum(), (weight.sum(1) * rows).sum()])
    # The bead is a 2 mm voxel seen on pixels of 2.5 x 3 mm: the centroid of its samples is off by 0.055 px here.
    torch.testing.assert_close(seen, pixels(bead[None], view, pose)[0, 0], atol=0.08, rtol=0)


def test_we_read_the_geometry_that_rtk_writes(tmp_path):
    views = to_rtk(camera(), poses(), isocenter=CENTER)
    writer = rtk.ThreeDCircularProjectionGeometryXMLFileWriter.New()
    writer.SetFilename(str(tmp_path / "geometry.xml"))
    written = geometry(views)  # kept here, since the writer does not
    writer.SetObject(written)
    writer.WriteFile()
    first = views[0]
    found = read_rtk(
        tmp_path / "geometry.xml",
        size=first.size,
        spacing=first.spacing,
        origin=first.origin,
        direction=first.direction,
    )
    ours, again = from_rtk(views, isocenter=CENTER), from_rtk(found, isocenter=CENTER)
    torch.testing.assert_close(again.pose, ours.pose, atol=1e-6, rtol=0)
    torch.testing.assert_close(
        pixels(box(), again.camera, again.pose), pixels(box(), camera(), poses()), atol=1e-6, rtol=0
    )
