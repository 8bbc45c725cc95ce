"""Cases of FluoroSeg's files, lung sets and registered X-rays."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from support.dataset_shards import disc
from support.dicom import write_series
from support.fluorosam_cases import Knowing
from support.fluoroseg_files import block, runs, write_case
from support.soiled import ROOT, soil, traces
from support.xray_dicom import GEOMETRY, write_xray, xray_dataset
from xraykit.fluorosam.evaluate import (
    AskSettings,
    CaseSettings,
    SegmentationEvaluationSettings,
    evaluate_segmentation,
    open_cases,
    read_views,
)
from xraykit.render import Camera, FileError, InputError, Volume, carm_pose, write_pose, write_volume
from xraykit.render.commands import VolumeSettings

SIZE = 32
LEFT, RIGHT = disc(SIZE, 23, 16, 5), disc(SIZE, 9, 16, 5)


def test_fluoroseg_cases_have_ribs_by_where_they_lie(tmp_path):
    today = {10: "lung_upper_lobe_left", 12: "lung_upper_lobe_right", 92: "rib_left_1", 94: "rib_left_3"}
    left, right = block(6, 2, 18, 8), block(6, 24, 18, 30)
    shown = {10: right, 12: left, 92: block(12, 2, 14, 6), 94: block(6, 26, 8, 30)}
    entries = [{"category_id": number, "segmentation": runs(mask)} for number, mask in shown.items()]
    write_case(tmp_path, annotations=entries, categories=today, images=2, patient_id="p1")
    cases = open_cases(tmp_path, CaseSettings("fluoroseg"))
    case = next(iter(cases))
    assert len(cases) == 2 and case.patient == "p1" and case.bone == "bright" and case.spacing == (0.6, 0.6)
    assert {"rib_right_4", "rib_left_1", "ribs", "ribs_right", "lung_left"} <= set(case.targets)
    assert torch.equal(case.mask("rib_right_4"), torch.from_numpy(shown[92]))
    assert "skull" in case.absent and "rib_left_7" in case.absent


def test_lung_cases_ask_for_each_lung_and_for_both(tmp_path):
    for number in range(3):
        (tmp_path / "CXR_png").mkdir(exist_ok=True)
        Image.fromarray(np.eye(SIZE, dtype=np.uint8) * 200).save(tmp_path / f"CXR_png/M_{number}.png")
        for name, mask in (("leftMask", LEFT), ("rightMask", RIGHT)):
            folder = tmp_path / "ManualMask" / name
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"M_{number}.png")
    settings = SegmentationEvaluationSettings(
        tmp_path, tmp_path / "out", cases=CaseSettings("montgomery", images=2), asks=AskSettings(points=1)
    )
    found = evaluate_segmentation(settings, methods=[Knowing()])
    assert set(found.numbers["by_structure"]) == {"lung_left", "lung_right", "lungs"} and found.numbers["images"] == 2
    assert found.numbers["all"]["knowing"]["text"]["unit"] == "mm"
    assert found.numbers["absent"] == {} and list(found.numbers["by_view"]) == ["chest_pa"]


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """A CT of two hip bones, its labels, and the camera of a frontal view."""
    folder = tmp_path_factory.mktemp("scan")
    hu = torch.full((20, 20, 40), -1000.0)
    labels = torch.zeros(hu.shape, dtype=torch.int16)
    labels[5:15, 5:15, 4:16], labels[5:15, 5:15, 24:36] = 77, 78
    hu[labels > 0] = 700.0
    affine = torch.tensor([[4.0, 0, 0, -78], [0, 4, 0, -38], [0, 0, 4, -38], [0, 0, 0, 1]], dtype=torch.float64)
    write_volume(folder / "ct.nii.gz", hu, affine)
    write_volume(folder / "labels.nii.gz", labels, affine)
    camera = Camera(1000.0, 48, 64, pixel_spacing=(5.0, 5.0), principal_point=(32.0, 24.0))
    pose = carm_pose(lao_rao=0.0, cra_cau=0.0, isocenter=(0.0, 0.0, 0.0), sod=700.0)
    write_pose(folder / "pose.json", camera, pose)
    Image.fromarray(np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)).save(folder / "xray.png")
    return folder


def registered(scan, **changes):
    facts = {"xvr": scan / "pose.json", "ct": scan / "ct.nii.gz", "labels": scan / "labels.nii.gz"}
    return CaseSettings("registered", **{**facts, "label_names": "totalsegmentator_v2", **changes})


def test_labels_are_projected_as_the_found_camera_sees_them(scan):
    case = next(iter(open_cases(scan / "xray.png", registered(scan))))
    assert case.image.shape == (48, 64) and case.spacing == (5.0, 5.0)
    assert {"hip_left", "hip_right", "hip", "pelvis"} <= set(case.targets)
    left, right = (case.mask(name).nonzero()[:, 1].double().mean() for name in ("hip_left", "hip_right"))
    assert abs(float(left - right)) == pytest.approx(1000 / 700 * 80 / 5, abs=1)
    assert case.mask("hip_left").sum() > 50


def test_a_result_of_a_registration_gives_its_views(scan, tmp_path):
    pose = json.loads((scan / "pose.json").read_text())["camera_to_world"]
    view = {
        "name": "xray", "sdd_mm": 1000.0, "height_px": 48, "width_px": 64, "pixel_spacing_row_column_mm": [5.0, 5.0],
        "principal_point_x_y_px": [32.0, 24.0], "start_camera_to_world": pose,
    }  # fmt: skip
    content = {"format": "xraykit.xvr.result", "views": [view], "structures": [{"camera_to_world": {"xray": pose}}]}
    (tmp_path / "result.json").write_text(json.dumps(content))
    (found,) = read_views(tmp_path)
    assert found.name == "xray" and found.camera.height == 48
    cases = open_cases(scan, registered(scan, xvr=tmp_path))
    first, second = next(iter(cases)), next(iter(open_cases(scan / "xray.png", registered(scan))))
    assert torch.equal(first.annotations, second.annotations) and first.name == "xray"
    content["structures"] *= 2
    (tmp_path / "result.json").write_text(json.dumps(content))
    with pytest.raises(FileError, match="must have one structure, got 2, each with poses of its own"):
        read_views(tmp_path)
    (tmp_path / "result.json").write_text('{"views": []}')
    with pytest.raises(
        FileError, match=r"must be a result of xvr register or a pose\.json, got another file: 'structures'"
    ):
        read_views(tmp_path)


def test_what_registered_xrays_need_is_said(scan, tmp_path):
    with pytest.raises(InputError, match="need a result, a CT and its label map; give --xvr, --ct and --labels"):
        open_cases(scan / "xray.png", CaseSettings("registered"))
    with pytest.raises(InputError, match="must have labels with known names, got none; give --label-names"):
        open_cases(scan / "xray.png", registered(scan, label_names=None))
    Image.fromarray(np.arange(100, dtype=np.uint8).reshape(10, 10)).save(tmp_path / "small.png")
    with pytest.raises(FileError, match="must have the 48 x 64 pixels of its view 'pose', got 10 x 10"):
        next(iter(open_cases(tmp_path / "small.png", registered(scan))))
    with pytest.raises(FileError, match="must hold one X-ray called 'pose', got 0"):
        open_cases(tmp_path, registered(scan))
    with pytest.raises(FileError, match=r"X-rays were expected at .*gone, got nothing there"):
        open_cases(tmp_path / "gone", registered(scan))


def test_an_unknown_layout_is_refused():
    with pytest.raises(InputError, match=r"layout must be one of job, fluoroseg, .*, got 'coco'"):
        CaseSettings("coco")


def test_nothing_that_is_written_of_registered_xrays_names_the_patient(scan, tmp_path):
    stored = np.full((20, 20, 40), 24, np.int16)
    stored[5:15, 5:15, 4:36] = 1724
    spaced = {"first": (-80.0, -40.0, -40.0), "step": (0.0, 0.0, 4.0), "pixel_spacing": (4.0, 4.0)}
    ct = write_series(tmp_path / "ct", stored, edit=lambda _, dataset: soil(dataset), **spaced)
    volume = Volume.from_file(ct)
    write_volume(tmp_path / "labels.nii.gz", (volume.hu > 300).to(torch.int16) * 77, volume.affine)
    pixels = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
    xray = write_xray(tmp_path / "x.dcm", soil(xray_dataset(pixels, **GEOMETRY)))
    reading = {"volume": VolumeSettings(series=f"{ROOT}.99.1"), "ct": ct, "labels": tmp_path / "labels.nii.gz"}
    evaluate_segmentation(
        SegmentationEvaluationSettings(xray, tmp_path / "out", cases=registered(scan, **reading)), methods=[Knowing()]
    )
    assert (tmp_path / "out/rows.csv").is_file() and traces(tmp_path / "out") == []
