"""Mesh files: read, mended, or refused in one sentence."""

import struct
import tracemalloc
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
    with pytest.raises(FileError, match=r"ball.ply: ball: vertices must be in mm.*looks like metres .scale 1000"):
        read_mesh(path)
    assert abs(read_mesh(path, scale=1000.0).volume - ball.volume) < 1e-2
    assert "looks like micrometres" in read_mesh(path, scale=1e6).doubts[0]
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
    assert hollow.repairs == () and hollow.doubts == () and abs(hollow.volume - outer.volume + inner.volume) < 1e-3


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
        ("a.stl", b"solid nothing\nendsolid nothing\n", "empty mesh"),
        ("a.stl", b"solid x\nfacet normal 0 0 1\nouter loop\nvertex 0 zero 0\n", "three numbers for each vertex"),
        ("a.ply", b"ply\nformat ascii 1.0\n", "must be PLY, got no header"),
        (
            "a.ply",
            b"ply\nformat ascii 1.0\nelement vertex 2\nelement face 0\nend_header\n0 0 0\n",
            "must give x, y and z of each vertex",
        ),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nf 1 2 9\n", "must name vertices 0 to 1, got 0 to 8"),
        ("a.obj", b"\x00\xff\x13garbage", "readable OBJ"),
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
    with pytest.raises(FileError, match="at most 100 triangles and 300 vertices, got at least 101 and "):
        read_mesh(path, max_faces=100)


CUBE_CORNERS = [(x, y, z) for x in (10.0, 30.0) for y in (20.0, 40.0) for z in (0.0, 20.0)]
CUBE_QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def cube_faces(first: int = 0) -> list[tuple[int, int, int]]:
    return [(first + q[0], first + q[n], first + q[n + 1]) for q in CUBE_QUADS for n in (1, 2)]


def cube_corners() -> np.ndarray:
    """(12, 3, 3)"""
    return np.array(CUBE_CORNERS)[np.array(cube_faces())]


def text_stl(*parts: np.ndarray, header: str = "solid part", end: str = "endsolid\n") -> str:
    lines = []
    for triangles in parts:
        lines.append(header)
        for triangle in triangles:
            lines += ["facet normal 0 0 0", " outer loop"]
            lines += ["  vertex " + " ".join(f"{x:.6e}" for x in corner) for corner in triangle]
            lines += [" endloop", "endfacet"]
        lines.append("endsolid")
    return "\n".join(lines[:-1]) + "\n" + end


def obj(prefix: str = "", face: str = "f {} {} {}") -> str:
    corners = "".join("v {}\t{} {}\n".format(*corner) for corner in CUBE_CORNERS)
    return prefix + corners + "".join(face.format(a + 1, b + 1, c + 1) + "\n" for a, b, c in cube_faces())


def ascii_ply(comment: str = "") -> str:
    head = f"ply\nformat ascii 1.0\n{comment}element vertex 8\n" + "".join(f"property float {a}\n" for a in "xyz")
    head += "element face 12\nproperty list uchar int vertex_indices\nend_header\n"
    rows = ["{} {} {}".format(*corner) for corner in CUBE_CORNERS] + ["3 {} {} {}".format(*f) for f in cube_faces()]
    return head + "\n".join(rows) + "\n"


@pytest.mark.parametrize("said", ["3D Slicer output. SPACE=LPS", "space = lps"])
def test_a_mesh_that_says_lps_is_turned_to_ras(tmp_path: Path, said: str) -> None:
    contents = {
        "a.stl": said.encode().ljust(80) + binary_stl(cube_corners())[80:],
        "b.stl": text_stl(cube_corners(), header=f"solid {said}").encode(),
        "c.obj": obj(f"# {said}\n").encode(),
        "d.ply": ascii_ply(f"comment {said}\n").encode(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        seen = read_mesh(tmp_path / name)
        assert seen.bounds.tolist() == [[-30, -40, 0], [-10, -20, 20]] and abs(seen.volume - 8000) < 1e-2
        assert "turned from LPS to RAS, as its header says" in seen.repairs
        (tmp_path / name).write_bytes(content.replace(b"LPS", b"RAS").replace(b"lps", b"ras"))
        assert read_mesh(tmp_path / name).bounds.tolist() == [[10, 20, 0], [30, 40, 20]]


def test_a_stated_unit_scales_and_two_contradict(tmp_path: Path) -> None:
    for said, factor in (("# File units = inches", 25.4), ("# units: cm", 10.0), ("# unit: parsec", 1.0)):
        (tmp_path / "a.obj").write_text(obj(said + "\n"))
        assert read_mesh(tmp_path / "a.obj").size.tolist() == pytest.approx([20 * factor] * 3)
        assert read_mesh(tmp_path / "a.obj", scale=2.0).size.tolist() == pytest.approx([40] * 3)
    (tmp_path / "a.obj").write_text(obj("# units: mm\n# units: cm\n"))
    with pytest.raises(FileError, match="must state a unit once, got cm and mm"):
        read_mesh(tmp_path / "a.obj")


def test_text_stl_that_was_cut_off_is_refused_wherever_it_was(tmp_path: Path) -> None:
    path, cube = tmp_path / "a.stl", cube_corners()
    whole = text_stl(cube, cube + np.array([50, 0, 0]))
    for cut in range(whole.rindex("solid part") + 30, whole.rindex("endfacet"), 97):
        path.write_text(whole[:cut])
        with pytest.raises(FileError, match=r"cut off|three numbers|out of place|must be closed"):
            read_mesh(path)
    path.write_text(text_stl(cube, end=""))
    seen = read_mesh(path)
    assert abs(seen.volume - 8000) < 1e-2 and "its last endsolid is missing" in seen.repairs
    ball = icosphere(9.0, subdivisions=3)
    path.write_text(text_stl(ball.vertices[ball.faces[:-1]].numpy(), end=""))
    with pytest.raises(FileError, match="ends without endsolid and its surface is open, it was cut off"):
        read_mesh(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "ascii"])
def test_byte_order_marks_and_odd_names_of_solids_are_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.stl").write_bytes(text_stl(cube_corners(), header="solid vertex facet 7").encode(encoding))
    (tmp_path / "b.obj").write_bytes(obj().replace("\n", "\r\n").encode(encoding))
    for name in ("a.stl", "b.obj"):
        assert abs(read_mesh(tmp_path / name).volume - 8000) < 1e-2
    (tmp_path / "c.ply").write_bytes(ascii_ply().encode("utf-8-sig"))
    assert abs(read_mesh(tmp_path / "c.ply").volume - 8000) < 1e-2


@pytest.mark.parametrize("header", [b"", b"solid from CAD"])
@pytest.mark.parametrize("tail", [b"\n", b"\0" * 200, b"end of file"])
def test_spare_bytes_of_binary_stl_are_skipped_and_named(tmp_path: Path, header: bytes, tail: bytes) -> None:
    (tmp_path / "a.stl").write_bytes(header.ljust(80, b" ") + binary_stl(cube_corners())[80:] + tail)
    seen = read_mesh(tmp_path / "a.stl")
    assert abs(seen.volume - 8000) < 1e-2 and any("spare byte" in phrase for phrase in seen.repairs)


def test_more_triangles_than_the_header_promises_are_refused(tmp_path: Path) -> None:
    content = bytearray(binary_stl(cube_corners()))
    content[80] = 8
    (tmp_path / "a.stl").write_bytes(content)
    with pytest.raises(FileError, match="must hold the 8 triangles that its header promises, got 200 bytes more"):
        read_mesh(tmp_path / "a.stl")


@pytest.mark.parametrize("face", ["f {}/1/2 {}//3 {}", "f\t{}\t{} \\\n {}", "f   {} {} {} # a comment"])
def test_every_spelling_of_an_obj_face_is_read(tmp_path: Path, face: str) -> None:
    (tmp_path / "a.obj").write_text(obj("mtllib x.mtl\nvn 0 0 1\nvt 0 0\no part\n", face))
    assert abs(read_mesh(tmp_path / "a.obj").volume - 8000) < 1e-2


def test_relative_indices_and_polygons_of_obj_are_read(tmp_path: Path) -> None:
    blocks = [CUBE_CORNERS, [(x + 50, y, z) for x, y, z in CUBE_CORNERS]]
    text = ""
    for corners in blocks:
        text += "".join("v {} {} {} 1.0\n".format(*corner) for corner in corners)
        text += "".join("f {} {} {} {}\n".format(*(n - 8 for n in quad)) for quad in CUBE_QUADS)
    (tmp_path / "a.obj").write_text(text)
    seen = read_mesh(tmp_path / "a.obj")
    assert len(seen.faces) == 24 and abs(seen.volume - 16000) < 1e-2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.stl", text_stl(cube_corners()).replace(".", ","), "must have decimal points, got decimal commas"),
        (
            "a.stl",
            text_stl(cube_corners()).replace(" outer", "inner"),
            "got the line 'innerloop' out of place|out of pl",
        ),
        ("a.obj", obj().replace("\t", ","), "must have decimal points|three numbers"),
        ("a.obj", obj() + "f 1 2\n", "faces of three corners or more, got '1 2'"),
        ("a.obj", obj() + "f 1 2 -9\n", "must name vertices that it holds, got '1 2 -9' after 8 vertices"),
        ("a.obj", obj() + "f 1 2 0\n", "must name vertices that it holds"),
        ("a.obj", obj() + "f 1 x 2\n", "corners of a face by whole numbers"),
        ("a.obj", obj() + "surf 0 1 2\n", "must be made of flat faces, got a curved surface"),
        ("a.obj", obj() + "v 10.0\n", "must give three numbers for each vertex, got '10.0'"),
        ("a.obj", obj() + "call other.obj\n", "got the line 'call other.obj'"),
        ("a.ply", ascii_ply().replace("property list uchar int vertex_indices\n", ""), "must list the vertex_indices"),
        ("a.ply", ascii_ply().replace("property list uchar int", "~ list uchar int"), "got the line '~ list uchar int"),
        ("a.ply", ascii_ply().replace("element face", "element vertex"), "must name its format and each element once"),
        ("a.ply", ascii_ply().replace("uchar int", "uchar 1 2"), "got the line 'property list uchar 1 2"),
        ("a.ply", ascii_ply()[:-20], "ends early|must list the corners"),
        ("a.ply", ascii_ply() + "3 0 1 2\n", "must end with its last element, got '3 0 1 2' after it"),
        ("a.ply", ascii_ply().replace("3 0 1 3", "-3 0 1 3", 1), "must list the corners of each face, got '-3 0 1 3'"),
        ("a.ply", ascii_ply().replace("3 0 1 3", "2 0 1", 1), "faces of three corners or more, got one of 2"),
        ("a.ply", ascii_ply().replace("3 0 1 3", "3 0 1 " + "9" * 30, 1), "must list the corners"),
        ("a.ply", ascii_ply().replace("10.0 20.0 0.0", "10.0 20.0", 1), "must give 3 numbers for each vertex"),
    ],
)
def test_what_a_parser_would_leave_out_is_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(FileError, match=message):
        read_mesh(tmp_path / name)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("polygons", [True, False])
def test_binary_ply_of_either_order_with_more_properties_is_read(tmp_path: Path, order: str, polygons: bool) -> None:
    kind = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    faces = [tuple(q) for q in CUBE_QUADS] if polygons else cube_faces()
    head = f"ply\nformat {kind} 1.0\nelement camera 2\nproperty int id\nelement vertex 8\nproperty uchar red\n"
    head += "".join(f"property double {axis}\n" for axis in "zyx")
    head += f"element face {len(faces)}\nproperty uchar red\nproperty list uchar uint vertex_index\nend_header\n"
    rows = [struct.pack(order + "ii", 1, 2)]
    rows += [struct.pack(order + "Bddd", 7, *corner[::-1]) for corner in CUBE_CORNERS]
    rows += [struct.pack(f"{order}BB{len(face)}I", 7, len(face), *face) for face in faces]
    body = head.encode() + b"".join(rows)
    (tmp_path / "a.ply").write_bytes(body)
    assert abs(read_mesh(tmp_path / "a.ply").volume - 8000) < 1e-2
    (tmp_path / "a.ply").write_bytes(body[:-5])
    with pytest.raises(FileError, match="must hold what its header promises, it ends early"):
        read_mesh(tmp_path / "a.ply")


def test_triangles_for_both_sides_become_one_surface(tmp_path: Path) -> None:
    cube = cube_corners()
    (tmp_path / "a.stl").write_bytes(binary_stl(np.concatenate([cube, cube[:, ::-1]])))
    seen = read_mesh(tmp_path / "a.stl")
    assert abs(seen.volume - 8000) < 1e-2 and "dropped the second side of 12 triangles" in seen.repairs


@pytest.mark.parametrize("outer", [1, -1])
@pytest.mark.parametrize("inner", [1, -1])
def test_hollow_parts_are_hollow_however_their_shells_were_wound(tmp_path: Path, outer: int, inner: int) -> None:
    cube = cube_corners()
    void, core = (cube - [20, 30, 10]) / 2 + [20, 30, 10], (cube - [20, 30, 10]) / 4 + [20, 30, 10]
    parts = np.concatenate([cube[:, ::outer], void[:, ::inner], core[:, ::outer]])
    (tmp_path / "a.stl").write_bytes(binary_stl(parts))
    seen = read_mesh(tmp_path / "a.stl")
    assert seen.volume == pytest.approx(8000 - 1000 + 125, rel=1e-5)
    assert bool(seen.doubts) == (outer == inner == 1)
    if seen.doubts:
        assert seen.doubts[0].startswith("1 shell inside another faced outwards and was taken as a cavity")


def test_beads_are_read_inches_are_doubted_and_a_stated_unit_is_believed(tmp_path: Path) -> None:
    path, cube = tmp_path / "a.stl", cube_corners()
    path.write_bytes(binary_stl(cube / 25))
    assert read_mesh(path).size.tolist() == pytest.approx([0.8] * 3)
    assert "may be inches" in read_mesh(path).doubts[0] and read_mesh(path, scale=1.0).doubts == ()
    path.write_bytes(binary_stl(cube / [50, 50, 12.7]))
    with pytest.raises(FileError, match=r"looks like metres .scale 1000. or inches .scale 25.4.; state the unit"):
        read_mesh(path)
    assert "looks like metres" in read_mesh(path, scale=1.0).doubts[0]


def test_a_rim_of_very_many_edges_is_refused_at_once(tmp_path: Path) -> None:
    angle = np.linspace(0, 2 * np.pi, 30_001)
    ring = np.stack([100 * np.cos(angle), 100 * np.sin(angle), 0 * angle], axis=1)[:-1]
    fan = np.stack([np.zeros_like(ring), ring, np.roll(ring, -1, axis=0)], axis=1)
    (tmp_path / "a.stl").write_bytes(binary_stl(fan))
    with pytest.raises(FileError, match="it has a hole of 30000 edges"):
        read_mesh(tmp_path / "a.stl")


def test_very_many_shells_are_refused_at_once(tmp_path: Path) -> None:
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], float)
    one = points[[[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]]
    many = np.concatenate([one + 3.0 * np.array([n % 100, n // 100, 0]) for n in range(10_001)])
    (tmp_path / "a.stl").write_bytes(binary_stl(many))
    with pytest.raises(FileError, match="may have at most 10000 shells, this one has 10001"):
        read_mesh(tmp_path / "a.stl")


def test_text_ply_of_empty_lines_takes_no_memory_for_them(tmp_path: Path) -> None:
    (tmp_path / "a.ply").write_text(ascii_ply() + "\n" * 2_000_000)
    tracemalloc.start()
    try:
        assert abs(read_mesh(tmp_path / "a.ply").volume - 8000) < 1e-2
        assert tracemalloc.get_traced_memory()[1] < 20e6  # bytes; each line as an object would take 100e6
    finally:
        tracemalloc.stop()
