"""Whatever is wrong with a scene, `render simulate` says so in one sentence, exits 2 and writes nothing."""

import struct
import tracemalloc

import pytest
import torch
import trimesh
from support.cubes import cube
from support.meshes import icosphere
from xraykit.render import FileError, read_mesh, read_scene
from xraykit.render.cli.umbrella import run

BASE = "camera: {size: [32, 32], pixel_spacing: 5}\nmarch: {samples: 20, backend: torch}\n"
TOOL = "tools: [{file: FILE}]\n"
CUBE = "tools: [{instrument: k_wire}]\n"
BODY = "bodies: [{torso: {spacing: 8}OPTIONS}]\n"
PLY = (
    "ply\nformat FORMAT 1.0\nelement vertex VERTICES\nproperty float x\nproperty float y\nproperty float z\n"
    "element face 100000000\nproperty list uchar int vertex_indices\nend_header\n"
)


def write_mesh(path, vertices, faces):
    trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False).export(path)


def open_mesh(path):
    ball = icosphere(9.0)
    write_mesh(path, ball.vertices, ball.faces[ball.vertices[ball.faces].mean(dim=1)[:, 2] < 3])


def mesh_through_itself(path):
    ball = icosphere(9.0)
    shifted = ball.vertices + torch.tensor([7.0, 3.0, 1.0])
    write_mesh(path, torch.cat([ball.vertices, shifted]), torch.cat([ball.faces, ball.faces + len(shifted)]))


def mesh_in_metres(path):
    write_mesh(path, cube(90.0).vertices / 1000, cube().faces)


def mesh_with_nan(path):
    vertices = cube().vertices.clone()
    vertices[2, 1] = torch.nan
    write_mesh(path, vertices, cube().faces)


def padded(head, size):
    """A file that begins with `head` and is `size` bytes long; the holes take no disk."""

    def write(path):
        with path.open("wb") as file:
            file.write(head)
            file.truncate(max(size, len(head)))

    return write


def ply(vertices, size, kind="binary_little_endian"):
    return padded(PLY.replace("VERTICES", str(vertices)).replace("FORMAT", kind).encode(), size)


STL = bytes(80) + struct.pack("<I", 10**8)
TRIANGLE = b"v 0 0 0\nv 9 0 0\nv 0 9 0\n"
MESHES = [
    ("open.stl", open_mesh, "open: the surface must be closed, it has a hole of"),
    ("two.ply", mesh_through_itself, "two: the surface must not pass through itself"),
    ("metres.stl", mesh_in_metres, "0.09 x 0.09 x 0.09, which looks like metres (scale 1000)"),
    ("empty.stl", padded(bytes(84), 0), "must hold triangles, got an empty mesh"),
    ("empty.obj", padded(b"", 0), "must hold triangles, got an empty mesh"),
    ("nan.obj", mesh_with_nan, "must hold finite vertices"),
]
HUGE = [
    ("full.stl", padded(STL, 84 + 50 * 10**8), "must hold at most 2000000 triangles"),
    ("cut.stl", padded(STL, 5000), "got 5000 bytes where its header promises 100000000 triangles"),
    ("text.stl", padded(b"solid x\nfacet normal 0 0 1\n", 10**10), "must be a text mesh of at most 256 MiB"),
    ("full.ply", ply(3, 13 * 10**8 + 300), "must hold at most 2000000 triangles"),
    ("dots.ply", ply(5 * 10**7, 19 * 10**8), "must hold at most 2000000 triangles"),
    ("cut.ply", ply(3, 5000), "must hold what its header promises, got 3 vertices and 100000000 faces in 5000"),
    ("text.ply", ply(3, 10**9, "ascii"), "must be a text mesh of at most 256 MiB"),
    ("full.obj", padded(TRIANGLE, 10**9), "must be a text mesh of at most 256 MiB"),
    ("fan.obj", padded(TRIANGLE + b"f" + b" 1 2 3" * 700_000 + b"\n", 0), "lines of less than 1048576 characters"),
    (
        "folded.obj",
        padded(TRIANGLE + b"f" + (b" 1 2 3" * 7000 + b" \\\n") * 100, 0),
        "lines of less than 1048576 characters",
    ),
]
SCENES = [
    ("tools: [{instrument: k_wire, material: unobtainium}]", "tools[0].material knows no 'unobtainium'; did you mean"),
    (CUBE + "beam: {filtration: {wood: 1}}", "beam: material must be one of adipose"),
    (BODY.replace("OPTIONS", ", label_materials: {liver: wood}"), "bodies[0]: material must be one of adipose"),
    ("tools: [{instrument: k_wire, density: -4.5}]", "tools[0].density must be above 0, got -4.5"),
    (BODY.replace("OPTIONS", ", density_scale: {lung: -1}"), "density_scale of lung must be 0 or more and finite"),
    (CUBE + "beam: {kvp: 39}", "beam: kvp must lie in the table's 40 to 150 kV, got 39"),
    (CUBE + "beam: {kvp: 151}", "beam: kvp must lie in the table's 40 to 150 kV, got 151"),
    (CUBE + "beam: {energy_kev: 9}", "beam: photon energies must lie in 10 to 150 keV"),
    (CUBE + "dose: {photons_per_pixel: 0}", "dose must be positive and finite, got photons_per_pixel=0.0"),
    (CUBE + "dose: {mas: -1e-3}", "dose must be positive and finite, got mas=-0.001"),
    (CUBE + "toolz: []", "the scene has no key 'toolz'; did you mean 'tools'?"),
    ("tools: [{instrument: k_wire, matter: lead}]", "tools[0] has no key 'matter'; did you mean 'material'?"),
    (CUBE + "march: {samples: 100001}", "march: samples must be a whole number from 1 to 100000, got 100001"),
    (CUBE + "march: {displacement_step: 1e-9}", "march: displacement_step must be finite and at least 0.001 mm"),
    (CUBE + "path_lengths: [liver]", "path_lengths must name labels or groups of a body, got 'liver'"),
    (
        CUBE + "dose: {photons_per_pixel: 1e-300}",
        "quanta must be positive and finite",
    ),  # found by the simulation itself
]


def refused(folder, capsys, text):
    """The sentence with which the command refuses a scene, after checks that it left everything as it was."""
    (folder / "scene.yaml").write_text(text + "\n", encoding="utf-8")
    kept = folder / "kept"
    kept.mkdir()
    (kept / "image.png").write_bytes(b"of an earlier run")
    before = sorted(path.name for path in folder.iterdir())
    for output in (folder / "new" / "out", kept):
        assert run(["render", "simulate", str(folder / "scene.yaml"), "-o", str(output)]) == 2
        said = capsys.readouterr()
        assert said.err.count("\n") == 1 and "wrote" not in said.out
    assert sorted(path.name for path in folder.iterdir()) == before
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == {"image.png": b"of an earlier run"}
    return said.err


@pytest.mark.parametrize(("name", "make", "sentence"), MESHES, ids=[name for name, *_ in MESHES])
def test_a_mesh_that_is_no_solid_in_millimetres_is_refused(tmp_path, capsys, name, make, sentence):
    make(tmp_path / name)
    said = refused(tmp_path, capsys, TOOL.replace("FILE", name) + BASE)
    assert name in said and sentence in said
    with pytest.raises(FileError) as error:
        read_scene(tmp_path / "scene.yaml")
    assert sentence in str(error.value)


@pytest.mark.parametrize(("name", "make", "sentence"), HUGE, ids=[name for name, *_ in HUGE])
def test_a_mesh_of_very_many_triangles_is_refused_in_little_memory(tmp_path, name, make, sentence):
    make(tmp_path / name)
    (tmp_path / "scene.yaml").write_text(TOOL.replace("FILE", name) + BASE + "\n", encoding="utf-8")
    tracemalloc.start()
    try:
        with pytest.raises(FileError) as error:
            read_scene(tmp_path / "scene.yaml")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sentence in str(error.value)
    assert peak < 50e6  # bytes


def test_fans_are_counted_before_all_are_held(tmp_path):
    padded(TRIANGLE + (b"f" + b" 1 2 3" * 7000 + b"\n") * 100, 0)(tmp_path / "fans.obj")
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match="at most 50000 triangles and 150000 vertices, got at least 6"):
            read_mesh(tmp_path / "fans.obj", max_faces=50_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6  # bytes; a hundred fans would take more


@pytest.mark.parametrize(("text", "sentence"), SCENES, ids=[sentence[:40] for _, sentence in SCENES])
def test_a_scene_with_a_mistake_is_refused(tmp_path, capsys, text, sentence):
    base = BASE if "march" not in text else BASE.partition("march")[0]
    assert sentence in refused(tmp_path, capsys, text + "\n" + base)
