"""What a mesh must be, and what the checks see."""

import pytest
import torch
from support.meshes import cuboid, icosphere, joined
from xraykit.render import InputError, Mesh, instrument
from xraykit.render.meshes import self_intersections
from xraykit.render.meshes.plausible_size import implausible_size, possible_inches


def test_box_has_its_volume_and_size() -> None:
    box = cuboid((2.0, 3.0, 5.0))
    assert abs(box.volume - 30) < 1e-12 and box.size.tolist() == [2.0, 3.0, 5.0]
    assert box.bounds.tolist() == [[-1.0, -1.5, -2.5], [1.0, 1.5, 2.5]]


def test_volume_of_a_sphere_converges_to_its_formula() -> None:
    assert abs(icosphere(10.0, subdivisions=5).volume / (4 / 3 * torch.pi * 1000) - 1) < 2e-3


def test_missing_face_is_refused() -> None:
    box = cuboid((2.0, 3.0, 5.0))
    with pytest.raises(InputError, match="must be closed and wound consistently, 3 edges have no partner"):
        Mesh(box.vertices, box.faces[1:])


def test_reversed_face_is_refused() -> None:
    box = cuboid((2.0, 3.0, 5.0))
    faces = torch.cat([box.faces[:1].flip(1), box.faces[1:]])
    with pytest.raises(InputError, match="wound consistently, 6 edges"):
        Mesh(box.vertices, faces)


def test_inside_out_mesh_is_refused() -> None:
    box = cuboid((2.0, 3.0, 5.0))
    with pytest.raises(InputError, match=r"enclose a positive volume, got -30 mm\^3; reverse the order"):
        Mesh(box.vertices, box.faces.flip(1))


@pytest.mark.parametrize(
    ("vertices", "faces", "message"),
    [
        (torch.zeros(3, 2), torch.tensor([[0, 1, 2]]), r"vertices must be \(V, 3\)"),
        (torch.zeros(3, 3).half(), torch.tensor([[0, 1, 2]]), "float32 or float64, got torch.float16"),
        (torch.zeros(3, 3), torch.zeros(0, 3, dtype=torch.int64), "with F >= 1, got shape"),
        (torch.zeros(3, 3), torch.tensor([[0, 1, 3]]), "must name vertices 0 to 2, got 0 to 3"),
        (torch.zeros(3, 3), torch.tensor([[-1, 1, 2]]), "got -1 to 2"),
        (torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, float("nan"), 0]]), torch.tensor([[0, 1, 2]]), "1 hold NaN"),
    ],
)
def test_malformed_arrays_are_refused(vertices: torch.Tensor, faces: torch.Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Mesh(vertices, faces)


def test_moved_vertices_keep_graph_and_shape() -> None:
    box = cuboid((2.0, 3.0, 5.0))
    moved = box.with_vertices((box.vertices * 2).requires_grad_())
    assert moved.vertices.requires_grad and moved.size.tolist() == [4.0, 6.0, 10.0]
    with pytest.raises(InputError, match=r"must keep the shape \(8, 3\)"):
        box.with_vertices(box.vertices[1:])


@pytest.mark.parametrize(
    ("factor", "message"), [(0.001, "looks like metres"), (1 / 254, "inches"), (1e-5, "metres"), (1000.0, "micro")]
)
def test_implausible_sizes_are_named(factor: float, message: str) -> None:
    stem = instrument("hip_stem")
    assert implausible_size(stem.size) is None
    assert message in str(implausible_size(stem.size * factor))


def test_beads_are_plausible_and_short_pieces_are_not() -> None:
    assert implausible_size(torch.tensor([0.8, 0.8, 0.8])) is None
    assert "inches" in str(implausible_size(torch.tensor([0.8, 0.4, 1.5])))
    assert "0.8 x 0.8 x 0.8" in str(possible_inches(torch.tensor([0.8, 0.8, 0.8])))
    assert possible_inches(torch.tensor([3.0, 3.0, 40.0])) is None


def test_two_crossing_boxes_are_seen_and_nested_or_touching_ones_are_not() -> None:
    box = cuboid((10.0, 10.0, 10.0))
    small = cuboid((3.0, 3.1, 3.2))
    shifted = {
        name: box.vertices + torch.tensor(by) for name, by in (("into", [4.0, 3.3, 2.1]), ("beside", [10.0, 0, 0]))
    }
    assert self_intersections(joined(box, box.with_vertices(shifted["into"]))) > 0
    assert self_intersections(joined(box, box.with_vertices(shifted["beside"]))) == 0
    assert self_intersections(joined(box, small)) == 0
    assert self_intersections(joined(box, small.with_vertices(small.vertices + 5))) > 0


def test_search_for_intersections_is_bounded() -> None:
    assert self_intersections(icosphere(10.0), pairs=10) is None
    assert self_intersections(icosphere(10.0)) == 0
