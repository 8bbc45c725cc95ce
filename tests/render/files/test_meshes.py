"""Mesh files: read, mended, or refused in one sentence."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from support.meshes import icosphere
from xraykit.render import FileError, InputError, Mesh, instrument, read_mesh


def write(path: Path, vertices, faces) -> Path:
    trimesh.Trimesh(np.asarray(vertices), np.asarray(faces), process=False).export(path)
    return path


def binary_stl(triangles) -> bytes:
    rows = (struct.pack("<12fH", 0, 0, 0, *triangle.reshape(-1), 0) for triangle in triangles)
    return bytes(80) + struct.pack("<I", len(triangles)) + b"".join(rows)


def write_mesh(path: Path, mesh: Mesh) -> Path:
    return write(path, mesh.vertices, mesh.faces)


@pytest.mark.parametrize("suffix", [".stl", ".ply", ".obj"])
def test_tool_survives_the_round_trip(tmp_path: Path, suffix: str) -> None:
    tool = instrument("cannulated_screw", seed=1)
    seen = read_mesh(write_mesh(tmp_path / f"screw{suffix}", tool), material="stainless_steel", description="a screw")
    assert abs(seen.volume / tool.volume - 1) < 1e-4 and len(seen.faces) == len(tool.faces)
    assert (seen.name, seen.material, seen.description) == ("screw", "stainless_steel", "a screw")
    assert torch.allclose(seen.bounds, tool.bounds, atol=1e-4)


def test_text_stl_is_read(tmp_path: Path) -> None:
    ball = icosphere(9.0)
    path = tmp_path / "ball.stl"
    path.write_text(trimesh.Trimesh(ball.vertices.numpy(), ball.faces.numpy()).export(file_type="stl_ascii"))
    assert abs(read_mesh(path).volume - ball.volume) < 1e-3


def test_scale_turns_metres_into_millimetres(tmp_path: Path) -> None:
    ball = icosphere(9.0)
    path = write(tmp_path / "ball.ply", ball.vertices / 1000, ball.faces)
    with pytest.raises(FileError, match=r"ball.ply: ball: vertices must be in mm.*looks like metres; pass scale=1000"):
        read_mesh(path)
    assert abs(read_mesh(path, scale=1000.0).volume - ball.volume) < 1e-2
    with pytest.raises(FileError, match="longest edge of the bounding box must be 1 to 2000 mm"):
        read_mesh(path, scale=1e6)
    for scale in (0.0, -1.0, float("nan")):
        with pytest.raises(InputError, match="scale must be a positive number"):
            read_mesh(path, scale=scale)


def test_repeated_vertices_are_merged_and_reported(tmp_path: Path) -> None:
    seen = read_mesh(write_mesh(tmp_path / "ball.stl", icosphere(9.0)))
    assert seen.repairs == ("merged 798 repeated vertices",) and len(seen.vertices) == 162


def test_small_hole_is_closed_and_reported(tmp_path: Path) -> None:
    ball = icosphere(9.0, subdivisions=3)
    seen = read_mesh(write(tmp_path / "ball.ply", ball.vertices, ball.faces[2:]))
    assert any("small hole" in phrase for phrase in seen.repairs) and abs(seen.volume / ball.volume - 1) < 1e-3


def test_holes_that_touch_in_a_vertex_are_closed(tmp_path: Path) -> None:
    ball = icosphere(9.0, subdivisions=3)
    around = torch.nonzero((ball.faces == 300).any(dim=1))[:, 0]
    one = around[0]
    shared = torch.tensor([len(set(ball.faces[n].tolist()) & set(ball.faces[one].tolist())) for n in around])
    faces = ball.faces[
        torch.isin(torch.arange(len(ball.faces)), torch.stack([one, around[shared == 1][0]])).logical_not()
    ]
    seen = read_mesh(write(tmp_path / "ball.ply", ball.vertices, faces))
    assert seen.repairs == ("closed 2 small holes",) and abs(seen.volume / ball.volume - 1) < 1e-3


def test_large_hole_is_refused(tmp_path: Path) -> None:
    ball = icosphere(9.0, subdivisions=3)
    middle = ball.vertices[ball.faces].mean(dim=1)
    path = write(tmp_path / "bowl.ply", ball.vertices, ball.faces[middle[:, 2] < 3])
    with pytest.raises(FileError, match=r"must be closed, it has a hole of \d+ edges and a rim of .* mesh editor"):
        read_mesh(path)


def test_reversed_triangles_are_turned(tmp_path: Path) -> None:
    ball = icosphere(9.0)
    faces = ball.faces.clone()
    faces[::7] = faces[::7].flip(1)
    seen = read_mesh(write(tmp_path / "ball.ply", ball.vertices, faces))
    assert seen.repairs == ("reversed 46 triangles to match their neighbours",)
    assert abs(seen.volume - ball.volume) < 1e-3


def test_inside_out_shell_is_turned_but_a_cavity_stays(tmp_path: Path) -> None:
    outer, inner = icosphere(9.0), icosphere(5.0)
    vertices = torch.cat([outer.vertices, inner.vertices])
    seen = read_mesh(write(tmp_path / "a.ply", outer.vertices, outer.faces.flip(1)))
    assert seen.repairs == ("turned 1 shell inside out",) and abs(seen.volume - outer.volume) < 1e-3
    hollow = read_mesh(write(tmp_path / "b.ply", vertices, torch.cat([outer.faces, inner.faces.flip(1) + 162])))
    assert hollow.repairs == () and abs(hollow.volume - outer.volume + inner.volume) < 1e-3


def test_degenerate_triangles_are_dropped(tmp_path: Path) -> None:
    ball = icosphere(9.0)
    faces = torch.cat([ball.faces, torch.tensor([[0, 0, 5]]), ball.faces[:1]])
    seen = read_mesh(write(tmp_path / "ball.ply", ball.vertices, faces))
    assert seen.repairs == ("dropped 2 triangles without area or repeated",)


def test_self_intersecting_mesh_is_refused(tmp_path: Path) -> None:
    ball = icosphere(9.0)
    vertices = torch.cat([ball.vertices, ball.vertices + torch.tensor([7.0, 3.0, 1.0])])
    path = write(tmp_path / "two.ply", vertices, torch.cat([ball.faces, ball.faces + 162]))
    with pytest.raises(FileError, match=r"must not pass through itself, .* pairs of triangles do; take the union"):
        read_mesh(path)


def test_moebius_band_and_crowded_edges_are_refused(tmp_path: Path) -> None:
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    ring = [
        [(20 + s * np.cos(a / 2)) * np.cos(a), (20 + s * np.cos(a / 2)) * np.sin(a), s * np.sin(a / 2)]
        for a in angle
        for s in (-3, 3)
    ]
    faces = [[2 * n, 2 * n + 1, 2 * n + 2] for n in range(19)] + [[2 * n + 1, 2 * n + 3, 2 * n + 2] for n in range(19)]
    faces += [[38, 39, 1], [39, 0, 1]]
    with pytest.raises(FileError, match="must have two sides"):
        read_mesh(write(tmp_path / "moebius.ply", ring, faces))
    fan = [[0, 0, 0], [0, 0, 9], [9, 0, 0], [0, 9, 0], [-9, 0, 0]]
    with pytest.raises(FileError, match="an edge must belong to two triangles, 1 edges belong to more"):
        read_mesh(write(tmp_path / "fan.ply", fan, [[0, 1, 2], [0, 1, 3], [0, 1, 4]]))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_vertices_that_are_not_finite_are_refused(tmp_path: Path, bad: float) -> None:
    ball = icosphere(9.0)
    vertices = ball.vertices.clone()
    vertices[3, 1] = bad
    (tmp_path / "ball.stl").write_bytes(binary_stl(vertices[ball.faces].numpy()))
    with pytest.raises(FileError, match="must hold finite vertices"):
        read_mesh(tmp_path / "ball.stl")


def test_headers_that_promise_too_much_are_refused(tmp_path: Path) -> None:
    stl, ply = tmp_path / "a.stl", tmp_path / "b.ply"
    stl.write_bytes(bytes(80) + struct.pack("<I", 10**8) + bytes(50))
    with pytest.raises(FileError, match="got 134 bytes where its header promises 100000000 triangles"):
        read_mesh(stl)
    head = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    )
    ply.write_bytes((head + "element face 99999999\nproperty list uchar int vertex_indices\nend_header\n").encode())
    with pytest.raises(FileError, match="must hold what its header promises, got 3 vertices and 99999999 faces"):
        read_mesh(ply)
    text = tmp_path / "c.obj"
    with text.open("wb") as file:
        file.truncate(300 << 20)
    with pytest.raises(FileError, match="text mesh of at most 256 MiB, got 300 MiB; save it as binary STL"):
        read_mesh(text)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.stl", b"", "must be STL"),
        ("a.stl", b"solid nothing\nendsolid nothing\n", "empty mesh|readable STL"),
        ("a.stl", b"solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 zero 0\n", "empty mesh|readable STL"),
        ("a.ply", b"ply\nformat ascii 1.0\n", "must be PLY, got no header"),
        (
            "a.ply",
            b"ply\nformat ascii 1.0\nelement vertex 2\nelement face 0\nend_header\n0 0 0\n",
            "empty|readable PLY",
        ),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nf 1 2 9\n", "empty|readable OBJ|must name vertices"),
        ("a.obj", b"\x00\xff\x13garbage", "empty mesh|readable OBJ|UTF-8 text"),
        ("a.txt", b"solid", r"must be a \.stl, \.ply or \.obj file"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError, match=message):
        read_mesh(tmp_path / name)


def test_missing_file_and_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"a mesh was expected at .*No such file"):
        read_mesh(tmp_path / "none.stl")
    (tmp_path / "folder.stl").mkdir()
    with pytest.raises(FileError, match="a mesh was expected at"):
        read_mesh(tmp_path / "folder.stl")


def test_limit_on_triangles_can_be_lowered(tmp_path: Path) -> None:
    path = write_mesh(tmp_path / "ball.obj", icosphere(9.0))
    with pytest.raises(FileError, match="at most 100 triangles and 300 vertices, got at least 101 and 162"):
        read_mesh(path, max_faces=100)
