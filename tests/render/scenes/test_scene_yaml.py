"""A scene file becomes the scene it describes, comes back from its record, and every mistake is named."""

import re

import pytest
import torch
import yaml
from support.cubes import cube, moved
from xraykit.render import (
    Camera,
    FileError,
    InputError,
    OutputError,
    carm_pose,
    instrument,
    read_scene,
    write_pose,
    write_volume,
)
from xraykit.render.geometry import VIEWS
from xraykit.render.physics.spectrum import MonochromaticSpectrum
from xraykit.render.radiographs import CircularShutter, PolygonalShutter, RectangularShutter
from xraykit.render.scenes import write_scene
from xraykit.render.simulation import tool_pose
from xraykit.render.volumes import label_centroids

AFFINE = torch.diag(torch.tensor([4.0, 4.0, 4.0, 1.0], dtype=torch.float64))


@pytest.fixture
def folder(tmp_path):
    """A small CT with a bone (label vertebrae_L3) at its high corner, and a mesh."""
    hu = torch.full((6, 7, 8), 40, dtype=torch.int16)
    labels = torch.zeros(6, 7, 8, dtype=torch.uint8)
    hu[3:, 4:, 5:], labels[3:, 4:, 5:] = 900, 29
    write_volume(tmp_path / "ct.nii.gz", hu, AFFINE)
    write_volume(tmp_path / "seg.nii.gz", labels, AFFINE, label_names={29: "vertebrae_L3"})
    solid = cube(6.0)
    lines = [f"v {x} {y} {z}" for x, y, z in solid.vertices.tolist()]
    lines += ["f " + " ".join(str(n + 1) for n in face) for face in solid.faces.tolist()]
    (tmp_path / "cube.obj").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


BODY = "bodies: [{file: ct.nii.gz, labels: seg.nii.gz}]\n"
CUBE = "tools: [{file: cube.obj}]\n"


def plan(folder, text):
    path = folder / "scene.yaml"
    path.write_text(text, encoding="utf-8")
    return read_scene(path)


def test_the_defaults_are_those_of_the_dataclasses(folder):
    found = plan(folder, CUBE)
    assert found.scene.bodies == ()
    assert found.scene.tools[0].name == "cube"
    assert (found.camera.height, found.camera.width, found.camera.sdd) == (512, 512, 1020.0)
    torch.testing.assert_close(
        found.pose, carm_pose(**VIEWS["ap"].angles, sod=816.0, isocenter=torch.zeros(3, dtype=torch.float64))
    )
    assert found.settings.beam.spectrum.kvp == 90.0
    assert not found.settings.dose.is_noisy
    assert not found.mirrored


def test_everything_can_be_said(folder):
    text = (
        BODY
        + """
tools:
  - {name: screw, instrument: pedicle_screw, seed: 3, material: tantalum, density: 12, at: left L3 vertebrae,
     offset: [1, 2, 3], direction: [0, -1, 1], turn: 30, displaces: false}
  - {name: cube, file: cube.obj, scale: 2, position: [5, 6, 7]}
landmarks: {tip: [1, 2, 3], L3: vertebrae_L3}
camera: {sdd: 900, size: [20, 30], pixel_spacing: [2, 3], principal_point: [14, 9]}
view: {lao_rao: 10, cra_cau: -5, roll: 3, sod: 600, isocenter: vertebrae_L3, offset: [0, 0, 4]}
seed: 7
beam: {kvp: 75, filtration: {aluminium: 3, copper: 0.1}, anode_angle: 10, anode_direction: 90, oblique: true,
       shutter: {circle: [15, 10, 9]}, penumbra: 2, leakage: 0.01}
dose: {mas: 1.5, readout_quanta: 4, law: gaussian}
scatter: {scatter_to_primary: 0.4, widths: [20, 80], weights: [1, 3]}
detector: {scintillator: gadolinium_oxysulfide, thickness: 0.3, packing: 0.5, counts: photons, blur: gaussian, mtf50: 2}
march: {method: joseph, samples: 77, backend: torch, displacement_step: 0.2}
masks: false
path_lengths: [lumbar vertebrae]
""".replace("left L3 vertebrae", "vertebrae_L3")
    )
    found = plan(folder, text)
    screw, block = found.scene.tools
    centre = label_centroids(found.scene.bodies[0].volume)["vertebrae_L3"]
    place = centre + torch.tensor([1.0, 2.0, 3.0])
    torch.testing.assert_close(screw.pose, tool_pose(place, direction=(0, -1, 1), turn=30.0))
    assert torch.equal(screw.mesh.vertices, instrument("pedicle_screw", seed=3).vertices)
    assert (screw.material.name, screw.mass_density, screw.displaces) == ("tantalum", 12.0, False)
    assert float(block.mesh.size[0]) == 12.0
    assert torch.equal(block.pose, moved(5, 6, 7))
    torch.testing.assert_close(found.scene.landmarks["L3"], centre)
    camera, settings = found.camera, found.settings
    assert (camera.height, camera.width, camera.pixel_spacing) == (20, 30, [2.0, 3.0])
    pose = carm_pose(lao_rao=10.0, cra_cau=-5.0, roll=3.0, sod=600.0, isocenter=centre, offset=(0.0, 0.0, 4.0))
    torch.testing.assert_close(found.pose, pose)
    beam, detector = settings.beam, settings.detector
    assert beam.spectrum.filtration == (("aluminium", 3.0), ("copper", 0.1))
    assert (beam.spectrum.kvp, beam.spectrum.anode_angle, beam.anode_direction) == (75.0, 10.0, 90.0)
    assert beam.shutter == CircularShutter(15, 10, 9)
    assert (beam.penumbra, beam.leakage, beam.oblique) == (2.0, 0.01, True)
    assert (settings.dose.mas, settings.dose.readout_quanta, settings.dose.law) == (1.5, 4.0, "gaussian")
    assert settings.scatter.scatter_to_primary == 0.4
    assert settings.scatter.kernel.weights == (0.25, 0.75)
    assert (detector.scintillator, detector.counts, detector.blur) == ("gadolinium_oxysulfide", "photons", "gaussian")
    assert (settings.march.method, settings.march.samples, settings.march.backend) == ("joseph", 77, "torch")
    assert (settings.masks, settings.path_lengths, found.seed) == (False, ("lumbar vertebrae",), 7)

    write_scene(folder / "again.yaml", found)
    again = read_scene(folder / "again.yaml")
    assert again.record == found.record
    assert again.settings == found.settings
    assert torch.equal(again.pose, found.pose)
    assert torch.equal(again.scene.tools[0].pose, screw.pose)
    assert torch.equal(again.scene.bodies[0].materials.densities, found.scene.bodies[0].materials.densities)


@pytest.mark.parametrize(
    ("shutter", "expected"),
    [
        ("rectangle: [1, 2, 30, 40]", RectangularShutter(1, 2, 30, 40)),
        ("polygon: [[1, 2], [9, 3], [5, 8]]", PolygonalShutter(((1, 2), (9, 3), (5, 8)))),
    ],
)
def test_shutters_of_each_kind_survive_the_record(folder, shutter, expected):
    found = plan(folder, CUBE + f"beam: {{energy_kev: 60, shutter: {{{shutter}}}}}\n")
    assert found.settings.beam.spectrum == MonochromaticSpectrum(60.0)
    assert found.settings.beam.shutter == expected
    write_scene(folder / "again.yaml", found)
    assert read_scene(folder / "again.yaml").settings == found.settings


def test_the_built_in_patient_and_an_ideal_detector(folder):
    text = "bodies: [{torso: {spacing: 8}, density_scale: {cortical_bone: 0.7}, "
    text += "label_materials: {femur_left: titanium}}]\n"
    found = plan(folder, text + "detector: {scintillator: none, blur: none}\nview: {name: pa}\n")
    body = found.scene.bodies[0]
    assert body.density_scale == {"cortical_bone": 0.7}
    assert "titanium" in [m.name for m in body.materials.materials]
    assert found.settings.detector.scintillator is None
    assert found.settings.detector.blur is None
    assert found.mirrored
    write_scene(folder / "again.yaml", found)
    assert read_scene(folder / "again.yaml").record == found.record


def test_camera_and_pose_may_come_from_a_pose_file(folder):
    camera, pose = Camera(sdd=800.0, height=5, width=6, pixel_spacing=3.0), carm_pose(sod=500.0, isocenter=(1, 2, 3))
    write_pose(folder / "pose.json", camera, pose)
    found = plan(folder, CUBE + "view: {pose: pose.json}\n")
    assert (found.camera.sdd, found.camera.width) == (800.0, 6)
    torch.testing.assert_close(found.pose, pose.double())


def test_options_replace_seed_and_backend_and_stand_in_the_record(folder):
    found = plan(folder, CUBE).with_options(seed=9, backend="torch")
    assert (found.seed, found.settings.march.backend) == (9, "torch")
    assert (found.record["seed"], found.record["march"]["backend"]) == (9, "torch")
    with pytest.raises(InputError, match="seed must be a whole number from 0 up, got -1"):
        found.with_options(seed=-1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bodys: []", "the scene has no key 'bodys'; did you mean 'bodies'"),
        (CUBE + "beam: {kpv: 80}", "beam has no key 'kpv'; did you mean 'kvp'"),
        (CUBE + "beam: {kvp: 300}", "beam: kvp must lie in the table's 40 to 150 kV, got 300"),
        (CUBE + "beam: {filtration: {unobtainium: 1}}", "beam: material must be one of .*got 'unobtainium'"),
        (CUBE + "beam: {filtration: {copper: -1}}", "beam: filtration must be 0 mm or more"),
        (CUBE + "beam: {energy_kev: 60, kvp: 80}", "beam: one energy or a tube, got energy_kev and kvp"),
        (CUBE + "beam: {shutter: {circle: [1, 2, 3], rectangle: [1, 2, 3, 4]}}", "beam.shutter must be one of"),
        (
            CUBE + "beam: {shutter: {polygon: [[1, 2], [3]]}}",
            r"beam.shutter.polygon\[1\] must be a list of 2 finite numbers, got \[3\]",
        ),
        (CUBE + "beam: {shutter: {circle: [1, 2, -3]}}", "beam.shutter: radius must be positive"),
        (CUBE + "dose: {photons_per_pixel: 0}", "dose: dose must be positive and finite, got photons_per_pixel=0.0"),
        (CUBE + "dose: {mas: -2}", "dose: dose must be positive and finite, got mas=-2.0"),
        (CUBE + "dose: {law: poison}", "dose.law knows no 'poison'; did you mean 'poisson'"),
        (CUBE + "scatter: {scatter_to_primary: -1}", "scatter: scatter_to_primary must be 0 or more"),
        (CUBE + "detector: {scintillator: cesium}", "detector: material must be one of .*got 'cesium'"),
        (CUBE + "detector: {thickness: 0}", "detector: thickness must be positive"),
        (CUBE + "march: {samples: 0}", "march: samples must be a whole number from 1 to 100000, got 0"),
        (CUBE + "march: {samples: 1.5}", "march.samples must be a whole number"),
        (CUBE + "march: 5", "march must be a table of method, samples"),
        (CUBE + "camera: {sdd: .nan}", "camera.sdd must be a finite number, got nan"),
        (CUBE + "camera: {size: [0, 5]}", "camera.size must be 1 to 16384"),
        (CUBE + "camera: {size: [1.5, 5]}", "camera: height must be a positive whole number"),
        (CUBE + "camera: {size: [5]}", "camera.size must be a list of 2 finite numbers"),
        (CUBE + "view: {sod: 1020}", r"view.sod must be smaller than sdd, got 1020.0 mm and sdd=1020.0 mm"),
        (CUBE + "view: {name: app}", "view.name knows no 'app'; did you mean 'ap'"),
        (CUBE + "view: {name: ap, roll: 3}", "view.name sets all three angles, got also roll"),
        (CUBE + "view: {isocenter: vertebrae_L9}", "view.isocenter must be three coordinates or a label"),
        (CUBE + "view: {pose: none.json}", "view.pose must name an existing file, got 'none.json'"),
        (CUBE + "view: {camera_to_world: [[1, 0, 0, 0]]}", "camera_to_world must be 4 lists of 4"),
        (CUBE + "path_lengths: liver", "path_lengths must be a list of texts, got 'liver'"),
        (CUBE + "landmarks: {tip: [1, 2]}", "landmarks.tip must be a list of 3 finite numbers"),
        (CUBE + "seed: -1", "seed must be a whole number from 0 up, got -1"),
        (CUBE + "masks: 1", "masks must be true or false, got 1"),
        ("tools: {file: cube.obj}", "tools must be a list, each entry with a dash"),
        ("tools: [{instrument: pedicel_screw}]", r"tools\[0\].instrument knows no 'pedicel_screw'; did you mean 'ped"),
        ("tools: [{file: cube.obj, material: wood}]", r"tools\[0\].material knows no 'wood'"),
        ("tools: [{file: cube.obj, density: -4}]", r"tools\[0\].density must be above 0, got -4"),
        ("tools: [{file: nothing.stl}]", r"tools\[0\].file must name an existing file, got 'nothing.stl'"),
        ("tools: [{name: x}]", r"tools\[0\] needs either instrument or file"),
        ("tools: [{instrument: k_wire, scale: 2}]", r"tools\[0\].scale belongs to a file"),
        ("tools: [{file: cube.obj, seed: 2}]", r"tools\[0\].seed belongs to an instrument"),
        ("tools: [{file: cube.obj, at: liver}]", r"tools\[0\].at must be three coordinates or a label"),
        ("tools: [{file: cube.obj, position: [1, 2, 3], at: x}]", r"tools\[0\] is placed by position or at, got both"),
        ("tools: [{file: cube.obj, direction: [0, 0, 0]}]", r"tools\[0\]: position and direction must be three"),
        ("tools: [{file: cube.obj}, {file: cube.obj}]", "tools must have names of their own, got 'cube' twice"),
        ("tools: [{file: cube.obj, mesh_to_world: [[2,0,0,0],[0,2,0,0],[0,0,2,0],[0,0,0,1]]}]", "mesh_to_world"),
        ("bodies: [{file: ct.nii.gz, torso: {}}]", r"bodies\[0\] needs either torso or file"),
        ("bodies: [{torso: {spacing: 100}}]", r"bodies\[0\].torso: spacing must be 1 to 8 mm"),
        ("bodies: [{file: cube.obj}]", "cube.obj"),
        ("bodies: [{file: ct.nii.gz, density_scale: {bone: 1}}]", r"bodies\[0\]: density_scale of 'patient' must name"),
        ("bodies: [{file: ct.nii.gz, density_scale: {lung: -1}}]", "density_scale of lung must be 0 or more"),
        ("bodies: [{file: ct.nii.gz, label_materials: {liver: gold}}]", "bodies"),
        ("seed: 1", "the scene: a scene needs at least one body or tool"),
        ("- 1\n- 2", "must hold a table of keys and values, got list"),
        ("beam: {kvp: 80\n", "must be well-formed YAML"),
        ("seed: 1\nseed: 2", "the key 'seed' is given twice"),
        ("a: &x [1]\nb: *x", r"aliases \(\*name\) are not supported"),
        ("seed: " + "[" * 500 + "]" * 500, "must be well-formed YAML"),
        ("seed: [" + "1," * 25_000 + "]", "more than 20000 entries"),
        ("seed: !!python/object/apply:os.getcwd []", "must be well-formed YAML"),
    ],
)
def test_mistakes_are_named_with_file_and_place(folder, text, message):
    with pytest.raises(FileError, match=re.compile(message, re.DOTALL)) as error:
        plan(folder, text + "\n")
    assert "\n" not in str(error.value)


def test_files_that_cannot_be_read_or_written_are_named(folder):
    with pytest.raises(FileError, match=r"cannot be read from .*none.yaml"):
        read_scene(folder / "none.yaml")
    big = folder / "big.yaml"
    big.write_text("#" * (1 << 20) + "\n", encoding="utf-8")
    with pytest.raises(FileError, match="must be under 1 MiB"):
        read_scene(big)
    with pytest.raises(OutputError, match="must lie in an existing folder"):
        write_scene(folder / "no" / "scene.yaml", plan(folder, CUBE))


def test_the_examples_are_legal(request):
    from xraykit.render.scenes.scene_table import read_checked_table
    from xraykit.render.scenes.scene_yaml import SCENE

    scenes = sorted((request.config.rootpath / "examples" / "scenes").glob("*.yaml"))
    assert len(scenes) >= 2
    for path in scenes:
        table = read_checked_table(path, SCENE)
        assert not any("file" in entry for entry in table.content["bodies"] + table.content["tools"])
        assert yaml.safe_load(path.read_text(encoding="utf-8")) == table.content


def test_meshes_without_a_scale_take_that_of_the_command(tmp_path):
    screw = instrument("cannulated_screw")
    write_obj = "".join("v {} {} {}\n".format(*point) for point in (screw.vertices / 25.4).tolist())
    write_obj += "".join("f {} {} {}\n".format(*face) for face in (screw.faces + 1).tolist())
    (tmp_path / "screw.obj").write_text(write_obj)
    scene = tmp_path / "scene.yaml"
    scene.write_text("tools: [{file: screw.obj}, {file: screw.obj, name: own, scale: 12.7}]")
    plan = read_scene(scene, mesh_scale=25.4)
    sizes = [tool.mesh.size for tool in plan.scene.tools]
    torch.testing.assert_close(sizes[0], screw.size, atol=1e-3, rtol=0)
    torch.testing.assert_close(sizes[1], screw.size / 2, atol=1e-3, rtol=0)
    assert [entry["scale"] for entry in plan.record["tools"]] == [25.4, 12.7]
