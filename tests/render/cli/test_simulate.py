"""`render simulate` writes what the library simulates, all of it or nothing, and names every mistake."""

import json
from dataclasses import replace

import numpy as np
import pydicom
import pytest
import torch
from PIL import Image
from xraykit.render import OutputError, read_pose, read_radiograph, read_scene, simulate, write_volume
from xraykit.render.cli.umbrella import run
from xraykit.render.converters import write_mayacam
from xraykit.render.scenes import save as writer

REASON = "needs the extra: pip install 'xraykit-render[export]'"
coco_mask = pytest.importorskip("pycocotools.mask", reason=REASON)
pytest.importorskip("highdicom", reason=REASON)


NAMES = [
    *("image.dcm", "image.png", "intensity.tiff", "line_integrals.npy", "masks.coco.json", "masks.dcm"),
    *("overlay.png", "path_lengths.npy", "pose.json", "scene.yaml", "simulation.json"),
]
SCENE = """
bodies: [{file: ct.nii.gz, labels: seg.nii.gz}]
tools:
  - {name: wire, instrument: needle, material: steel, position: [0, 0, -20], direction: [0.2, 0, 1]}
  - {name: far, instrument: k_wire, position: [900, 0, 0]}
landmarks: {tip: [0, 0, -20]}
camera: {sdd: 1000, size: [24, 30], pixel_spacing: [4, 3], principal_point: [14, 13]}
view: {lao_rao: 170, cra_cau: 10, roll: 4, sod: 800, isocenter: [0, 0, 0]}
beam: {kvp: 70}
dose: {photons_per_pixel: 2000, readout_quanta: 2}
scatter: {scatter_to_primary: 0.3}
march: {samples: 40, backend: torch}
path_lengths: [liver]
seed: 3
""".replace("steel", "stainless_steel")


@pytest.fixture
def scene(tmp_path):
    """A slab of tissue with a liver in it and a needle through it, in a folder of its own."""
    folder = tmp_path / "in"
    folder.mkdir()
    affine = torch.diag(torch.tensor([4.0, 4.0, 4.0, 1.0], dtype=torch.float64))
    affine[:3, 3] = torch.tensor([-22.0, -18.0, -22.0])
    hu = torch.full((12, 10, 12), 30, dtype=torch.int16)
    labels = torch.zeros(12, 10, 12, dtype=torch.uint8)
    hu[4:9, 3:7, 6:10], labels[4:9, 3:7, 6:10] = 60, 5
    write_volume(folder / "ct.nii.gz", hu, affine)
    write_volume(folder / "seg.nii.gz", labels, affine, label_names={5: "liver"})
    (folder / "scene.yaml").write_text(SCENE, encoding="utf-8")
    return folder / "scene.yaml"


def command(scene, output, *options):
    return run(["render", "simulate", str(scene), "-o", str(output), *options])


def test_the_folder_holds_what_the_library_simulates(scene, tmp_path, capsys):
    out = tmp_path / "deep" / "out"
    assert command(scene, out) == 0
    said = capsys.readouterr().out
    assert "simulate the X-ray" in said
    assert "wrote" in said
    assert sorted(path.name for path in out.iterdir()) == NAMES

    plan = read_scene(scene)
    expected = simulate(plan.scene, plan.camera, plan.pose, plan.settings, seed=3)
    intensity = np.asarray(Image.open(out / "intensity.tiff"))
    np.testing.assert_array_equal(intensity, expected.intensity[0, 0].float().numpy())
    np.testing.assert_array_equal(np.load(out / "line_integrals.npy"), expected.line_integrals.float().numpy())
    facts = json.loads((out / "simulation.json").read_text(encoding="utf-8"))
    assert facts["path_lengths"] == ["wire", "far", "liver"]
    lengths = np.load(out / "path_lengths.npy")
    np.testing.assert_array_equal(lengths[:2], expected.tool_lengths[0].numpy())
    np.testing.assert_array_equal(lengths[2], expected.path_lengths["liver"][0].numpy())
    assert facts["landmarks"]["tip"]["visible"]
    assert facts["landmarks"]["tip"]["uv"] == expected.landmarks.uv[0, 0].tolist()
    camera, pose = read_pose(out / "pose.json")
    assert (camera.sdd, camera.height, camera.width) == (1000.0, 24, 30)
    torch.testing.assert_close(pose, plan.pose)

    coco = json.loads((out / "masks.coco.json").read_text(encoding="utf-8"))
    named = {entry["id"]: entry["name"] for entry in coco["categories"]}
    areas = {named[entry["category_id"]]: coco_mask.area(entry["segmentation"]) for entry in coco["annotations"]}
    assert areas == {"liver": int(expected.masks.mask("liver").sum()), "wire": int(expected.masks.mask("wire").sum())}
    segmentation = pydicom.dcmread(out / "masks.dcm")
    assert [segment.SegmentLabel for segment in segmentation.SegmentSequence] == ["liver", "wire"]


def test_our_reader_turns_the_dicom_back_into_camera_pose_and_image(scene, tmp_path):
    out = tmp_path / "out"
    assert command(scene, out) == 0
    plan = read_scene(scene)
    expected = simulate(plan.scene, plan.camera, plan.pose, plan.settings, seed=3)
    radiograph = read_radiograph(out / "image.dcm")
    assert radiograph.polarity == "line_integral"
    span = float(expected.log_attenuation.max() - expected.log_attenuation.min())
    torch.testing.assert_close(radiograph.pixels, expected.log_attenuation[:, 0].float(), atol=span / 65535, rtol=0)
    camera = radiograph.camera
    assert (float(camera.sdd), camera.height, camera.width) == (1000.0, 24, 30)
    assert list(camera.pixel_spacing) == [4.0, 3.0]
    assert list(camera.principal_point) == [14.0, 13.0]
    pose = torch.tensor(radiograph.provenance["camera_to_world"].value, dtype=torch.float64).reshape(-1, 4, 4)
    torch.testing.assert_close(pose, plan.pose, rtol=0, atol=0)
    dataset = pydicom.dcmread(out / "image.dcm")
    assert dataset.PatientName == dataset.PatientID == "SIMULATED"
    assert not dataset.PatientBirthDate
    tiff = read_radiograph(out / "intensity.tiff")
    assert tiff.polarity == "intensity"
    assert float(tiff.camera.sdd) == 1000.0


def test_the_written_scene_gives_the_same_bytes_again(scene, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert command(scene, first) == 0
    assert command(first / "scene.yaml", second) == 0
    for name in NAMES:
        assert (first / name).read_bytes() == (second / name).read_bytes() or name == "masks.dcm"
    uids = [pydicom.dcmread(folder / "masks.dcm").SOPInstanceUID for folder in (first, second)]
    assert uids[0] == uids[1]


def test_metal_is_bright_in_the_picture_and_dark_in_the_intensity(scene, tmp_path):
    out = tmp_path / "out"
    assert command(scene, out, "--seed", "5", "--backend", "torch") == 0
    lengths = np.load(out / "path_lengths.npy")[0]
    metal, air = lengths > 0.2, np.load(out / "line_integrals.npy")[0, 0] < 0.01
    picture = np.asarray(Image.open(out / "image.png")).astype(float)
    intensity = np.asarray(Image.open(out / "intensity.tiff"))
    assert metal.any() and air.any()
    assert picture[metal].mean() > picture[~metal & ~air].mean() > picture[air].mean()
    assert intensity[metal].mean() < intensity[~metal & ~air].mean() < intensity[air].mean()
    assert read_scene(out / "scene.yaml").seed == 5


def test_without_the_extra_the_rest_is_written_and_the_gap_is_said(scene, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(writer, "has_export", lambda package: False)
    out = tmp_path / "out"
    assert command(scene, out) == 0
    said = capsys.readouterr().out
    assert "masks.coco.json was left out: it needs pycocotools" in said
    assert "pip install 'xraykit-render[export]'" in said
    assert sorted(path.name for path in out.iterdir()) == [name for name in NAMES if not name.startswith("masks")]
    assert command(scene, tmp_path / "other", "--seg") == 2
    assert (
        "--seg needs highdicom, which is not installed; run: pip install 'xraykit-render[export]'"
        in capsys.readouterr().err
    )
    assert not (tmp_path / "other").exists()


def test_a_file_in_place_of_the_folder_is_refused(scene, tmp_path, capsys):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    assert command(scene, tmp_path / "out") == 2
    assert "must be a folder that can be made" in capsys.readouterr().err
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


def test_a_folder_in_place_of_a_result_is_refused_before_anything_is_replaced(scene, tmp_path, capsys):
    (tmp_path / "out" / "scene.yaml").mkdir(parents=True)
    assert command(scene, tmp_path / "out") == 2
    assert "scene.yaml must be a file to replace, got a folder; move it away" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["scene.yaml"]


def test_a_second_run_leaves_nothing_of_the_first(scene, tmp_path):
    out = tmp_path / "out"
    assert command(scene, out) == 0
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    scene.write_text(SCENE + "masks: false\n", encoding="utf-8")
    assert command(scene, out) == 0
    without = {"masks.coco.json", "masks.dcm", "overlay.png"}
    assert {path.name for path in out.iterdir()} == {*NAMES, "notes.txt"} - without


def test_a_failure_while_writing_leaves_the_folder_as_it_was(scene, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    assert command(scene, out) == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def refuse(*_, **__):
        raise OutputError("the disk is full.")

    monkeypatch.setattr(writer, "write_coco", refuse)
    assert command(scene, out, "--seed", "8") == 2
    assert "the disk is full" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert command(scene, tmp_path / "new" / "out") == 2
    assert not (tmp_path / "new").exists()


def test_camera_files_take_the_place_of_the_scenes_camera_and_view(scene, tmp_path):
    """Two views of one calibration; the text states no scale, so the scene's does."""
    plan = read_scene(scene)
    turned = plan.pose.clone()
    turned[0, :3, 3] += torch.tensor([40.0, -10.0, 5.0], dtype=torch.float64)
    for number, pose in enumerate((plan.pose, turned), start=1):
        write_mayacam(tmp_path / f"cam{number}.txt", plan.camera, pose)
    assert command(scene, tmp_path / "out", "--camera", str(tmp_path / "cam1.txt"), str(tmp_path / "cam2.txt")) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"view_1", "view_2"}
    for number, pose in enumerate((plan.pose, turned), start=1):
        folder = tmp_path / f"out/view_{number}"
        camera, found = read_pose(folder / "pose.json")
        torch.testing.assert_close(found, pose)
        assert (camera.sdd, camera.height, camera.width) == (1000, 24, 30)
        again = read_scene(folder / "scene.yaml")
        torch.testing.assert_close(again.pose, pose)
    alone = command(scene, tmp_path / "alone", "--camera", str(tmp_path / "cam1.txt"))
    assert alone == command(scene, tmp_path / "plain") == 0
    first, plain = (np.load(tmp_path / name / "line_integrals.npy") for name in ("alone", "plain"))
    np.testing.assert_allclose(first, plain, atol=1e-5)
    moved = np.load(tmp_path / "out/view_2/line_integrals.npy")
    assert np.abs(moved - plain).max() > 0.01


def test_a_camera_of_another_size_than_the_scene_says_is_refused(scene, tmp_path, capsys):
    plan = read_scene(scene)
    write_mayacam(tmp_path / "cam1.txt", replace(plan.camera, height=30, width=24), plan.pose)
    assert command(scene, tmp_path / "out", "--camera", str(tmp_path / "cam1.txt")) == 2
    assert "30 rows x 24 columns, got one of 24 x 30" in " ".join(capsys.readouterr().err.split())
    assert command(scene, tmp_path / "out", "--camera", str(tmp_path / "absent.txt")) == 2
    assert "a camera file was expected at" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
