"""ASTRA's cone_vec, by its published definition and by vectors that `astra.geom_2vec` printed."""

import pytest
import torch
from support.views import CENTER, assert_same_view, box, camera, pixels, poses
from xraykit.render.converters import from_astra, to_astra
from xraykit.render.errors import GeometryError

F64 = torch.float64
# astra.geom_2vec(astra.create_proj_geom("cone", 0.5, 0.6, 30, 41, [0.0, 0.3], 700, 300))["Vectors"], ASTRA 2.x
PRINTED = torch.tensor(
    [
        [0.0, -700.0, 0.0, 0.0, 300.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.6],
        [206.864145, -668.735543, 0.0, -88.656062, 286.600947, 0.0, 0.477668, 0.147760, 0.0, 0.0, 0.0, 0.6],
    ],
    dtype=F64,
)


def astra_pixels(vectors: torch.Tensor, points: torch.Tensor, rows: int, columns: int) -> torch.Tensor:
    """Where ASTRA's definition has points: s + a (p - s) = d + (i - (n - 1)/2) u + (j - (m - 1)/2) v; half centres."""
    found = []
    for vector in vectors:
        s, d, u, v = vector.split(3)
        for p in points:
            i, j, _ = torch.linalg.solve(torch.stack([u, v, s - p], dim=-1), s - d).tolist()
            found.append([i + columns / 2, j + rows / 2])
    return torch.tensor(found, dtype=F64).reshape(len(vectors), len(points), 2)


def test_vectors_that_astra_printed_are_a_circular_scan():
    view = from_astra(PRINTED, det_row_count=30, det_col_count=41)
    assert view.mirrored  # v runs up the patient
    sdd, spacing, centre = view.camera.tensors(dtype=F64, device="cpu")
    torch.testing.assert_close(sdd, torch.tensor([1000.0, 1000.0], dtype=F64), atol=1e-5, rtol=0)
    torch.testing.assert_close(spacing, torch.tensor([[0.6, 0.5]] * 2, dtype=F64), atol=1e-6, rtol=0)
    torch.testing.assert_close(centre, torch.tensor([[20.5, 15.0]] * 2, dtype=F64), atol=1e-3, rtol=0)
    assert view.pose[0, :3, 3].tolist() == [0.0, -700.0, 0.0]
    assert view.pose[0, :3, 2].tolist() == pytest.approx([0.0, 1.0, 0.0])


@pytest.mark.parametrize("mirrored", [False, True])
def test_points_appear_where_astras_definition_has_them(mirrored):
    vectors = to_astra(camera(), poses(), isocenter=CENTER, mirrored=mirrored)
    seen = astra_pixels(vectors, box() - CENTER, 30, 41)
    torch.testing.assert_close(seen, pixels(box(), camera(), poses(), mirrored=mirrored))


@pytest.mark.parametrize("mirrored", [False, True])
def test_round_trip_keeps_every_number(mirrored):
    vectors = to_astra(camera(), poses(), isocenter=CENTER, mirrored=mirrored)
    view = from_astra(vectors, det_row_count=30, det_col_count=41, isocenter=CENTER)
    assert view.mirrored is mirrored
    assert_same_view(view, (camera(), poses()))


def test_bad_vectors_say_what_is_wrong():
    with pytest.raises(GeometryError, match=r"vectors must be floating point \(1, 12\)"):
        from_astra(PRINTED[:, :11], det_row_count=30, det_col_count=41)
    with pytest.raises(GeometryError, match="vectors must be finite"):
        from_astra(PRINTED * float("inf"), det_row_count=30, det_col_count=41)
