"""The derivative of the outline is that of its projection, and the value is highest where the implant is."""

from dataclasses import replace

import pytest
import torch
from support.implants import CAMERA, component, implant_shot, moved, truth
from xraykit.render.geometry import rigid_inverse, transform_points
from xraykit.xvr.implants.fit import _moved
from xraykit.xvr.implants.implant import united
from xraykit.xvr.implants.objective import RimTarget, _rows, evaluate
from xraykit.xvr.implants.silhouette import Outline, focal_and_centre


def test_rim_rows_are_the_central_differences_of_the_projection():
    implant = component()
    pose, outline = truth(implant)[None], Outline(implant, count=50)
    rim = outline.rim(CAMERA, pose, outline.render(CAMERA, pose))
    rows = _rows(CAMERA, outline, pose, rim)
    focal, centre = focal_and_centre(CAMERA)

    def along_normal(step):
        seen = transform_points(rigid_inverse(_moved(pose[:, None], implant.pivot, step)[:, 0]), rim.points)
        return ((focal * seen[..., :2] / seen[..., 2:] + centre - rim.uv) * rim.normal).sum(-1)

    for number in range(6):
        step = torch.zeros(1, 6, dtype=torch.float64)
        step[0, number] = 1e-5
        difference = (along_normal(step) - along_normal(-step)) / 2e-5
        assert torch.allclose(difference, rows[..., number], atol=1e-5 * float(rows.abs().max()))


def test_kept_rim_points_lie_on_the_border_of_the_silhouette():
    implant = component()
    pose, outline = truth(implant)[None], Outline(implant)
    patch = outline.render(CAMERA, pose)
    rim = outline.rim(CAMERA, pose, patch)
    inside = patch.image[0, 0] > 0
    for sign, share in ((-3.0, 1.0), (3.0, 0.0)):
        at = (rim.uv + sign * rim.normal - patch.corner[:, None])[0][rim.kept[0]].long()
        assert abs(float(inside[at[:, 1], at[:, 0]].double().mean()) - share) < 0.1


def test_the_value_falls_on_all_sides_of_the_truth():
    implant = component()
    pose = truth(implant)
    off = [((4.0, 0, 0), (0, 0, 0)), ((0, 4.0, 0), (0, 0, 0)), ((0, 0, 0), (2.0, 0, 0)), ((0, 0, 0), (0, -2.0, 0))]
    poses = torch.stack([pose, *(moved(implant, pose, turn, shift) for turn, shift in off)])
    found = evaluate((RimTarget.of(implant_shot(implant, pose), 160),), Outline(implant), poses[:, None], reach=4)
    assert float(found.value[0]) > 0.8
    assert bool((found.value[1:] < found.value[0] - 0.02).all())
    assert float(found.seen[0]) == pytest.approx(1.0)


def test_processed_greys_count_on_whatever_scale_they_are():
    """Natural logarithms are the share of the beam; greys are that share already, up to gain and offset."""
    implant = component()
    shot = implant_shot(implant, truth(implant))
    share = 1 - (-shot.image).exp()
    expected = evaluate((RimTarget.of(shot, 160),), Outline(implant), truth(implant)[None, None], reach=4).value
    for gain, offset in ((255.0, 0.0), (4000.0, -70.0)):
        greys = replace(shot, image=gain * share + offset, greys="processed")
        found = evaluate((RimTarget.of(greys, 160),), Outline(implant), truth(implant)[None, None], reach=4).value
        assert float(found) == pytest.approx(float(expected), abs=0.02)


@pytest.mark.parametrize("cell", [1.5, 3.0, 5.0, 8.0])
@pytest.mark.parametrize("name", ["femoral_component", "tibial_component"])
def test_a_mesh_of_less_detail_is_closed_and_wound_alike_and_moved_by_less_than_a_cell(name, cell):
    mesh = component(name).mesh
    coarse = component(name).with_detail(cell).mesh
    start, end = coarse.faces.reshape(-1), coarse.faces.roll(-1, 1).reshape(-1)
    edges, number = torch.stack([start, end], 1).sort(1).values.unique(dim=0, return_inverse=True)
    one_way = torch.zeros(len(edges)).index_add_(0, number, torch.where(start < end, 1.0, -1.0))
    assert bool((one_way == 0).all())
    a, b, c = (mesh.vertices.double()[mesh.faces[:, n]] for n in range(3))
    area = float(torch.linalg.cross(b - a, c - a).norm(dim=1).sum()) / 2
    assert abs(float(coarse.volume) - float(mesh.volume)) < 3**0.5 * cell * area
    assert float(torch.cdist(coarse.vertices.double(), mesh.vertices.double()).amin(1).max()) < 3**0.5 * cell


def test_united_vertices_leave_a_closed_surface_of_about_the_same_volume():
    mesh = component("tibial_component").mesh
    coarse = united(mesh, 3.0)
    assert len(coarse.faces) < 0.7 * len(mesh.faces)
    assert abs(coarse.volume / mesh.volume - 1) < 0.1  # Mesh itself refuses what is open


def test_an_edge_within_dense_bone_is_worth_what_it_is_beside_skin():
    implant = component()
    pose = truth(implant)
    beside_skin = implant_shot(implant, pose, noise=0.002)
    behind = (beside_skin.image + 1.2).clone()
    behind[:, :12] = 0.0  # the open beam: the whole range of an X-ray
    values = [
        float(evaluate((RimTarget.of(shot, 160),), Outline(implant), pose[None, None], reach=4).value)
        for shot in (beside_skin, replace(beside_skin, image=behind))
    ]
    assert values[1] > 0.9 * values[0] > 0.7
